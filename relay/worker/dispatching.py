"""The dispatch stage: due commands are claimed, planned, paced, begun, sent and settled; lanes in trouble pause.

One attempt is one call: its row is committed before the call under a lease that outlasts it, its outcome after it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from relay.clock import Clock
from relay.commands import Lane, Outcome, StoredCommand, Verdict
from relay.errors import CredentialsRefused, StoreUnavailable
from relay.log import get_logger
from relay.shops import Directory
from relay.store import LaneKey, Store
from relay.worker.batching import Chain, chains
from relay.worker.coalescing import Call
from relay.worker.concluding import Conclusions
from relay.worker.crew import CALLS_PER_LANE, Crew
from relay.worker.health import LaneHealth
from relay.worker.learning import Learnt
from relay.worker.outage import Outage
from relay.worker.pacing import Pacer
from relay.worker.sending import Report, Sender
from relay.worker.slowing import Slowing, kind_of

CLAIM_LIMIT = 100
"""One call's worth of products; of people, what the threads of a lane send within seconds."""

_CLAIMED_PER_CALL = 4
_MARGIN_S = 2.0  # of a lease, for what has to be written before the call
_STALE_S = 2.5  # a worker that stood still for this long may be taken for dead, and its work be another's by now

NOT_CONFIGURED = "Group {} is not configured here: add it to the configuration and restart the worker, or drop this."

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A chain in the worker's hands: the number of its claim, and when its lease ends."""

    chain: Chain
    claim: int
    until: datetime


