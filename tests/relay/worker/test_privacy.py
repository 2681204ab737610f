"""The privacy stage within a worker: taken up without being asked, and finished beside the other stages."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.clock import SystemClock
from relay.commands import CommandState
from relay.deliveries import DeliveryState, Translation
from relay.errors import StoreUnavailable
from relay.privacy import Disclosure
from relay.worker.privacy import PrivacyStage
from relay.worker.worker import Worker
from tests.support.patience import PATIENCE_S, until
from tests.support.privacy import erasure, person, tables_naming, tidy
from tests.support.stored import contact_delete, finish_all, new_delivery, put, translated, upsert
from tests.support.working import FakeClient, FakeTranslator, directory, settings

ANN = "ann@example.com"


@pytest.fixture
def worker(store, tmp_path: Path):
    """A worker in a thread of its own, on the machine's clock."""
    clock = SystemClock()
    running = Worker(
        store=store,
        client=FakeClient(clock),
        translator=FakeTranslator(),
        directory=directory(),
        settings=settings(poll_s="0.05", data=str(tmp_path)),
        clock=clock,
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    yield running
    running.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_running_worker_erases_and_discloses(store, database_url, tmp_path, worker):
    now = SystemClock().now()
    asked = (
        translated(upsert(ANN), put(ANN)),
        translated(privacy=(Disclosure(person(ANN), "acme-1.json"),)),
    )
    for meaning in asked:
        store.deliveries.record(new_delivery(body=b"ann@example.com", received_at=now), meaning)
    until((tmp_path / "data-requests" / "acme-1.json").exists)
    meaning = translated(contact_delete(ANN), privacy=(erasure(ANN, until=now),))
    delivery_id = store.deliveries.record(new_delivery(received_at=now), meaning).id
    until(lambda: all(task.finished_at for task in store.privacy.list()))

    assert [each.state for each in store.commands.of_delivery(delivery_id)] == [CommandState.DONE]
    assert tables_naming(database_url, ANN) == set()
    assert list((tmp_path / "data-requests").iterdir()) == []


def test_logs_tell_what_was_done_and_name_nobody(sqlite, tmp_path, clock):
    sqlite.deliveries.record(new_delivery(body=b"ann@example.com"), translated(privacy=(erasure(ANN),)))
    sqlite.deliveries.record(new_delivery(), translated(privacy=(Disclosure(person(ANN), "acme-1.json"),)))
    with capture_logs() as logs:
        assert tidy(sqlite, tmp_path, clock.now())

    events = {line["event"] for line in logs}
    assert events == {"privacy_task_concluded", "erased_data_scrubbed", "data_request_answered"}
    assert ANN not in str(logs)


def test_task_that_breaks_is_told_and_tried_again_later(sqlite, tmp_path, clock, monkeypatch):
    sqlite.deliveries.record(new_delivery(), translated(privacy=(erasure(ANN),)))

    def breaking(*args: object) -> None:
        raise RuntimeError(ANN)

    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr("relay.store.privacy.tasks.forget_contacts", breaking)
        assert not tidy(sqlite, tmp_path, clock.now())
    [broke] = [line for line in logs if line["event"] == "privacy_task_broke"]
    assert broke["log_level"] == "error"
    clock.advance(60)
    assert tidy(sqlite, tmp_path, clock.now())


def test_between_two_scrubs_there_is_a_rest(sqlite, tmp_path, clock, monkeypatch):
    ticks = iter([100.0, 102.0, 110.0, 141.9, 142.0, 142.1])
    scrubbed = []
    scrub = sqlite.privacy.scrub
    monkeypatch.setattr(sqlite.privacy, "scrub", lambda tasks, now: scrubbed.append(len(tasks)) or scrub(tasks, now))
    stage = PrivacyStage(sqlite, clock, tmp_path, monotonic=lambda: next(ticks))
    done = []
    for _ in range(4):
        sqlite.deliveries.record(new_delivery(), Translation(DeliveryState.IGNORED, "erased", erased=True))
        done.append(stage.step())

    assert done == [True, False, False, True]
    assert scrubbed == [1, 3]


def test_store_that_cannot_be_scrubbed_is_no_outage(sqlite, tmp_path, clock, monkeypatch):
    def failing(*args: object) -> bool:
        raise StoreUnavailable("The disk is full.")

    sqlite.deliveries.record(new_delivery(), Translation(DeliveryState.IGNORED, "erased", erased=True))
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr("relay.store.privacy.tasks.scrub", failing)
        assert not tidy(sqlite, tmp_path, clock.now())
    assert [line["event"] for line in logs] == ["erased_data_not_scrubbed"]
    clock.advance(60)
    assert tidy(sqlite, tmp_path, clock.now())


def test_tasks_that_wait_for_salesmanago_keep_no_other_waiting(sqlite, tmp_path, clock, monkeypatch):
    monkeypatch.setattr("relay.store.privacy.tasks.MOST_TOGETHER", 2)
    for number in range(3):
        address = f"buyer{number}@example.com"
        meaning = translated(contact_delete(address), privacy=(erasure(address),))
        sqlite.deliveries.record(new_delivery(), meaning)
    sqlite.deliveries.record(new_delivery(), translated(privacy=(erasure(ANN),)))
    assert not tidy(sqlite, tmp_path, clock.now())
    assert [task.finished_at is None for task in sqlite.privacy.list()] == [False, True, True, True]

    finish_all(sqlite)
    assert tidy(sqlite, tmp_path, clock.now())
