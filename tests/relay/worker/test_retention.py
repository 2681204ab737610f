from __future__ import annotations

from datetime import datetime, timedelta

from relay.clock import ManualClock
from relay.worker.retention import RetentionStage
from tests.support.stored import NOW


class Slices:
    """Stands for a store with so many slices of old rows; ``retention`` is itself."""

    def __init__(self, slices: int) -> None:
        self.left = slices
        self.asked: list[datetime] = []

    @property
    def retention(self) -> Slices:
        return self

    def prune(self, before: datetime) -> int:
        self.asked.append(before)
        self.left -= 1
        return 500 if self.left >= 0 else 0


def test_it_prunes_slice_by_slice_then_rests_for_a_day():
    store, clock = Slices(2), ManualClock(NOW)
    stage = RetentionStage(store, clock, keep_days=730)  # type: ignore[arg-type]  # all of a store it uses
    assert [stage.step() for _ in range(5)] == [True, True, False, False, False]
    assert store.asked == [NOW - timedelta(days=730)] * 3
    clock.advance(24 * 3600)
    assert stage.step() is False
    assert len(store.asked) == 4