class DispatchStage:
    """Keeps the crew supplied with chains of calls. Only one thread may call ``step``."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        sender: Sender,
        pacer: Pacer,
        crew: Crew[Claimed],
        clock: Clock,
        lease_s: float,
        outage: Outage,
        stopped: Callable[[], bool],
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        holder: str = "",
    ) -> None:
        self._monotonic = monotonic
        self._holder = holder
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
        self._slowing = Slowing(CALLS_PER_LANE, monotonic)
        self._strange: set[LaneKey] = set()  # lanes of groups that are not configured
        self._claims = 0

    def step(self) -> bool:
        """Claim what is due and give it to the crew; False when nothing was, or no lane has room.

        Raises: StoreUnavailable.
        """
        self._claims += 1
        now = self._clock.now()
        claimed = self._store.commands.claim(
            now, self._lease_s, CLAIM_LIMIT, self._without_room(), self._holder, most=self._most()
        )
        until = now + timedelta(seconds=self._lease_s)
        for lane, mine in chains(claimed).items():
            if lane.group in self._directory.groups:
                self._hand_over(lane, [Claimed(chain, self._claims, until) for chain in mine])
            else:
                self._leave(lane, mine)
        return bool(claimed)

    def _most(self) -> dict[LaneKey, int]:
        """Give how many subjects to claim of lanes with a pace: a second's worth, or fresh ones would wait for more.

        Of lanes that make fewer calls at a time fewer are claimed too, or their leases would run out here.
        """
        most = {
            LaneKey(group.key, Lane.CONTACTS): max(CALLS_PER_LANE, round(group.requests_per_minute / 60))
            for group in self._directory.groups.values()
            if group.requests_per_minute
        }
        for lane, width in self._slowing.narrowed().items():
            if lane.lane is Lane.CONTACTS:  # products share calls
                most[lane] = min(most.get(lane, CLAIM_LIMIT), width * _CLAIMED_PER_CALL)
        return most

    def _without_room(self) -> set[LaneKey]:
        probing = {lane for lane in self._crew.busy() if self._health.is_troubled(lane)}
        # Only where nothing holds the calls up are the next ones claimed before a thread is idle.
        narrowed = self._slowing.narrowed()
        held_up = {lane for lane in self._crew.full() if lane in narrowed or self._has_pace(lane)}
        return self._crew.stocked() | held_up | probing | self._strange

    def _has_pace(self, lane: LaneKey) -> bool:
        return self._directory.groups[lane.group].requests_per_minute is not None

    def _hand_over(self, lane: LaneKey, mine: list[Claimed]) -> None:
        left = [command for each in mine for command in each.chain.left]
        mine = [each for each in mine if each.chain.calls]
        if self._health.is_troubled(lane):
            # One call shows whether the trouble is over; the others need not find out too. It is another one each
            # time: the trouble may be that of some commands only, such as those of one of the group's catalogues.
            mine = sorted(mine, key=self._last_failure)
            left += [command for each in mine[1:] for command in each.chain.commands]
            mine = mine[:1]
        self._crew.add(lane, mine, self._work)
        self._release(left)

    def _last_failure(self, claimed: Claimed) -> int:
        return self._health.last_failure(claimed.chain.lane, claimed.chain.commands[0].id)

    def _leave(self, lane: LaneKey, mine: list[Chain]) -> None:
        """Leave commands of an unknown group where they are; the configuration is as it is until the next start."""
        if not any(known.group == lane.group for known in self._strange):
            log.error("group_not_configured", group=lane.group)
        self._strange.add(lane)
        every = [command for chain in mine for command in (*chain.commands, *chain.left)]
        self._release(every, NOT_CONFIGURED.format(lane.group))

    def _work(self, jobs: Iterator[Claimed]) -> None:
        """Do the crew's jobs in one thread; what goes wrong here is taken over when the lease has run out."""
        ends = Conclusions(self._store, self._clock, self._outage, self._sleep)
        for claimed in jobs:
            self._guarded(claimed, partial(self._follow, claimed, ends))
            last = claimed
        self._guarded(last, ends.write)

    def _guarded(self, claimed: Claimed, work: Callable[[], object]) -> None:
        try:
            work()
        except StoreUnavailable as error:
            self._outage.note(error)
            log.warning("attempt_cut_short", commands=[command.id for command in claimed.chain.commands])
        except Exception as error:
            log.error("dispatch_broke", commands=[command.id for command in claimed.chain.commands], exc_info=error)

    def _follow(self, claimed: Claimed, ends: Conclusions) -> None:
        """Make the calls of a chain, as far as each goes well."""
        left = list(claimed.chain.calls)
        learnt = Learnt()
        while left:
            call = learnt.told_to(left.pop(0))
            report = self._attempt(claimed, call, ends)
            if report is None or not learnt.from_report(report):
                break
        self._release([command for call in left for command in call.commands])

    def _attempt(self, claimed: Claimed, call: Call, ends: Conclusions) -> Report | None:
        """Make a call, if its turn has come and its commands are still ours; None when it was not made."""
        group = self._directory.groups[claimed.chain.lane.group]
        is_off = self._is_off(claimed)
        if is_off or self._has_pace(claimed.chain.lane):
            ends.write()  # the next call is not to begin at once
        if is_off:
            self._release(call.commands)
            return None
        turn = self._pacer.book(group, claimed.until - timedelta(seconds=_MARGIN_S))
        if turn.put_off or self._is_off(claimed):
            self._release(call.commands, due_at=turn.at if turn.put_off else None)
            return None
        before = self._monotonic()
        begun = ends.begin(call.commands, self._lease_s)
        met = self._pacer.meet(group, turn)
        waited_in_vain = met.put_off or (met.at is not None and self._is_off(claimed))
        if waited_in_vain or self._monotonic() - before > _STALE_S:
            self._release(call.commands, due_at=met.at if met.put_off else None)
            return None
        sent, said = ([each for each in some if each.id in begun] for some in (call.sent, call.said))
        if not sent:
            return None
        report = self._sender.send(group, sent, said)
        if report.seconds is not None:
            self._note_health(claimed, report, ends)
        ends.end(report)
        return report

    def _is_off(self, claimed: Claimed) -> bool:
        return self._stopped() or self._health.is_closed(claimed.chain.lane, claimed.claim)

    def _release(
        self, commands: Sequence[StoredCommand], why: str | None = None, due_at: datetime | None = None
    ) -> None:
        """Put back what was not begun, to its old place before those that were tried: each of these waits its turn."""
        outcomes = [Outcome(each, Verdict.RELEASED, why, due_at=due_at or each.created_at) for each in commands]
        if outcomes:
            self._store.commands.settle(outcomes, self._clock.now())

    def _note_health(self, claimed: Claimed, report: Report, ends: Conclusions) -> None:
        lane = claimed.chain.lane
        self._crew.allow(lane, self._slowing.note(lane, kind_of(report), report.seconds or 0.0, report.error))
        seconds = self._health.note(lane, report.error, report.outcomes[0].command.id, claimed.claim, self._claims)
        if seconds is None:
            return
        # Stored before anything is released, or it would be claimed again at once.
        reason = report.outcomes[0].message or ""
        ends.patiently(partial(self._hold, lane, seconds, reason))
        self._health.close(lane, self._claims)
        level = logging.ERROR if isinstance(report.error, CredentialsRefused) else logging.WARNING
        log.log(level, "lane_paused", group=lane.group, lane=lane.lane.value, seconds=seconds, reason=reason)

    def _hold(self, lane: LaneKey, seconds: float, reason: str) -> None:
        now = self._clock.now()
        self._store.lanes.hold(lane.group, lane.lane, now + timedelta(seconds=seconds), reason, now)
