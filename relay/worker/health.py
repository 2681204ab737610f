"""How each lane fares: failures in a row make it pause, ever longer; one answer makes it well again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from relay.store import LaneKey
from relay.worker.retry import Blame, blame, pause_s


@dataclass(slots=True)
class _Lane:
    strikes: int = 0
    failed: dict[int, int] = field(default_factory=dict)  # command id -> which failure was its last
    failures: int = 0
    troubled: bool = False
    struck_claim: int = 0  # the newest claim when the last pause was decided
    closed_claim: int = 0


class LaneHealth:
    """One worker's view of its lanes. Safe for threads; it is lost with the worker, the pauses are not."""

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, _Lane] = {}
        self._lock = threading.Lock()

    def note(self, lane: LaneKey, error: Exception | None, command_id: int, claim: int, newest: int) -> float | None:
        """Note how a call ended, by its first command; gives the seconds for which the lane has to pause, if it has.

        What may be the command's own fault counts once per command: one that is never taken must not stop the others.
        ``claim`` is the call's, ``newest`` the last one made: calls that were under way when the lane was made to pause
        fail for the same reason, and must not double the pause each.
        """
        whose = Blame.NOBODY if error is None else blame(error)
        with self._lock:
            state = self._lanes.setdefault(lane, _Lane())
            if error is None or whose is Blame.NOBODY:
                state.strikes, state.troubled = 0, False
                state.failed.clear()
                return None
            is_new = claim > state.struck_claim
            if is_new and (whose is Blame.LANE or (whose is Blame.EITHER and command_id not in state.failed)):
                state.strikes += 1
            state.failures += 1
            state.failed[command_id] = state.failures
            seconds = pause_s(error, state.strikes)
            if seconds is not None:
                state.troubled = True
                state.struck_claim = max(state.struck_claim, newest)
            return seconds

    def is_troubled(self, lane: LaneKey) -> bool:
        """Tell whether the lane has paused and not been answered since: then one call at a time has to do."""
        with self._lock:
            return lane in self._lanes and self._lanes[lane].troubled

    def last_failure(self, lane: LaneKey, command_id: int) -> int:
        """Tell which failure of the lane since its last answer was the command's last: the higher, the later."""
        with self._lock:
            return self._lanes[lane].failed.get(command_id, 0) if lane in self._lanes else 0

    def close(self, lane: LaneKey, claim: int) -> None:
        """Note that the lane's pause is stored: what was claimed up to this claim must not be sent any more."""
        with self._lock:
            state = self._lanes.setdefault(lane, _Lane())
            state.closed_claim = max(state.closed_claim, claim)

    def is_closed(self, lane: LaneKey, claim: int) -> bool:
        """Tell whether the lane has paused since this claim."""
        with self._lock:
            return lane in self._lanes and claim <= self._lanes[lane].closed_claim
