"""What is written into SQLite's inbox, and how it gets from there into the store: in few steps of the database.

For each step Python gives its interpreter away and has to wait until it gets it back, which made everybody wait several
times as long while a process answers many requests at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy.dialects import sqlite

from relay.chunks import in_chunks
from relay.deliveries import DeliveryState
from relay.store.columns import NO_WARNINGS
from relay.store.group_commit import MOST_TOGETHER
from relay.store.receiving import ARRIVING, Row
from relay.store.tables import deliveries

STORE = "store"
"""The name by which an inbox's connection knows the store, which is attached to it."""

_DIALECT = sqlite.dialect()


def create_arrivals(connection: sqlite3.Connection) -> None:
    """Make the table, with the columns of ``deliveries`` that are known when something is delivered."""
    columns = (deliveries.c[name] for name in ARRIVING)
    kinds = (f"{each.name} {each.type.compile(_DIALECT)}{'' if each.nullable else ' NOT NULL'}" for each in columns)
    connection.execute(
        f"CREATE TABLE main.arrivals (id INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join(kinds)}, UNIQUE (dedupe))"
    )


def insert_arrivals(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[bool]:
    """Insert rows as ``relay.store.receiving`` writes them; tells for each whether it has come before.

    Whoever writes here keeps others from deleting, so what has come before is either here or in the store.
    """
    first_of = {row["dedupe"]: row for row in reversed(rows)}
    known: set[str] = set()
    for some in in_chunks(first_of, MOST_TOGETHER):
        known.update(dedupe for (dedupe,) in connection.execute(_known(len(some)), (*some, *some)))
    for new in in_chunks((row for dedupe, row in first_of.items() if dedupe not in known), MOST_TOGETHER):
        connection.execute(_insert(len(new)), [write(row) for row in new for write in _fields()])
    return [row["dedupe"] in known or first_of[row["dedupe"]] is not row for row in rows]


def last_arrival(connection: sqlite3.Connection) -> int:
    """Give the id of the newest arrival, 0 when there is none."""
    [[last]] = connection.execute("SELECT coalesce(max(id), 0) FROM main.arrivals")
    return int(last)


def last_of_next(connection: sqlite3.Connection, number: int, last: int) -> int | None:
    """Give the id of the last of the first ``number`` arrivals up to the id ``last``, None when there are none."""
    first = "SELECT id FROM main.arrivals WHERE id <= ? ORDER BY id LIMIT ?"
    [[upto]] = connection.execute(f"SELECT max(id) FROM ({first})", (last, number))  # noqa: S608 - ours
    return None if upto is None else int(upto)


def copy_into_store(connection: sqlite3.Connection, upto: int) -> None:
    """Insert the arrivals up to an id into the store, in their order, unless it has them."""
    connection.execute(_COPY, (upto,))


def delete_arrivals(connection: sqlite3.Connection, upto: int) -> int:
    """Delete the arrivals up to an id; gives how many there were."""
    return connection.execute("DELETE FROM main.arrivals WHERE id <= ?", (upto,)).rowcount


def count_arrivals(connection: sqlite3.Connection) -> int:
    """Count the arrivals."""
    [[number]] = connection.execute("SELECT count(*) FROM main.arrivals")
    return int(number)


@cache
def _fields() -> list[Callable[[Row], Any]]:
    """Give what makes each column's value one that the driver takes."""
    return [_field(name, deliveries.c[name].type.bind_processor(_DIALECT)) for name in ARRIVING]


def _field(name: str, process: Callable[[Any], Any] | None) -> Callable[[Row], Any]:
    return (lambda row: row[name]) if process is None else (lambda row: process(row[name]))


@lru_cache(MOST_TOGETHER)
def _insert(number: int) -> str:
    row = f"({', '.join('?' * len(ARRIVING))})"
    return f"INSERT INTO main.arrivals ({_NAMES}) VALUES {', '.join([row] * number)}"  # noqa: S608 - ours


@lru_cache(MOST_TOGETHER)
def _known(number: int) -> str:
    among = ", ".join("?" * number)
    here, there = (f"SELECT dedupe FROM {name} WHERE dedupe IN ({among})" for name in ("main.arrivals", _DELIVERIES))  # noqa: S608 - ours
    return f"{here} UNION ALL {there}"


_DELIVERIES = f"{STORE}.{deliveries.name}"
_NAMES = ", ".join(ARRIVING)
_COPY = f"""
INSERT INTO {_DELIVERIES} ({_NAMES}, state, warnings, due_at)
SELECT {_NAMES}, '{DeliveryState.RECEIVED.value}', '{NO_WARNINGS}', received_at FROM main.arrivals AS arrival
WHERE id <= ? AND NOT EXISTS (SELECT 1 FROM {_DELIVERIES} AS known WHERE known.dedupe = arrival.dedupe)
ORDER BY id
"""  # noqa: S608 - ours
