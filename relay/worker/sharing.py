"""How many calls of a lane one worker makes side by side, so that all workers and hosts together stay within a bound.

The workers that send share the bound evenly, and each knows from the beats, which it reads every second anyway, how
many there are: a call costs no statement. The others learn of a newcomer with their next beat, or are taken for dead;
until that is certain it makes one call at a time, for which some places are kept free.
"""

from __future__ import annotations

from relay.worker.crew import CALLS_PER_LANE

MOST_CALLS = 32
"""Calls that a lane of a group makes side by side, all workers together."""

FOR_NEWCOMERS = 4
"""Of these are kept free: so many workers may begin within the same seconds."""


class Share:
    """One worker's share of each lane. Only one thread may use it."""

    def __init__(self, settled_after_s: float, blind_after_s: float) -> None:
        """Take how long everybody else needs to notice a newcomer, and after which silence a worker is one again."""
        self._settled_after_s = settled_after_s
        self._blind_after_s = blind_after_s
        self._since: float | None = None
        self._looked_at = 0.0

    def note(self, others: int, at: float) -> int:
        """Note how many others send, by the beats read at ``at``; gives the calls that may be made at a time."""
        if self._since is None or at - self._looked_at > self._blind_after_s:
            # Nobody is there who would have to make room; who comes later makes way itself.
            self._since = at if others else at - self._settled_after_s
        self._looked_at = at
        if at - self._since < self._settled_after_s:
            return 1
        return max(1, min(CALLS_PER_LANE, (MOST_CALLS - FOR_NEWCOMERS) // (others + 1)))
