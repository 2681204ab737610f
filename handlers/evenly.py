"""How web processes share connections: each says how many it has, and those that have more leave new ones to others.

Without that the process that happened to be awake took all connections of a burst, while another stood idle.
"""

from __future__ import annotations

import mmap

MARGIN = 8
"""How many connections more than the process with the fewest one may have and still take new ones."""

FAR_MORE = 12
"""With more than that, one lets go of those that are answered, and who called comes again to another process."""

_NOBODY = 0xFFFF
_TAKES_NONE = 0xFFFE


class Shares:
    """Numbers that forked processes see: how many connections each has. Made, and its places given, before the fork."""

    def __init__(self, places: int) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 2 * places)).cast("H")
        for place in range(places):
            self._numbers[place] = _NOBODY

    def join(self) -> int | None:
        """Give a place to a process that is about to start; None when there is none left, then it takes what comes."""
        free = (place for place, number in enumerate(self._numbers) if number == _NOBODY)
        place = next(free, None)
        if place is not None:
            self.stand_back(place)
        return place

    def stand_back(self, place: int | None) -> None:
        """Say of a process that it takes no connections, so that nobody leaves any to it: not yet, or no longer."""
        if place is not None:
            self._numbers[place] = _TAKES_NONE

    def leave(self, place: int | None) -> None:
        """Give back the place of a process that has ended."""
        if place is not None:
            self._numbers[place] = _NOBODY

    def may_take(self, place: int | None, connections: int) -> bool:
        """Tell the others how many connections a process has; gives whether it may take another."""
        if place is None:
            return True
        self._numbers[place] = min(connections, _TAKES_NONE)
        return connections <= min(self._numbers) + MARGIN

    def has_far_more(self, place: int | None, connections: int) -> bool:
        """Tell whether a process has so many more than others that some should go there: nobody knew when they came."""
        return place is not None and connections > min(self._numbers) + FAR_MORE
