"""A clock for leases: the machine's, without its steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from relay.clock import Clock
from relay.log import get_logger

STEP_S = 2.0
"""A difference that no slewing makes between two looks: the machine's clock was set."""

log = get_logger(__name__)


class SteadyClock:
    """Follows another clock, but one that was set only after ``hold_s`` seconds. Safe for threads.

    Were a step forwards followed at once, the leases of calls under way would seem to have run out, and an event could
    be looked for before SALESmanago has taken it. Whoever holds as long as a lease knows that those calls are over.
    """

    def __init__(self, clock: Clock, hold_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hold_s = hold_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._told, self._told_at = clock.now(), monotonic()
        self._set_at: float | None = None

    def now(self) -> datetime:
        """Give the current time as an aware UTC datetime."""
        with self._lock:
            told, at = self._clock.now(), self._monotonic()
            steady = self._told + timedelta(seconds=at - self._told_at)
            step_s = (told - steady).total_seconds()
            if abs(step_s) > STEP_S:
                if self._set_at is None:
                    self._set_at = at
                    log.warning("clock_was_set", seconds=round(step_s, 1), followed_in_s=self._hold_s)
                if at - self._set_at < self._hold_s:
                    return steady
            self._told, self._told_at, self._set_at = told, at, None
            return told
