"""SQLite's inbox: shops wait for nobody who works on the store, and what is cut off is neither lost nor taken twice."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relay.deliveries import DeliveryState
from relay.errors import StoreUnavailable
from relay.privacy import Person
from relay.store import DeliveryFilter, Store, inbox
from relay.store.arrivals import insert_arrivals
from relay.store.engine import LOCK_FILE
from relay.store.group_commit import MOST_TOGETHER
from relay.store.inbox import FileInbox
from relay.store.locking import WriteLock
from relay.store.receiving import written
from tests.support.privacy import erasure, files_naming
from tests.support.stored import LEASE_S, NOW, after, new_delivery, translated


@pytest.fixture
def sqlite(sqlite_url: str, tmp_path: Path) -> Iterator[Store]:
    store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=0.05)
    yield store
    store.close()


def deliver(store: Store, *dedupes: str) -> list[bool]:
    """Deliver as shops do; tells of each whether it was a repeat."""
    return [store.deliveries.record_soon(new_delivery(dedupe=dedupe)).kept() for dedupe in dedupes]


def rows(file: Path, statement: str) -> list[object]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute(statement)]


def waiting(folder: Path) -> list[object]:
    return rows(folder / "relay.db-inbox", "SELECT dedupe FROM arrivals ORDER BY id")


def in_store(folder: Path) -> list[object]:
    return rows(folder / "relay.db", "SELECT dedupe FROM deliveries ORDER BY id")


def test_what_is_delivered_waits_in_the_inbox_until_it_is_claimed_in_its_order(sqlite: Store, tmp_path: Path) -> None:
    names = ["one", "two", "three"]
    assert deliver(sqlite, *names) == [False] * 3
    assert (waiting(tmp_path), in_store(tmp_path)) == (names, [])
    claimed = sqlite.deliveries.claim(NOW, LEASE_S, 10)
    assert [(each.topic, each.body, each.received_at) for each in claimed] == [
        ("orders/create", b'{"id": 1001}', NOW)
    ] * 3
    assert (waiting(tmp_path), in_store(tmp_path)) == ([], names)


def test_all_that_is_known_of_a_delivery_comes_through_the_inbox(sqlite: Store) -> None:
    known = {
        **{"platform": "woocommerce", "group": "other", "shop": "sol", "topic": "order.updated", "dedupe": "d"},
        **{"headers": {"x-wc": "ż"}, "body": b"\x00z\x01 ann", "received_at": after(1.5), "delivery_id": "d-1"},
        **{"webhook_id": "w", "event_id": "e", "triggered_at": after(-3.25), "api_version": "2026-01"},
    }
    straight = sqlite.deliveries.record(new_delivery(**known)).id
    assert deliver(sqlite, "d") == [True]
    sqlite.deliveries.record_soon(new_delivery(**known | {"dedupe": "e"})).kept()
    [newest, _] = sqlite.reading.deliveries()
    came, recorded = (sqlite.reading.delivery(each) for each in (newest.id, straight))
    assert came is not None
    assert recorded is not None
    names = [name for name in type(came).__slots__ if name != "id"]
    assert {name: getattr(came, name) for name in names} == {name: getattr(recorded, name) for name in names}
    assert (came.body, came.state, came.due_at) == (known["body"], DeliveryState.RECEIVED, known["received_at"])


def test_repeat_is_told_wherever_the_first_one_is(sqlite: Store, tmp_path: Path) -> None:
    assert deliver(sqlite, "one", "one", "two") == [False, True, False]
    sqlite.deliveries.take_in()
    assert deliver(sqlite, "one", "three", "two") == [True, False, True]
    assert (waiting(tmp_path), in_store(tmp_path)) == (["three"], ["one", "two"])


def test_many_of_them_are_told_apart_in_one_transaction(sqlite: Store, tmp_path: Path) -> None:
    names = [f"{number:03}" for number in range(2 * MOST_TOGETHER + 20)]
    deliver(sqlite, *names[5::40])
    sqlite.deliveries.take_in()
    deliver(sqlite, *names[6::40])
    known = {*names[5::40], *names[6::40]}
    assert isinstance(sqlite._inbox, FileInbox)
    with sqlite._inbox.appending(1.0) as connection:
        told = insert_arrivals(connection, [written(new_delivery(dedupe=name)) for name in [*names, names[7]]])
    assert told == [*(name in known for name in names), True]
    sqlite.deliveries.take_in()
    assert sorted(map(str, in_store(tmp_path))) == names


def test_shop_that_delivers_does_not_wait_for_whoever_writes_to_the_store(sqlite: Store, tmp_path: Path) -> None:
    with WriteLock(tmp_path / LOCK_FILE).held(1.0), closing(sqlite3.connect(tmp_path / "relay.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert deliver(sqlite, "one") == [False]
        assert sqlite.reading.deliveries() == [], "what can be read is shown although nothing can be taken in"
        with pytest.raises(StoreUnavailable):
            sqlite.deliveries.take_in()
    assert len(sqlite.reading.deliveries()) == 1


def test_delivery_is_on_disk_when_it_is_told_and_so_is_a_repeat(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    log = (tmp_path / "relay.db-inbox-wal").stat().st_ino
    for repeated in (False, True):
        assert deliver(sqlite, "one") == [repeated]
        assert synced == [log]
        synced.clear()


def test_nothing_leaves_the_inbox_before_the_store_has_it_on_disk(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(sqlite, "one")
    done: list[str] = []
    log = (tmp_path / "relay.db-wal").stat().st_ino

    def sync(descriptor: int) -> None:
        assert os.fstat(descriptor).st_ino == log
        assert (waiting(tmp_path), in_store(tmp_path)) == (["one"], ["one"])
        done.append("synced")

    delete = inbox.delete_arrivals
    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(inbox, "delete_arrivals", lambda *each: done.append("deleted") or delete(*each))
    sqlite.deliveries.take_in()
    assert done == ["synced", "deleted"]


@pytest.mark.parametrize("step", ["copy_into_store", "delete_arrivals"])
def test_what_is_cut_off_is_done_again_and_nothing_is_taken_twice(
    sqlite: Store, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    deliver(sqlite, "one", "two")

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(inbox, step, cut_off)
        sqlite.deliveries.take_in()
    assert waiting(tmp_path) == ["one", "two"]
    assert deliver(sqlite, "one", "three") == [True, False]
    other = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=1.0)
    assert len(other.deliveries.claim(NOW, LEASE_S, 10)) == 3
    other.close()
    assert (waiting(tmp_path), in_store(tmp_path)) == ([], ["one", "two", "three"])


def test_more_than_go_together_are_all_taken_in(sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "TAKEN_AT_ONCE", 3)
    names = [str(number) for number in range(8)]
    deliver(sqlite, *names)
    sqlite.deliveries.take_in(4)
    assert (in_store(tmp_path), waiting(tmp_path)) == (names[:6], names[6:])
    sqlite.deliveries.take_in()
    assert in_store(tmp_path) == names


def test_what_waits_in_the_inbox_is_counted_and_listed(sqlite: Store) -> None:
    sqlite.deliveries.record(new_delivery())
    deliver(sqlite, "one", "two")
    assert sqlite.reading.counts().deliveries == {"received": 3}
    assert len(sqlite.reading.deliveries(DeliveryFilter(shop="acme"))) == 3
    assert sqlite.reading.counts().deliveries == {"received": 3}


def test_inbox_that_takes_no_write_is_no_writable_store(sqlite: Store) -> None:
    sqlite.check_writable()
    assert isinstance(sqlite._inbox, FileInbox)
    sqlite._inbox._appends.open().execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match="readonly"):
        sqlite.check_writable()
    with pytest.raises(StoreUnavailable, match="readonly"):
        deliver(sqlite, "one")
    sqlite._inbox._appends.open().execute("PRAGMA query_only = OFF")
    assert deliver(sqlite, "one") == [False]


def test_disk_that_could_not_be_synced_takes_nothing_more(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreUnavailable, match="restart the relay"):
            deliver(sqlite, "one")
    with pytest.raises(StoreUnavailable, match="restart the relay"):
        deliver(sqlite, "two")


def test_inbox_of_a_newer_version_is_refused_and_left_as_it_is(sqlite_url: str, tmp_path: Path) -> None:
    Store.open(sqlite_url, folder=tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "relay.db-inbox")) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(StoreUnavailable, match="newer version"):
        Store.open(sqlite_url, folder=tmp_path)
    assert rows(tmp_path / "relay.db-inbox", "PRAGMA user_version") == [2]


def test_disk_that_a_backlog_took_is_given_back(sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "LARGE_BYTES", 200_000)
    file = tmp_path / "relay.db-inbox"
    for number in range(30):
        sqlite.deliveries.record_soon(new_delivery(dedupe=str(number), body=os.urandom(20_000))).kept()
    rows(file, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert file.stat().st_size > 600_000
    assert not sqlite.scrub(), "shops do not wait for so much"
    sqlite.deliveries.take_in()
    assert file.stat().st_size < 50_000
    assert len(in_store(tmp_path)) == 30
    assert deliver(sqlite, "more") == [False]
    assert sqlite.scrub()


def test_what_comes_while_things_are_taken_in_is_for_the_next_time(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(sqlite, "one")
    copy = inbox.copy_into_store
    monkeypatch.setattr(inbox, "copy_into_store", lambda *each: deliver(sqlite, "two") and copy(*each))
    sqlite.deliveries.take_in()
    assert (in_store(tmp_path), waiting(tmp_path)) == (["one"], ["two"])


def test_worker_goes_on_with_what_the_store_has_while_another_takes_in(sqlite: Store, tmp_path: Path) -> None:
    sqlite.deliveries.record(new_delivery())
    deliver(sqlite, "one")
    with WriteLock(tmp_path / inbox.TAKING_LOCK_FILE).held(1.0):
        assert len(sqlite.deliveries.claim(NOW, LEASE_S, 10)) == 1
    assert len(sqlite.deliveries.claim(NOW, LEASE_S, 10)) == 1


def test_every_connection_overwrites_what_it_deletes(sqlite: Store) -> None:
    assert isinstance(sqlite._inbox, FileInbox)
    for each in (sqlite._inbox._appends, sqlite._inbox._takes):
        for schema in ("main", "store"):
            assert each.open().execute(f"PRAGMA {schema}.secure_delete").fetchone() == (1,)
            assert each.open().execute(f"PRAGMA {schema}.synchronous").fetchone() == (1,)


def test_what_was_taken_in_leaves_no_trace_in_the_inbox(sqlite: Store, tmp_path: Path) -> None:
    for number in range(30):
        body = f"ann@example.com {number}".encode() * (number + 1)
        sqlite.deliveries.record_soon(new_delivery(dedupe=str(number), body=body)).kept()
    assert sqlite.scrub(), "what waits stays"
    assert "relay.db-inbox" in files_naming(tmp_path, "ann@example.com")
    sqlite.deliveries.take_in()
    assert sqlite.scrub()
    assert files_naming(tmp_path, "ann@example.com") == {"relay.db"}
    assert len(in_store(tmp_path)) == 30


def test_erasure_by_a_call_finds_what_came_before_it(sqlite: Store, tmp_path: Path) -> None:
    deliver(sqlite, "before")
    sqlite.deliveries.record(new_delivery(dedupe="call"), translated(privacy=(erasure("ann@example.com"),)))
    assert (in_store(tmp_path), waiting(tmp_path)) == (["before", "call"], [])


def test_worker_lets_shops_go_first_in_the_inbox_too(sqlite: Store) -> None:
    assert isinstance(sqlite._inbox, FileInbox)
    assert not sqlite._inbox._lock.gives_way
    sqlite.give_way()
    assert sqlite._inbox._lock.gives_way


def test_whoever_is_asked_about_has_what_waits_in_the_inbox_too(sqlite: Store) -> None:
    sqlite.deliveries.record_soon(new_delivery(body=b'{"email": "ann@example.com"}')).kept()
    person = Person(group="main", addresses=("ann@example.com",), shops=("acme",))
    assert len(sqlite.privacy.gather(person, NOW)["deliveries"]) == 1
