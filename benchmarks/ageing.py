"""Fills a relay's tables with old rows, fast: copies of what one delivery has left, each under keys of its own."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg

from benchmarks.bodies import SCATTER, SCATTERED
from benchmarks.databases import is_sqlite, rows
from relay.store.ahead import memory_bytes

_BATCH = 2_500_000
_LEAST_FREE = 15 * 1024**3
_WITH_IDS = ("deliveries", "commands", "contacts")

_NUMBERED = "{} + n * {stride}"  # ids stay consistent between tables and are larger than all before
_MARKED = "{} || '-' || n"
_RANDOM = "{random}"
_OBJECT = "'{{}}'"
_ORDER = "'63' || {number}"
_EMAIL = "'buyer' || {scattered} || '@example.com'"
_KEYS = {"order": _ORDER, "customer": "'81' || {number}", "cart": "'checkout-' || {scattered}"}
_CASES = " ".join(f"WHEN '{kind}' THEN {key}" for kind, key in _KEYS.items())

# What must differ from copy to copy, as in `benchmarks.bodies`: what is a neighbour in time is one in an index, or is
# not. Left out is what nobody reads of a row that is through.
_COLUMNS = {
    "deliveries": {
        "id": _NUMBERED,
        "dedupe": "{random} || {random}",
        "delivery_id": _RANDOM,
        "resource_id": _ORDER,
        "headers": _OBJECT,
        "body": "{empty}",
    },
    "contacts": {"id": _NUMBERED, "email": _EMAIL, "address": _EMAIL, "contact_id": _RANDOM},
    "contact_addresses": {"address": _EMAIL, "contact": _NUMBERED},
    "commands": {
        "id": _NUMBERED,
        "delivery_id": _NUMBERED,
        "contact": _NUMBERED,
        "subject": _MARKED,
        "event_resource_id": f"CASE WHEN {{}} IS NOT NULL THEN {_ORDER} END",
        "payload": _OBJECT,
        "contact_id": _RANDOM,
        "event_id": f"CASE WHEN {{}} IS NOT NULL THEN {_RANDOM} END",
    },
    "attempts": {"command_id": _NUMBERED},
    "resources": {
        "id": f"CASE kind {_CASES} ELSE {_RANDOM} || {_RANDOM} END",
        "email": f"CASE WHEN {{}} IS NOT NULL THEN {_EMAIL} END",
        "account": "CASE WHEN {} IS NOT NULL THEN '81' || {number} END",
        "body": "CASE WHEN {} IS NOT NULL THEN {compressed} END",
        "facts": _OBJECT,
    },
    "events": {"resource_id": _ORDER, "event_id": _RANDOM},
}
_EMPTY = zlib.compress(b"{}").hex()
_SCATTER = f"(n * {SCATTER} % {SCATTERED})"
_SQLITE = {
    "random": "lower(hex(randomblob(16)))",
    "empty": "x'7B7D'",
    "compressed": f"x'{_EMPTY}'",
    "number": "printf('%010d', n)",
    "scattered": f"printf('%010d', {_SCATTER})",
}
_POSTGRESQL = {
    "random": "md5(random()::text)",
    "empty": r"'\x7b7d'::bytea",
    "compressed": rf"'\x{_EMPTY}'::bytea",
    "number": "lpad(n::text, 10, '0')",
    "scattered": f"lpad({_SCATTER}::text, 10, '0')",
}


def age(url: str, copies: int) -> None:
    """Copy all there is ``copies`` times; stops the program when the disk gets full.

    The store must hold what one order has left, sent and settled, and nothing else; nobody may use it meanwhile.
    """
    stride = 1 + max(int(rows(url, f"SELECT coalesce(max(id), 0) FROM {name}")[0][0]) for name in _WITH_IDS)
    with _executing(url) as execute:
        for name, changed in _COLUMNS.items():
            execute(f"CREATE TEMP TABLE old_{name} AS SELECT * FROM {name}")
            columns = _columns_of(url, name)
            words = _SQLITE if is_sqlite(url) else _POSTGRESQL
            values = [changed.get(column, "{}").format(f"old.{column}", stride=stride, **words) for column in columns]
            for first in range(1, copies + 1, _BATCH):
                last = min(first + _BATCH - 1, copies)
                series = _series(url, first, last)
                source = f"SELECT {', '.join(values)} FROM old_{name} AS old, {series}"
                execute(f"INSERT INTO {name} ({', '.join(columns)}) {source}")
                _tell(name, last, copies)
        for name in [] if is_sqlite(url) else _WITH_IDS:
            execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")


def _columns_of(url: str, name: str) -> list[str]:
    catalogue = f"information_schema.columns WHERE table_schema = 'public' AND table_name = '{name}'"
    sqlite = f"SELECT name FROM pragma_table_info('{name}')"
    return [row[0] for row in rows(url, sqlite if is_sqlite(url) else f"SELECT column_name FROM {catalogue}")]


def _series(url: str, first: int, last: int) -> str:
    if not is_sqlite(url):
        return f"generate_series({first}, {last}) AS series(n)"
    counted = f"SELECT {first} AS n UNION ALL SELECT n + 1 FROM series WHERE n < {last}"
    return f"(WITH RECURSIVE series(n) AS ({counted}) SELECT n FROM series)"


@contextmanager
def _executing(url: str) -> Iterator[Callable[[str], object]]:
    """Give what runs a statement in a transaction of its own, in a session that cares for speed alone."""
    if is_sqlite(url):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            # Keys are random, so each batch changes every page of an index: it is to be written once, and only there.
            cache = f"cache_size = -{memory_bytes() // 2 // 1024}"
            off = ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF")
            for pragma in (*off, "temp_store = MEMORY", cache):
                connection.execute(f"PRAGMA {pragma}")
            yield connection.execute
            connection.execute("PRAGMA journal_mode = WAL")
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("SET session_replication_role = replica")  # no checks of foreign keys
            server.execute("SET synchronous_commit = off")
            yield lambda statement: server.execute(statement.encode())


def _tell(name: str, done: int, copies: int) -> None:
    if done % _BATCH == 0 or done == copies:
        print(f"  {name}: {done:,} of {copies:,}", file=sys.stderr)
    if shutil.disk_usage("/").free < _LEAST_FREE:
        sys.exit("Less than 15 GiB are left on the disk.")
