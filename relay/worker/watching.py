"""Signs of life: a worker beats, watches the beats of the others, and takes over the work of those that stopped.

Clocks of two hosts are never compared: a beat counts only as changed or not, over a span of the watcher's own time.
Of a worker on the same machine its locked file tells more, and sooner.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from relay.clock import Clock
from relay.log import get_logger
from relay.metrics import WORKERS_LOST
from relay.store import Store
from relay.worker.presence import Presence

DEAD_AFTER_S = 5.0
"""A worker whose beat has not changed for that long is presumed dead. Should it live, its lease tokens tell it."""

BLIND_S = 2.5
"""Between two looks: after more, it was the watcher that stood still, or the store that was away."""

_STEP_S = 5.0  # by which the clock must have been put back to matter
_AHEAD = timedelta(minutes=1)  # of the clock: hosts that share a store need not agree to the second

log = get_logger(__name__)


class Watch:
    """What one worker sees of the others and of its own clock. Only one thread may use it."""

    def __init__(
        self,
        store: Store,
        name: str,
        presence: Presence,
        clock: Clock,
        hold_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        on_others: Callable[[Collection[str], float], object] = lambda others, at: None,
    ) -> None:
        """Take the worker's name, and how long its leases go on by the clock of before when that was put back.

        ``on_others`` is told after each look which others live, and when that was by ``monotonic``.
        """
        self._on_others = on_others
        self._store = store
        self._name = name
        self._presence = presence
        self._clock = clock
        self._hold_s = hold_s
        self._monotonic = monotonic
        self._beats: dict[str, tuple[datetime, float]] = {}  # the last beat of each, and since when it is that
        self._looked_at: float | None = None
        self._told: datetime | None = None
        self._catch_up_at: list[float] = []

    def step(self) -> bool:
        """Beat and look; tells whether work became due. Raises: StoreUnavailable."""
        now = self._clock.now()
        beats = self._store.workers.beat(self._name, now)
        at = self._monotonic()
        self._note_clock(now, at)
        dead = {*self._silent(beats, at), *filter(self._presence.is_gone, beats)}
        self._looked_at, self._told = at, now
        self._on_others(beats.keys() - dead, at)
        taken_over = [self._take_over(worker, beats[worker], now) for worker in sorted(dead)]
        return self._catch_up(now, at) or any(taken_over)

    def _silent(self, beats: dict[str, datetime], at: float) -> list[str]:
        """Give the workers whose beat has not changed for long enough."""
        if self._looked_at is None or at - self._looked_at > BLIND_S:
            self._beats.clear()
        before, self._beats = self._beats, {}
        for worker, beat in beats.items():
            known = before.get(worker)
            self._beats[worker] = known if known is not None and known[0] == beat else (beat, at)
        return [worker for worker, (_, since) in self._beats.items() if at - since >= DEAD_AFTER_S]

    def _take_over(self, worker: str, beat: datetime, now: datetime) -> bool:
        released = self._store.workers.take_over(worker, beat, now)
        if released is None:
            return False
        self._presence.forget(worker)
        WORKERS_LOST.inc()
        log.warning(
            "worker_presumed_dead",
            worker=worker,
            deliveries=released.deliveries,
            commands=released.commands,
            events_under_way=released.under_way,
        )
        return True

    def _note_clock(self, now: datetime, at: float) -> None:
        if self._looked_at is None or self._told is None:
            newest = self._store.retention.newest()
            was_set_back = newest is not None and newest > now + _AHEAD
        else:
            was_set_back = (now - self._told).total_seconds() - (at - self._looked_at) < -_STEP_S
        if was_set_back:
            # Once more when the leases are told by the new time too: until then the old one is still written.
            self._catch_up_at = [at, at + self._hold_s + BLIND_S]

    def _catch_up(self, now: datetime, at: float) -> bool:
        if not self._catch_up_at or at < self._catch_up_at[0]:
            return False
        self._store.workers.catch_up(now)
        self._catch_up_at.pop(0)
        log.warning("clock_was_put_back")
        return True
