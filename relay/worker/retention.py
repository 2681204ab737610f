"""The retention stage: once a day, what has been through for long enough leaves the store."""

from __future__ import annotations

from datetime import datetime, timedelta

from relay.clock import Clock
from relay.log import get_logger
from relay.store import Store

EVERY = timedelta(days=1)

log = get_logger(__name__)


class RetentionStage:
    """Prunes slice by slice until nothing old is left, then rests for a day."""

    def __init__(self, store: Store, clock: Clock, keep_days: int) -> None:
        self._retention = store.retention
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._next_at: datetime | None = None

    def step(self) -> bool:
        """Prune a slice; False when nothing is old enough. Raises: StoreUnavailable."""
        now = self._clock.now()
        if self._next_at is not None and now < self._next_at:
            return False
        pruned = self._retention.prune(now - self._keep)
        if pruned:
            log.info("old_rows_pruned", count=pruned)
            return True
        self._next_at = now + EVERY
        return False
