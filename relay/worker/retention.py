"""The retention stage: once a day, what has been through for long enough leaves the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from relay.clock import Clock
from relay.log import get_logger
from relay.store import Store

EVERY = timedelta(days=1)

TRUST_AFTER_S = 3600.0
"""How long a clock has to run evenly before it is trusted again: one that was wrong is put right within minutes."""

_STEP_S = 3600.0  # a difference to the store, or between two looks, that makes the clock doubtful

log = get_logger(__name__)


class RetentionStage:
    """Prunes slice by slice until nothing old is left, then rests for a day.

    A clock that runs years ahead would take everything away, so nothing is pruned by one that was just set, or that at
    the start of the worker tells a day nothing was received on, until it has run evenly for an hour.
    """

    def __init__(
        self, store: Store, clock: Clock, keep_days: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._retention = store.retention
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._monotonic = monotonic
        self._next_at: datetime | None = None
        self._after = 0
        self._looked: tuple[datetime, float] | None = None
        self._trusted_at = 0.0

    def step(self) -> bool:
        """Prune a slice; False when nothing is old enough. Raises: StoreUnavailable."""
        now, at = self._clock.now(), self._monotonic()
        self._judge_clock(now, at)
        # A rest that was told by a clock that ran ahead is none.
        resting = self._next_at is not None and now < self._next_at <= now + EVERY
        if resting or at < self._trusted_at:
            return False
        pruned = self._retention.prune(now - self._keep, self._after)
        if pruned.count:
            log.info("old_rows_pruned", count=pruned.count)
        if pruned.is_last:
            self._next_at, self._after = now + EVERY, 0
        else:
            self._after = pruned.after
        return not pruned.is_last

    def _judge_clock(self, now: datetime, at: float) -> None:
        if self._looked is None:
            newest = self._retention.newest()
            doubtful = newest is not None and abs(now - newest) > EVERY
        else:
            told, looked_at = self._looked
            doubtful = abs((now - told).total_seconds() - (at - looked_at)) > _STEP_S
        self._looked = (now, at)
        if doubtful:
            self._trusted_at = at + TRUST_AFTER_S
            log.warning("pruning_put_off", seconds=TRUST_AFTER_S, problem="The clock may be wrong.")
