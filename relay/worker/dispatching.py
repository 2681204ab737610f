"""The dispatch stage: due commands are claimed, batched, paced, begun, sent and settled; lanes in trouble pause.

One attempt is one call: its row is committed before the call under a lease that outlasts it, its outcome after it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from relay.clock import Clock
from relay.commands import Outcome, StoredCommand, Verdict
from relay.errors import CredentialsRefused, StoreUnavailable
from relay.log import get_logger
from relay.shops import Directory
from relay.store import LaneKey, Store
from relay.worker.batching import Batch, batches
from relay.worker.crew import Crew
from relay.worker.health import LaneHealth
from relay.worker.outage import Outage
from relay.worker.pacing import Pacer
from relay.worker.sending import Report, Sender
from relay.worker.telling import tell

CLAIM_LIMIT = 100
"""One call's worth of products; of other commands, what the threads of a lane send within seconds."""

_MARGIN_S = 2.0  # of a lease, for what has to be written before the call
_SETTLE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

NOT_CONFIGURED = "Group {} is not configured here: add it to the configuration and restart the worker, or drop this."

T = TypeVar("T")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A batch in the worker's hands: the number of its claim, and when its lease ends."""

    batch: Batch
    claim: int
    until: datetime


class DispatchStage:
    """Keeps the crew supplied with batches. Only one thread may call ``step``."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        sender: Sender,
        pacer: Pacer,
        crew: Crew,
        clock: Clock,
        lease_s: float,
        outage: Outage,
        stopped: Callable[[], bool],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._directory = directory
        self._sender = sender
        self._pacer = pacer
        self._crew = crew
        self._clock = clock
        self._lease_s = lease_s
        self._outage = outage
        self._stopped = stopped
        self._sleep = sleep
        self._health = LaneHealth()
        self._strange: set[LaneKey] = set()  # lanes of groups that are not configured
        self._claims = 0

    def step(self) -> bool:
        """Claim what is due and give it to the crew; False when nothing was, or no lane has room.

        Raises: StoreUnavailable.
        """
        self._claims += 1
        now = self._clock.now()
        claimed = self._store.commands.claim(now, self._lease_s, CLAIM_LIMIT, self._without_room())
        until = now + timedelta(seconds=self._lease_s)
        for lane, calls in batches(claimed).items():
            if lane.group in self._directory.groups:
                self._hand_over(lane, [Claimed(batch, self._claims, until) for batch in calls])
            else:
                self._leave(lane, calls)
        return bool(claimed)

    def _without_room(self) -> set[LaneKey]:
        probing = {lane for lane in self._crew.busy() if self._health.is_troubled(lane)}
        return self._crew.full() | probing | self._strange

    def _hand_over(self, lane: LaneKey, calls: list[Claimed]) -> None:
        held_back: list[Claimed] = []
        if self._health.is_troubled(lane):
            # One call shows whether the trouble is over; the others need not find out too. It is another one each
            # time: the trouble may be that of some commands only, such as those of one of the group's catalogues.
            calls = sorted(calls, key=self._last_failure)
            calls, held_back = calls[:1], calls[1:]
        self._crew.add(lane, [partial(self._work, each) for each in calls])
        self._release([command for each in held_back for command in each.batch.commands])

    def _last_failure(self, claimed: Claimed) -> int:
        return self._health.last_failure(claimed.batch.lane, claimed.batch.commands[0].id)

    def _leave(self, lane: LaneKey, calls: list[Batch]) -> None:
        """Leave commands of an unknown group where they are; the configuration is as it is until the next start."""
        if not any(known.group == lane.group for known in self._strange):
            log.error("group_not_configured", group=lane.group)
        self._strange.add(lane)
        self._release([command for each in calls for command in each.commands], NOT_CONFIGURED.format(lane.group))

    def _work(self, claimed: Claimed) -> None:
        """Do the crew's job; what goes wrong here is taken over when the lease has run out."""
        ids = [command.id for command in claimed.batch.commands]
        try:
            self._attempt(claimed)
        except StoreUnavailable as error:
            self._outage.note(error)
            log.warning("attempt_cut_short", commands=ids)
        except Exception as error:
            log.error("dispatch_broke", commands=ids, exc_info=error)

    def _attempt(self, claimed: Claimed) -> None:
        commands = claimed.batch.commands
        group = self._directory.groups[claimed.batch.lane.group]
        if self._is_off(claimed):
            self._release(commands)
            return
        turn = self._pacer.wait(group, claimed.until - timedelta(seconds=_MARGIN_S))
        if turn is not None or self._is_off(claimed):
            self._release(commands, due_at=turn)
            return
        begun = self._store.commands.begin(commands, self._clock.now(), self._lease_s)
        if begun:
            self._conclude(claimed.batch.lane, self._sender.send(group, begun))

    def _is_off(self, claimed: Claimed) -> bool:
        return self._stopped() or self._health.is_closed(claimed.batch.lane, claimed.claim)

    def _release(
        self, commands: Sequence[StoredCommand], why: str | None = None, due_at: datetime | None = None
    ) -> None:
        """Put back what was not begun, to its old place before those that were tried: each of these waits its turn."""
        outcomes = [Outcome(each, Verdict.RELEASED, why, due_at=due_at or each.created_at) for each in commands]
        if outcomes:
            self._store.commands.settle(outcomes, self._clock.now())

    def _conclude(self, lane: LaneKey, report: Report) -> None:
        if report.seconds is not None:
            self._note_health(lane, report)
        settled = self._patiently(partial(self._settle, report.outcomes))
        if settled == len(report.outcomes):
            tell(report)
        else:  # another worker has taken over, and will tell
            log.warning("outcome_came_too_late", commands=[outcome.command.id for outcome in report.outcomes])

    def _settle(self, outcomes: Sequence[Outcome]) -> int:
        return self._store.commands.settle(outcomes, self._clock.now())

    def _note_health(self, lane: LaneKey, report: Report) -> None:
        seconds = self._health.note(lane, report.error, report.outcomes[0].command.id)
        if seconds is None:
            return
        # Stored before anything is released, or it would be claimed again at once.
        reason = report.outcomes[0].message or ""
        self._patiently(partial(self._hold, lane, seconds, reason))
        self._health.close(lane, self._claims)
        level = logging.ERROR if isinstance(report.error, CredentialsRefused) else logging.WARNING
        log.log(level, "lane_paused", group=lane.group, lane=lane.lane.value, seconds=seconds, reason=reason)

    def _hold(self, lane: LaneKey, seconds: float, reason: str) -> None:
        now = self._clock.now()
        self._store.lanes.hold(lane.group, lane.lane, now + timedelta(seconds=seconds), reason, now)

    def _patiently(self, write: Callable[[], T]) -> T:
        """Write what came of a call, again and again if need be: nobody else knows it."""
        for pause_s in _SETTLE_PAUSES_S:
            try:
                return write()
            except StoreUnavailable as error:
                self._outage.note(error)
                self._sleep(pause_s)
        return write()
