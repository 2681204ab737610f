from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from relay.clock import ManualClock
from relay.store.retention import Pruned
from relay.worker.retention import TRUST_AFTER_S, RetentionStage
from tests.support.stored import NOW

DAY_S = 24 * 3600.0
KEEP = timedelta(days=730)


class Slices:
    """Stands for a store with so many slices of old rows; ``retention`` is itself."""

    def __init__(self, slices: int, newest: datetime | None = NOW) -> None:
        self.left = slices
        self.last = newest
        self.asked: list[datetime] = []
        self.places: list[int] = []

    @property
    def retention(self) -> Slices:
        return self

    def newest(self) -> datetime | None:
        return self.last

    def prune(self, before: datetime, after: int) -> Pruned:
        self.asked.append(before)
        self.places.append(after)
        self.left -= 1
        return Pruned(7 * (self.left >= 0), after + 500, is_last=self.left < 0)


class Machine:
    """A worker's retention on a machine whose clock can be set."""

    def __init__(self, store: Slices, at: datetime = NOW) -> None:
        self.store = store
        self.clock = ManualClock(at)
        self.passed = 0.0
        self.stage = RetentionStage(store, self.clock, 730, lambda: self.passed)  # type: ignore[arg-type]  # all it uses

    def live(self, seconds: float = 1.0) -> bool:
        self.passed += seconds
        self.clock.advance(seconds)
        return self.stage.step()


def test_it_prunes_slice_by_slice_then_rests_for_a_day():
    machine = Machine(Slices(2))
    with capture_logs() as logs:
        assert [machine.live(0) for _ in range(5)] == [True, True, False, False, False]
    assert [(line["event"], line["count"]) for line in logs] == [("old_rows_pruned", 7)] * 2
    assert machine.store.asked == [NOW - KEEP] * 3
    assert machine.live(DAY_S) is False
    assert machine.store.places == [0, 500, 1000, 0]


def test_store_without_deliveries_says_nothing_against_the_clock():
    machine = Machine(Slices(1, newest=None))
    assert machine.live()


@pytest.mark.parametrize("years", [3, -3])
def test_clock_that_is_set_by_years_prunes_nothing_before_it_has_run_evenly(years: int):
    machine = Machine(Slices(0))
    machine.live()
    machine.store.left = 1
    machine.clock.advance(years * 365 * DAY_S)
    with capture_logs() as logs:
        assert not any(machine.live(60) for _ in range(59))
    assert len(machine.store.asked) == 1
    assert [line["event"] for line in logs] == ["pruning_put_off"]
    assert machine.live(120)
    assert machine.store.asked[1] == machine.clock.now() - KEEP


def test_clock_that_is_put_right_in_time_has_pruned_nothing_it_should_not():
    machine = Machine(Slices(0))
    machine.live()
    machine.clock.advance(3 * 365 * DAY_S)
    machine.live(TRUST_AFTER_S / 2)
    machine.clock.advance(-3 * 365 * DAY_S)
    machine.live(TRUST_AFTER_S / 2)
    machine.live(DAY_S)
    assert max(machine.store.asked) <= machine.clock.now() - KEEP


def test_worker_that_starts_with_a_clock_the_store_disagrees_with_waits_too():
    machine = Machine(Slices(1, newest=NOW - timedelta(days=900)))
    assert not machine.live()
    assert not machine.live(TRUST_AFTER_S - 1)
    assert machine.store.asked == []
    assert machine.live()


def test_rest_that_was_told_by_a_clock_that_ran_ahead_is_none():
    machine = Machine(Slices(0), at=NOW + timedelta(hours=23))
    machine.live()
    machine.clock.advance(-23 * 3600)
    machine.live(TRUST_AFTER_S)
    machine.store.left = 1
    assert machine.live(TRUST_AFTER_S)
