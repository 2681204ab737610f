"""The pace of a group: one call after the other at even distances, however many workers and hosts send.

What makes it hold in any window is not that turns are evenly spaced, but that a call reaches SALESmanago close to its
turn. A turn is therefore booked first, the attempt is written while it is still to come, and the last thing before
the call is to wait for it (``meet``). Whoever comes later than the tolerance has lost the turn: used late, it would
bring two calls close together. Another is taken instead.

So a call arrives between its turn and SPREAD_S after it, and the calls of any 60 seconds have their turns within
60 + SPREAD_S seconds. That is the time over which the calls of a minute are spread, so there are never more of them in
any 60 seconds than the group allows. As long as they arrive within one distance of their turns, there is in any
shorter window at most one more than its share. The tolerance is a quarter of one; the rest is for the road.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from relay.clock import Clock
from relay.shops import Group
from relay.store.lanes import LaneStore

SPREAD_S = 1.0
"""How long after its turn a call may arrive: tolerance, road, and what the clocks of hosts differ. Costs 1.6 %."""

EARLY_S = 0.5
"""How long before its turn a call is begun, or longer where commits are slow."""

_EARLIEST_S = 1.5
_TOLERANCE_S = (0.02, 0.5)  # the least, since no thread wakes on the dot; the most, so that SPREAD_S has room for more
_SECOND_TURN_S = 1.0  # how far the next turn may be for a call that has begun and lost its own
_FORGETTING = 0.98
_SLICE_S = 0.25  # how soon a sleeper notices that it shall stop


@dataclass(frozen=True, slots=True)
class Turn:
    """When a call may be sent: at once when ``at`` is None. One that is ``put_off`` was left for whoever asks then."""

    at: datetime | None = None
    put_off: bool = False
    woken_at: datetime | None = None  # when ``book`` gave it


def pause(seconds: float, stopped: Callable[[], bool], sleep: Callable[[float], object] = time.sleep) -> None:
    """Sleep for ``seconds``, or less when ``stopped`` says so meanwhile."""
    left = seconds
    while left > 0 and not stopped():
        sleep(min(left, _SLICE_S))
        left -= _SLICE_S


def distance_s(group: Group) -> float | None:
    """Give the seconds between two turns of a group, None for one without a pace."""
    return None if group.requests_per_minute is None else (60 + SPREAD_S) / group.requests_per_minute


class Pacer:
    """Waits for the moments at which a group may send. Safe for threads."""

    def __init__(
        self,
        lanes: LaneStore,
        clock: Clock,
        stopped: Callable[[], bool],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._lanes = lanes
        self._clock = clock
        self._stopped = stopped
        self._sleep = sleep
        self._beginning_s = 0.0  # what the slowest of the last attempts took to be written

    def book(self, group: Group, latest: datetime) -> Turn:
        """Take the group's next turn, and wait until shortly before it: time to write that an attempt begins.

        A turn after ``latest`` is neither taken nor waited for, but put off. Returns early when the worker stops.

        Raises: StoreUnavailable.
        """
        distance = distance_s(group)
        if distance is None:
            return Turn()
        # Even when nobody is before it, a call cannot be sent sooner than it is begun.
        turn = self._take(group, distance, self._clock.now() + timedelta(seconds=self._beginning_s), latest)
        if not turn.put_off:
            self._sleep_until(turn, max(EARLY_S, 1.25 * self._beginning_s))
        return replace(turn, woken_at=self._clock.now())

    def meet(self, group: Group, turn: Turn) -> Turn:
        """Wait for the moment of a turn that ``book`` gave, as the last thing before the call.

        Gives the turn that has come, or one that is put off: then the call must not be made. Returns early when the
        worker stops, which the caller has to look for.

        Raises: StoreUnavailable.
        """
        distance = distance_s(group)
        if distance is None or turn.woken_at is None:
            return turn
        took_s = (self._clock.now() - turn.woken_at).total_seconds()
        self._beginning_s = min(max(took_s, self._beginning_s * _FORGETTING), _EARLIEST_S)
        while not turn.put_off:
            if self._left(turn) <= _SECOND_TURN_S:  # else the clock was put back
                self._sleep_until(turn)
                if self._stopped() or not self._is_late(turn, distance):
                    break
            now = self._clock.now()
            turn = self._take(group, distance, now, now + timedelta(seconds=_SECOND_TURN_S))
        return turn

    def _take(self, group: Group, distance: float, earliest: datetime, latest: datetime) -> Turn:
        at = self._lanes.take_turn(group.key, distance, earliest, latest)
        return Turn(at, put_off=at > latest)

    def _sleep_until(self, turn: Turn, before_s: float = 0.0) -> None:
        """Sleep until so long before the turn, by the clock: the ends of many short sleeps add up."""
        longest = left = self._left(turn) - before_s
        while left > 0 and not self._stopped():
            self._sleep(min(left, _SLICE_S))
            longest -= _SLICE_S  # of a clock that is put back meanwhile nobody waits for the old time
            left = min(longest, self._left(turn) - before_s)

    def _is_late(self, turn: Turn, distance: float) -> bool:
        least, most = _TOLERANCE_S
        tolerance = min(max(distance / 4, least), most)
        return abs(self._left(turn)) > tolerance

    def _left(self, turn: Turn) -> float:
        return 0.0 if turn.at is None else (turn.at - self._clock.now()).total_seconds()
