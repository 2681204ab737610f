"""What was erased is in none of SQLite's files any more: not in the log, not in pages rows have moved out of."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from zlib import crc32

import pytest

from relay.commands import Verdict
from relay.memory import Resource
from relay.store import Store
from relay.store.engine import open_database
from relay.store.privacy import scrubbing
from tests.support.privacy import erasure, files_naming, tables_naming, tidy
from tests.support.stored import NOW, contact_delete, end, finish_all, new_delivery, put, translated, upsert

ANN, BO = "ann@example.com", "bo@example.com"


@pytest.fixture
def sqlite(sqlite_url: str, tmp_path: Path):
    store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=1.0)
    yield store
    store.close()


def live(store: Store, number: int, email: str, chance: random.Random) -> None:
    """Store a delivery of some length and what it means; later ones change what is remembered, so that rows move."""
    text = "".join(chance.choices("abcdefgh ", k=chance.randrange(3000)))
    body = f'{{"email":"{email}","n":{number},"text":"{text}"}}'.encode()
    resource = Resource(
        "acme", "order", f"{crc32(email.encode())}-{chance.randrange(9)}", NOW, email, "orders/create", body
    )
    meaning = translated(upsert(email, text=text), put(email, None, text=text), resources=(resource,))
    store.deliveries.record(new_delivery(body=body, headers={"x": text[:200]}), meaning)


def erase(store: Store, *addresses: str) -> None:
    commands = [contact_delete(address) for address in addresses]
    meaning = translated(*commands, privacy=tuple(erasure(address) for address in addresses))
    store.deliveries.record(new_delivery(body=b"redact"), meaning)


def test_every_connection_overwrites_what_it_deletes(sqlite_url, tmp_path):
    database = open_database(sqlite_url, tmp_path, 1.0)
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
    database.close()


def test_nothing_of_many_erased_people_is_left_in_any_file(sqlite, sqlite_url, tmp_path):
    chance = random.Random(7)
    people = [f"person{number:03}@example.com" for number in range(40)]
    for number in range(300):
        live(sqlite, number, chance.choice(people), chance)
    erased = people[:30]
    erase(sqlite, *erased)
    finish_all(sqlite)
    assert files_naming(tmp_path, people[0]) != set()
    assert tidy(sqlite, tmp_path)

    assert tables_naming(sqlite_url, *erased) == set()
    assert files_naming(tmp_path, *erased) == set()
    assert files_naming(tmp_path, people[35]) == {"relay.db"}


def test_rewriting_the_file_is_what_takes_the_last_copies_away(sqlite, tmp_path, monkeypatch):
    """Should SQLite ever overwrite these too, the rewriting can go."""
    monkeypatch.setattr(scrubbing, "REWRITTEN_BYTES", 0)
    chance = random.Random(7)
    people = [f"person{number:03}@example.com" for number in range(40)]
    for number in range(300):
        live(sqlite, number, chance.choice(people), chance)
    erase(sqlite, *people)
    finish_all(sqlite)
    assert tidy(sqlite, tmp_path)
    assert files_naming(tmp_path, *people) == {"relay.db"}

    assert sqlite.scrub()
    assert files_naming(tmp_path, *people) == set()


def test_reader_that_is_at_work_only_delays_it(sqlite, sqlite_url, tmp_path):
    live(sqlite, 1, ANN, random.Random(1))
    finish_all(sqlite)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM deliveries").fetchone()
        erase(sqlite, ANN)
        finish_all(sqlite)
        assert not tidy(sqlite, tmp_path)
        assert sqlite.deliveries.record(new_delivery()).id  # nobody is kept waiting meanwhile
        reader.execute("COMMIT")

    assert tidy(sqlite, tmp_path)
    assert files_naming(tmp_path, ANN) == set()


def test_store_is_whole_after_the_file_was_rewritten(sqlite, sqlite_url):
    for number in range(20):
        live(sqlite, number, BO, random.Random(number))
    end(sqlite, Verdict.DONE, contact_id="c-1")
    before = [sqlite.reading.delivery(each.id) for each in sqlite.reading.deliveries()]
    assert sqlite.scrub()

    assert [sqlite.reading.delivery(each.id) for each in sqlite.reading.deliveries()] == before
    assert sqlite.deliveries.record(new_delivery()).id == len(before) + 1
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.postgres
def test_postgresql_reclaims_by_itself(postgres_url, tmp_path):
    store = Store.open(postgres_url, folder=tmp_path)
    assert store.scrub()
    store.close()
