from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relay.commands import Verdict
from relay.deliveries import DeliveryState
from relay.memory import Outlook
from relay.store import Store
from relay.store import ahead as module
from relay.store.ahead import ReadAhead, _lookups, memory_bytes
from tests.support.stored import NOW, ask, claim_delivery, end, finish_all, new_delivery, put, translated, upsert

KEYS = [("acme", "order", str(number)) for number in range(20)] + [("acme", "cart", "token")]
PEOPLE = [("main", "ann@example.com"), ("other", "ben@example.com")]
INDEXES = ("sqlite_autoindex_resources", "sqlite_autoindex_contact_addresses", "ix_contacts_address", "ix_resources_em")
CONTACT_ID_INDEX = "ix_contacts_contact_id"


@pytest.fixture
def file(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
def ahead(file: Path) -> Iterator[ReadAhead]:
    opened = ReadAhead(file, large_bytes=0)
    yield opened
    opened.close()


@pytest.fixture
def looked_up(ahead: ReadAhead, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that were carried out to their end."""
    found: list[str] = []

    def note(lookup):
        ahead._connection().execute(*lookup).fetchall()
        found.append(lookup[0])

    monkeypatch.setattr(ahead, "_look_up", note)
    return found


def test_it_reads_indexes_alone_and_each_that_a_slice_needs(file):
    with closing(sqlite3.connect(file)) as connection:
        plans = [
            row[-1]
            for lookup in [*_lookups(KEYS, PEOPLE), (module._CONTACT_ID, ("main", "c-1"))]
            for row in connection.execute(f"EXPLAIN QUERY PLAN {lookup[0]}", lookup[1])
        ]
    assert all("USING COVERING INDEX" in plan for plan in plans)
    assert all(any(index in plan for plan in plans) for index in (*INDEXES, CONTACT_ID_INDEX))


def test_every_key_is_looked_up(ahead, looked_up):
    parameters = [word for _, words in _lookups(KEYS, PEOPLE) for word in words]
    assert {key[2] for key in KEYS} | {address for _, address in PEOPLE} <= set(parameters)
    ahead.begin(KEYS, PEOPLE)
    ahead.begin([], [])  # waits for what was begun
    assert sorted(looked_up) == sorted(statement for statement, _ in _lookups(KEYS, PEOPLE))


def test_a_file_that_fits_into_memory_is_not_read_ahead(file, looked_up, ahead):
    ahead._large_bytes = ReadAhead(file)._large_bytes
    assert file.stat().st_size < ahead._large_bytes < memory_bytes()
    ahead.begin(KEYS, PEOPLE)
    ahead.contact_ids([("main", "c-1")])
    ahead.begin([], [])
    assert looked_up == []


@pytest.mark.parametrize(("limit", "known"), [("1073741824\n", 1024**3), ("max\n", None), (None, None)])
def test_memory_is_that_of_the_container_where_it_has_a_limit(limit, known, tmp_path, monkeypatch):
    told = tmp_path / "memory.max"
    monkeypatch.setattr(module, "_CONTAINER", tmp_path / "none")
    machine = memory_bytes()
    if limit is not None:
        told.write_text(limit)
    monkeypatch.setattr(module, "_CONTAINER", told)
    assert memory_bytes() == (known or machine)


def test_what_is_wrong_with_the_file_is_left_to_those_who_need_it(file, ahead):
    file.write_bytes(b"not a database" * 1000)
    ahead.begin(KEYS, PEOPLE)
    ahead.contact_ids([("main", "c-1")])
    file.unlink()
    ahead.begin(KEYS, PEOPLE)


def test_closed_it_reads_nothing_and_says_nothing(ahead, looked_up):
    ahead.close()
    ahead.begin(KEYS, PEOPLE)
    ahead.contact_ids([("main", "c-1")])
    assert looked_up == []


def test_without_a_file_there_is_nothing_to_read_ahead():
    nowhere = ReadAhead(None, large_bytes=0)
    nowhere.begin(KEYS, PEOPLE)
    nowhere.contact_ids([("main", "c-1")])
    assert nowhere._asked == []
    nowhere.close()


def test_a_slice_is_read_ahead_and_comes_out_the_same(sqlite_url, tmp_path):
    store = Store.open(sqlite_url, folder=tmp_path)
    store._ahead._large_bytes = 0
    store.deliveries.record_soon(new_delivery()).kept()
    delivery = claim_delivery(store)
    with store.deliveries.translating() as bench:
        bench.foresee([Outlook(resources=tuple(KEYS), people=tuple(PEOPLE))])
        assert store._ahead._asked
        assert bench.memory.resource(*KEYS[0]) is None
        assert bench.finish(delivery, translated(upsert(), put()), NOW)
    assert len(finish_all(store)) == 2
    view = store.reading.delivery(delivery.id)
    assert view is not None
    assert view.state is DeliveryState.TRANSLATED
    store.close()


def test_what_a_settled_call_has_to_write_is_read_ahead(sqlite_url, tmp_path, monkeypatch):
    store = Store.open(sqlite_url, folder=tmp_path)
    ahead: list[list[tuple[str, str]]] = []
    monkeypatch.setattr(store._ahead, "contact_ids", ahead.append)
    ask(store, upsert())
    end(store, Verdict.DONE, contact_id="c-1")
    assert ahead == [[("main", "c-1")]]
    store.close()
