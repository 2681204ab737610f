"""How workers see that another has died, or that their own clock was set."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.clock import ManualClock
from relay.errors import StoreUnavailable
from relay.store import Store
from relay.worker.presence import Presence
from relay.worker.watching import DEAD_AFTER_S, Watch
from tests.support.stored import NOW, after, ask, new_delivery, upsert

HOLD_S = 60.0
FOLDER = Path(__file__).parent / "there-is-none"


class Host:
    """A worker on a host with a clock of its own, and a stretch of time that no clock tells."""

    def __init__(self, store: Store, name: str, at: datetime = NOW) -> None:
        self.store = store
        self.name = name
        self.clock = ManualClock(at)
        self.passed = 0.0
        self.presence = Presence(FOLDER, name)
        self.watch = Watch(store, name, self.presence, self.clock, HOLD_S, lambda: self.passed)

    def live(self, seconds: float = 1.0) -> bool:
        """Let time pass, then beat and look."""
        self.passed += seconds
        self.clock.advance(seconds)
        return self.watch.step()

    def claim(self) -> int:
        return len(self.store.commands.claim(self.clock.now(), 7200, 100, holder=self.name))


@pytest.fixture
def other(store: Store) -> Host:
    """A worker whose clock is an hour behind, with a command and a delivery in its hands."""
    host = Host(store, "other", after(-3600))
    store.deliveries.record(new_delivery(received_at=host.clock.now()))
    ask(store, upsert(), at=host.clock.now())
    assert len(store.deliveries.claim(host.clock.now(), 7200, 100, holder=host.name)) == host.claim() == 1
    host.watch.step()
    return host


def until_something_is_due(host: Host, most: int = 20) -> int:
    """Give after how many beats work became due, 0 when none did."""
    return next((beats for beats in range(1, most) if host.live()), 0)


def test_worker_that_beats_is_left_alone_whatever_its_clock_tells(store: Store, other: Host):
    watcher = Host(store, "watcher")
    for _ in range(20):
        assert not other.live()
        assert not watcher.live()


def test_work_of_a_worker_that_stopped_is_due_within_seconds_and_told_of(store: Store, other: Host):
    watcher = Host(store, "watcher")
    watcher.live()
    other.live()
    with capture_logs() as logs:
        assert until_something_is_due(watcher) <= DEAD_AFTER_S + 1
    [line] = [line for line in logs if line["event"] == "worker_presumed_dead"]
    assert (line["worker"], line["deliveries"], line["commands"], line["log_level"]) == ("other", 1, 1, "warning")
    assert watcher.claim() == 1
    assert until_something_is_due(watcher) == 0


def test_worker_that_starts_finds_the_dead(store: Store, other: Host):
    assert until_something_is_due(Host(store, "new")) == DEAD_AFTER_S + 1


def test_one_of_several_takes_over(store: Store, other: Host):
    watchers = [Host(store, f"watcher-{number}") for number in range(3)]
    took = [[watcher.live() for watcher in watchers] for _ in range(10)]
    assert sum(sum(each) for each in took) == 1


def test_watcher_that_stood_still_itself_buries_nobody(store: Store, other: Host):
    """It has seen nothing meanwhile: the others may have been stopped together with it."""
    watcher = Host(store, "watcher")
    watcher.live()
    assert not watcher.live(60)
    assert not watcher.live()
    other.live()
    assert not any(watcher.live() for _ in range(int(DEAD_AFTER_S)))


def test_watcher_that_could_not_reach_the_store_buries_nobody(store: Store, other: Host, monkeypatch):
    watcher = Host(store, "watcher")
    watcher.live()

    def failing(*_arguments):
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr(store.workers, "beat", failing)
        for _ in range(8):
            with pytest.raises(StoreUnavailable):
                watcher.live()
    assert not watcher.live()
    other.live()
    assert not any(watcher.live() for _ in range(int(DEAD_AFTER_S)))


def test_worker_whose_file_is_unlocked_is_dead_at_once(store: Store, other: Host, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.relay.worker.test_watching.FOLDER", tmp_path)
    dying, watcher = Host(store, "dying"), Host(store, "watcher")
    dying.live()
    with dying.presence, watcher.presence:
        assert not watcher.live()
        os.close(dying.presence._descriptor)  # as the system does for a process that ends
        dying.presence._descriptor = None
        assert watcher.live()
        assert not watcher.live()
    assert list(tmp_path.glob("worker-*")) == []
    assert store.workers.beat("looking", NOW).keys() == {"other", "watcher"}


def test_worker_that_lives_on_beats_again_and_takes_new_work(store: Store, other: Host):
    watcher = Host(store, "watcher")
    assert until_something_is_due(watcher)
    other.clock.advance(3600)
    for _ in range(10):
        assert not other.live()
        assert not watcher.live()
    assert other.claim() == 1


def test_clock_that_is_put_back_while_working_stalls_nothing(store: Store):
    host = Host(store, "host")
    host.live()
    ask(store, upsert(), at=host.clock.now())
    host.clock.advance(-7200)
    assert host.claim() == 0
    with capture_logs() as logs:
        assert host.live()
    assert "clock_was_put_back" in [line["event"] for line in logs]
    assert host.claim() == 1


def test_what_is_still_put_off_by_the_old_time_is_due_when_the_leases_follow_the_clock(store: Store):
    host = Host(store, "host")
    host.live()
    host.clock.advance(-7200)
    host.live()
    ask(store, upsert(), at=host.clock.now() + timedelta(seconds=7200))
    assert [host.live() for _ in range(int(HOLD_S) + 5)].count(True) == 1
    assert host.claim() == 1


def test_clock_that_tells_less_than_the_store_knows_when_a_worker_starts_stalls_nothing(store: Store):
    ask(store, upsert(), at=after(7200))
    host = Host(store, "host")
    assert host.live()
    assert host.claim() == 1


def test_clock_that_is_slewed_or_put_on_makes_nothing_due(store: Store):
    host = Host(store, "host")
    store.deliveries.record(new_delivery(received_at=after(9000)))
    store.deliveries.record(new_delivery(received_at=NOW))
    host.live()
    for seconds in (-1, 1, 3600, -0.5):
        host.clock.advance(seconds)
        assert not host.live()


def test_others_that_live_are_told_after_each_look(store: Store, other: Host) -> None:
    told: list[tuple[list[str], float]] = []
    host = Host(store, "host")
    host.watch = Watch(
        store,
        "host",
        host.presence,
        host.clock,
        HOLD_S,
        lambda: host.passed,
        on_others=lambda others, at: told.append((sorted(others), at)),
    )
    for _ in range(8):
        host.live()
    assert told == [(["other"], float(second)) for second in range(1, 6)] + [([], 6.0), ([], 7.0), ([], 8.0)]
