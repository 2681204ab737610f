"""The worker: translates and dispatches side by side until it is told to stop, and shows that it is alive."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Collection
from uuid import uuid4

from relay.clock import Clock, SystemClock
from relay.commands import Lane
from relay.errors import StoreUnavailable
from relay.log import get_logger
from relay.news import EVERYTHING, NOTHING, News
from relay.salesmanago.client import Client
from relay.settings import Settings
from relay.shops import Directory
from relay.store import Store
from relay.translation.translator import Translator
from relay.worker import supervisor
from relay.worker.crew import CALLS_PER_LANE, Crew
from relay.worker.dispatching import Claimed, DispatchStage
from relay.worker.duty import Duty
from relay.worker.outage import Outage, outage_pause_s
from relay.worker.pacing import Pacer, pause
from relay.worker.presence import Presence
from relay.worker.privacy import PrivacyStage
from relay.worker.retention import RetentionStage
from relay.worker.retry import Schedule
from relay.worker.sending import Sender
from relay.worker.sharing import Share
from relay.worker.steady import SteadyClock
from relay.worker.translating import TranslateStage
from relay.worker.waking import Ear
from relay.worker.watching import BLIND_S, DEAD_AFTER_S, Watch

BEAT_S = 1.0
"""How often a worker shows that it is alive, and looks after the others."""

_TICK_S = 0.25  # how soon it notices that it shall stop or that its supervisor is gone

log = get_logger(__name__)


class Worker:
    """One worker process's work: three stages in a thread each, the calls in threads of their own."""

    def __init__(
        self,
        *,
        store: Store,
        client: Client,
        translator: Translator,
        directory: Directory,
        settings: Settings,
        clock: Clock,
        ear: Ear | None = None,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], object] = time.sleep,
        calls_per_lane: int = CALLS_PER_LANE,
        parent_is_gone: Callable[[], bool] = supervisor.parent_is_gone,
        duty: Duty = Duty.ALL,
        announce: Callable[[], object] = lambda: None,
    ) -> None:
        """Take the parts; ``ear`` is open and hears what other processes stored, without one the worker only polls.

        ``announce`` wakes other workers: one that does not send itself calls it when there is something to send.
        """
        self._duty = duty
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}-{duty.value}"
        self._store = store
        self._settings = settings
        self._ear = ear
        self._sleep = sleep
        self._parent_is_gone = parent_is_gone
        self._stopping = False
        self._to_translate, self._to_dispatch, self._to_tidy = (threading.Event() for _ in range(3))
        self._outage = Outage()
        self._crew: Crew[Claimed] = Crew(len(directory.groups) * len(Lane), self._to_dispatch.set, calls_per_lane)
        on_commands = self._to_dispatch.set if duty.dispatches else announce
        self._translate = TranslateStage(store, translator, clock, settings.lease_s, on_commands, holder=self.name)
        self._privacy = PrivacyStage(store, clock, settings.data)
        self._retention = RetentionStage(store, clock, settings.keep_days)
        self._presence = Presence(settings.data, self.name)
        self._share = Share(DEAD_AFTER_S, BLIND_S)
        self._watch = Watch(store, self.name, self._presence, clock, settings.lease_s, on_others=self._share_with)
        # A clock that a test moves has no steps.
        leasing = SteadyClock(clock, settings.lease_s) if isinstance(clock, SystemClock) else clock
        self._dispatch = DispatchStage(
            store=store,
            directory=directory,
            sender=Sender(client, Schedule(settings.max_attempts, settings.lease_s, chance), leasing),
            pacer=Pacer(store.lanes, leasing, self._is_stopping, sleep),
            crew=self._crew,
            clock=leasing,
            lease_s=settings.lease_s,
            outage=self._outage,
            stopped=self._is_stopping,
            sleep=sleep,
            holder=self.name,
        )

    def run(self) -> None:
        """Work until ``stop`` is called or the supervisor is gone; what is in hand then is finished and settled."""
        log.info("worker_started", worker=self.name, duty=self._duty.value)
        stages = self._stages()
        self._crew.limit(1)  # until it is known how many others send
        with self._presence, self._crew:
            for stage in stages:
                stage.start()
            try:
                self._stand_by(stages)
            finally:
                self._stopping = True
                self._wake(EVERYTHING)
                self._to_tidy.set()
                for stage in stages:
                    stage.join()
        with contextlib.suppress(StoreUnavailable):
            self._store.workers.leave(self.name)
        log.info("worker_stopped", worker=self.name)

    def _stages(self) -> tuple[threading.Thread, ...]:
        def stage(name: str, step: Callable[[], bool], due: threading.Event, writes: bool = True) -> threading.Thread:
            return threading.Thread(target=self._keep_doing, args=(step, due, writes), name=name)

        translating = (
            stage("translate", self._translate.step, self._to_translate),
            stage("tidy", self._tidy, self._to_tidy, False),
        )
        dispatching = (stage("dispatch", self._dispatch.step, self._to_dispatch),)
        return (translating if self._duty.translates else ()) + (dispatching if self._duty.dispatches else ())

    def stop(self) -> None:
        """Begin nothing new, finish what is in hand. May be called by a signal handler, so it takes no lock."""
        self._stopping = True

    def run_until_idle(self) -> None:
        """Translate and dispatch in turns until nothing is due any more; what is due later is left.

        Raises: StoreUnavailable.
        """
        with self._crew:
            busy = True
            while busy and not self._stopping:
                translated = self._translate.step()
                dispatched = self._dispatch.step()
                self._crew.wait()
                busy = self._privacy.step(at_once=True) or translated or dispatched

    def _tidy(self) -> bool:
        return self._privacy.step() or self._retention.step()

    def _share_with(self, others: Collection[str], at: float) -> None:
        self._crew.limit(self._share.note(sum(Duty.of(other).dispatches for other in others), at))

    def _is_stopping(self) -> bool:
        return self._stopping

    def _stand_by(self, stages: tuple[threading.Thread, ...]) -> None:
        """Pass rings on and beat, until it is time to stop."""
        next_beat = time.monotonic()
        while not self._stopping:
            if self._parent_is_gone():
                log.warning("supervisor_gone", worker=self.name)
                return
            if not all(stage.is_alive() for stage in stages):
                log.critical("stage_ended", worker=self.name)  # a worker that only seems alive would not be replaced
                return
            if time.monotonic() >= next_beat:
                self._beat()
                next_beat = time.monotonic() + BEAT_S
            self._wake(self._hears())

    def _hears(self) -> News:
        tick_s = min(_TICK_S, self._settings.poll_s)
        if self._ear is not None:
            return self._ear.wait(tick_s)
        time.sleep(tick_s)
        return NOTHING

    def _beat(self) -> None:
        try:
            if self._watch.step():
                self._wake(EVERYTHING)
        except StoreUnavailable as error:
            self._outage.note(error)

    def _wake(self, news: News) -> None:
        # Nothing wakes whoever tidies up: that is no hurry, and to look after each delivery costs as much as the rest.
        if News.DELIVERIES in news:
            self._to_translate.set()
        if News.COMMANDS in news:
            self._to_dispatch.set()

    def _keep_doing(self, step: Callable[[], bool], due: threading.Event, writes: bool = True) -> None:
        """Make steps until the worker stops; between those that found nothing, wait for news or the next poll.

        ``writes`` tells whether a step that found nothing has shown that the store can be written.
        """
        failures = 0
        while not self._stopping:
            due.clear()  # before the step, so that what arrives during it is not missed
            try:
                busy = step()
            except StoreUnavailable as error:
                self._outage.note(error)
                failures += 1
            except Exception as error:
                log.error("stage_broke", exc_info=error)
                failures += 1
            else:
                if busy or writes:
                    self._outage.over()
                failures = 0
                if not busy and not self._stopping:
                    due.wait(self._settings.poll_s)
            if failures:
                pause(outage_pause_s(failures), self._is_stopping, self._sleep)
