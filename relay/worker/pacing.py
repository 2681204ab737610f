"""The pace of a group: one call after the other at even distances, however many workers and hosts send."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from relay.clock import Clock
from relay.shops import Group
from relay.store.lanes import LaneStore

_SLICE_S = 0.25  # how soon a sleeper notices that it shall stop


def pause(seconds: float, stopped: Callable[[], bool], sleep: Callable[[float], object] = time.sleep) -> None:
    """Sleep for ``seconds``, or less when ``stopped`` says so meanwhile."""
    left = seconds
    while left > 0 and not stopped():
        sleep(min(left, _SLICE_S))
        left -= _SLICE_S


class Pacer:
    """Waits for the moments at which a group may send."""

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

    def wait(self, group: Group, latest: datetime) -> datetime | None:
        """Wait for the group's next turn and take it; None once it has come.

        A turn after ``latest`` is neither taken nor waited for: then its moment is given, at which to ask again.
        Returns early, as if the turn had come, when the worker stops.

        Raises: StoreUnavailable.
        """
        if group.requests_per_minute is None:
            return None
        now = self._clock.now()
        turn = self._lanes.take_turn(group.key, 60 / group.requests_per_minute, now, latest)
        if turn > latest:
            return turn
        pause((turn - now).total_seconds(), self._stopped, self._sleep)
        return None
