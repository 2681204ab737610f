from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from relay.commands import Outcome, Verdict
from relay.deliveries import Delivery
from relay.errors import ConfigurationError, StoreUnavailable
from relay.store import Store
from relay.store.engine import LOCK_FILE, open_database
from relay.store.locking import WriteLock
from tests.support.stored import LEASE_S, NOW, claim_delivery, claim_one, new_delivery, put, translated


@pytest.fixture
def impatient(sqlite_url: str, tmp_path: Path):
    """A SQLite store that waits 50 ms for the lock."""
    store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=0.05)
    yield store
    store.close()


@pytest.fixture
def lock_file(tmp_path: Path):
    descriptor = os.open(tmp_path / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def test_sqlite_writes_a_log_that_is_synced_apart_and_checks_references(sqlite_url, tmp_path):
    database = open_database(sqlite_url, tmp_path, 1.0)
    with database.reading() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    database.close()
    assert values == ["wal", 1, 1, 1000]


def test_writer_holds_sqlites_write_lock_from_its_first_moment(sqlite_url, tmp_path):
    database = open_database(sqlite_url, tmp_path, 0.05)
    begun: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda c, cursor, sql, *rest: begun.append(sql))
    with database.writing():
        pass
    with database.reading():
        pass
    database.close()
    assert begun == ["BEGIN IMMEDIATE", "BEGIN"]


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is synced, by inode."""
    synced: list[int] = []
    fdatasync = os.fdatasync

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync)
    return synced


def test_commit_is_synced_before_it_is_told_and_once_the_next_one_may_write(impatient, tmp_path, monkeypatch):
    seen: list[Any] = []

    def sync(descriptor: int) -> None:
        with WriteLock(tmp_path / LOCK_FILE).held(1.0):
            seen.append([delivery.topic for delivery in impatient.reading.deliveries()])

    monkeypatch.setattr(os, "fdatasync", sync)
    impatient.deliveries.record(new_delivery())
    assert seen == [["orders/create"]]


def test_deliveries_calls_and_their_ends_are_synced_and_what_would_be_done_again_is_not(impatient, tmp_path, syncs):
    store = impatient
    log = (tmp_path / "relay.db-wal").stat().st_ino

    def synced(step: Callable[[], Any]) -> tuple[Any, list[int]]:
        syncs.clear()
        return step(), list(syncs)

    _, recorded = synced(lambda: store.deliveries.record(new_delivery()))
    delivery, taken = synced(lambda: claim_delivery(store))
    _translate(store, delivery)  # also makes the key of pseudonyms, which has to last
    store.deliveries.replay(delivery.id, NOW)
    delivery = claim_delivery(store)
    _, translating = synced(lambda: _translate(store, delivery))
    command, claimed = synced(lambda: claim_one(store))
    _, begun = synced(lambda: store.commands.begin([command], NOW))
    _, settled = synced(lambda: store.commands.settle([Outcome(command, Verdict.DONE)], NOW))
    assert (recorded, begun, settled) == ([log], [log], [log])
    assert (taken, translating, claimed) == ([], [], [])


def test_repeat_of_a_delivery_is_synced_too_since_the_first_may_not_be_yet(impatient, syncs):
    new = new_delivery()
    impatient.deliveries.record(new)
    syncs.clear()
    assert impatient.deliveries.record(new).repeated
    assert len(syncs) == 1


def test_nothing_is_synced_for_what_was_rolled_back(sqlite_url, tmp_path, syncs):
    database = open_database(sqlite_url, tmp_path, 1.0)
    with pytest.raises(RuntimeError), database.writing():
        raise RuntimeError
    database.close()
    assert syncs == []


def _translate(store: Store, delivery: Delivery) -> None:
    with store.deliveries.translating() as bench:
        bench.finish(delivery, translated(put()), NOW)


def test_reader_is_not_held_up_by_a_writer_and_sees_nothing_uncommitted(store):
    with store.deliveries.translating():
        assert store.reading.deliveries() == []


def test_store_locked_for_too_long_is_unavailable_and_stores_nothing(impatient, lock_file):
    fcntl.flock(lock_file, fcntl.LOCK_EX)
    with pytest.raises(StoreUnavailable, match="Another process"):
        impatient.deliveries.record(new_delivery())

    fcntl.flock(lock_file, fcntl.LOCK_UN)
    assert impatient.reading.deliveries() == []
    assert not impatient.deliveries.record(new_delivery()).repeated


def test_writer_waits_for_the_lock_as_long_as_it_may(sqlite_url, tmp_path, lock_file):
    store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=10)
    fcntl.flock(lock_file, fcntl.LOCK_EX)
    receipts = []
    writer = threading.Thread(target=lambda: receipts.append(store.deliveries.record(new_delivery())))
    writer.start()
    writer.join(0.1)
    assert receipts == []
    fcntl.flock(lock_file, fcntl.LOCK_UN)
    writer.join(10)
    store.close()
    assert len(receipts) == 1


def test_thread_of_the_same_process_that_writes_for_too_long_makes_it_unavailable(impatient):
    writing, over = threading.Event(), threading.Event()

    def write_long() -> None:
        with impatient.deliveries._database.writing():
            writing.set()
            over.wait(10)

    writer = threading.Thread(target=write_long)
    writer.start()
    writing.wait(10)
    with pytest.raises(StoreUnavailable, match="Another thread"):
        impatient.deliveries.record(new_delivery())
    over.set()
    writer.join(10)


@pytest.mark.postgres
def test_row_locked_for_too_long_on_postgresql_is_unavailable(postgres_url, tmp_path):
    store = Store.open(postgres_url, folder=tmp_path, commit_wait_s=0.05)
    store.deliveries.record(new_delivery())
    (delivery,) = store.deliveries.claim(NOW, LEASE_S, 1)
    with store.deliveries.translating() as bench:
        bench.memory.resource("acme", "order", "1")
        with pytest.raises(StoreUnavailable, match="lock timeout"), store.deliveries.translating() as other:
            other.memory.resource("acme", "order", "1")
    store.close()
    assert delivery.id


def test_database_that_became_read_only_is_unavailable(store):
    store.deliveries.record(new_delivery())
    engine = store.deliveries._database.engine
    read_only = {"sqlite": "PRAGMA query_only = ON", "postgresql": "SET default_transaction_read_only = on"}

    @event.listens_for(engine, "checkout")
    def forbid_writing(driver_connection, record, proxy) -> None:
        driver_connection.cursor().execute(read_only[engine.dialect.name]).close()
        driver_connection.commit()

    with pytest.raises(StoreUnavailable):
        store.deliveries.record(new_delivery())
    with pytest.raises(StoreUnavailable):
        store.check_writable()
    assert len(store.reading.deliveries()) == 1


def test_full_disk_is_unavailable_and_the_store_recovers(impatient):
    engine = impatient.deliveries._database.engine
    limit = {"pages": 1}

    @event.listens_for(engine, "checkout")
    def limit_pages(driver_connection, record, proxy) -> None:
        driver_connection.execute(f"PRAGMA max_page_count = {limit['pages']}").close()

    with pytest.raises(StoreUnavailable, match="full"):
        impatient.deliveries.record(new_delivery(body=os.urandom(500_000)))
    limit["pages"] = 1_000_000
    assert impatient.reading.deliveries() == []
    impatient.deliveries.record(new_delivery())
    assert len(impatient.reading.deliveries()) == 1


@pytest.mark.postgres
def test_lost_connection_is_unavailable_and_the_store_recovers(postgres_url, tmp_path):
    store = Store.open(postgres_url, folder=tmp_path)
    engine = store.deliveries._database.engine
    with pytest.raises(StoreUnavailable), store.deliveries.translating() as bench, engine.begin() as other:
        other.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        bench.memory.resource("acme", "order", "1")
    store.deliveries.record(new_delivery())
    assert len(store.reading.deliveries()) == 1
    store.close()


def test_trouble_is_told_without_the_statement_and_its_values(impatient):
    engine = impatient.deliveries._database.engine
    event.listen(engine, "checkout", lambda c, *rest: c.execute("PRAGMA query_only = ON").close())
    with pytest.raises(StoreUnavailable) as caught:
        impatient.deliveries.record(new_delivery(body=b"ann@example.com"))

    assert str(caught.value) == "The store cannot be used right now: attempt to write a readonly database"


def test_check_writable_leaves_no_trace(store):
    store.check_writable()
    assert store.workers.heard_of(NOW, within_s=10**9) == []


def test_lock_file_that_cannot_be_made_is_unavailable(sqlite_url, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        Store.open(sqlite_url, folder=tmp_path / "file")
    (tmp_path / "folder" / LOCK_FILE).mkdir(parents=True)
    with pytest.raises(StoreUnavailable, match="lock file"):
        Store.open(sqlite_url, folder=tmp_path / "folder")


def test_file_in_a_missing_folder_is_unavailable(tmp_path):
    with pytest.raises(StoreUnavailable, match="unable to open"):
        Store.open(f"sqlite:///{tmp_path}/missing/relay.db", folder=tmp_path)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://host/relay", "postgresql://host/relay", "no url"]
)
def test_other_databases_are_refused_at_start(url, tmp_path):
    with pytest.raises(ConfigurationError, match="RELAY_DATABASE_URL"):
        Store.open(url, folder=tmp_path)


def test_lock_is_fair_enough_between_two_stores_of_one_file(sqlite_url, tmp_path):
    stores = [Store.open(sqlite_url, folder=tmp_path, commit_wait_s=5) for _ in range(2)]
    stored = [0, 0]
    until = time.monotonic() + 0.5

    def write(index: int) -> None:
        while time.monotonic() < until:
            stores[index].deliveries.record(new_delivery())
            stored[index] += 1

    threads = [threading.Thread(target=write, args=(index,)) for index in (0, 1) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(stored) > 0
    assert sum(stored) == len(stores[0].reading.deliveries(limit=100_000))
    for store in stores:
        store.close()
