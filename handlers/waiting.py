"""Waiting for what the worker makes of a REST call: how long, how often to look, and how many may wait at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import TypeVar

T = TypeVar("T")

LONGEST_WAIT_S = 30.0
"""No caller is kept longer: proxies give up after a minute, and so does the store on what an Idempotency-Key names."""

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
_GROWTH = 1.5
_SHARE = 4


class Waiting:
    """Looks again and again until an answer is there, the time is up, or no place to wait is free."""

    def __init__(
        self,
        threads: int = 16,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let at most a quarter of a process's ``threads`` wait, so that the others can always store deliveries."""
        self._places = BoundedSemaphore(max(1, threads // _SHARE))
        self._sleep = sleep
        self._monotonic = monotonic

    def until(self, look: Callable[[], T], settled: Callable[[T], bool], wait_s: float) -> T:
        """Give what ``look`` saw once it was settled or ``wait_s`` were over; at once when all places are taken."""
        seen = look()
        if settled(seen) or wait_s <= 0 or not self._places.acquire(blocking=False):
            return seen
        try:
            return self._keep_looking(look, settled, self._monotonic() + wait_s, seen)
        finally:
            self._places.release()

    def _keep_looking(self, look: Callable[[], T], settled: Callable[[T], bool], end: float, seen: T) -> T:
        pause = _FIRST_PAUSE_S
        while not settled(seen) and (left := end - self._monotonic()) > 0:
            self._sleep(min(pause, left))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_S)
            seen = look()
        return seen


def wait_of(prefer: str | None, default_s: float) -> float:
    """Give the seconds a caller is willing to wait, from its Prefer headers (RFC 7240).

    ``wait=N`` says so, ``respond-async`` alone means not at all; what cannot be read is as if it were not there.
    """
    preferences = [item.partition(";")[0].strip().lower() for item in (prefer or "").split(",")]
    for preference in preferences:
        name, _, value = preference.partition("=")
        seconds = value.strip().strip('"')
        if name.strip() == "wait" and seconds.isascii() and seconds.isdigit():
            return min(float(seconds[:6]), LONGEST_WAIT_S)
    return 0.0 if "respond-async" in preferences else min(default_s, LONGEST_WAIT_S)
