"""Deliveries as they come in: many in one statement, each stored once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import JSON, Connection, Dialect, Executable, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql

from relay.deliveries import DeliveryState, NewDelivery, Recorded
from relay.store.columns import NO_WARNINGS, as_json, pack, utc
from relay.store.group_commit import MOST_TOGETHER
from relay.store.tables import deliveries

Row = Mapping[str, Any]


def written(new: NewDelivery) -> Row:
    """Give the row of a delivery, with its body packed and its headers written out.

    That is a good part of the work of storing it, and best done before everybody waits for the database.
    """
    return {
        "platform": new.platform,
        "group_key": new.group,
        "shop": new.shop,
        "topic": new.topic,
        "dedupe": new.dedupe,
        "headers": as_json(dict(new.headers)),
        "body": pack(new.body),
        "received_at": new.received_at,
        "delivery_id": new.delivery_id,
        "webhook_id": new.webhook_id,
        "event_id": new.event_id,
        "triggered_at": new.triggered_at,
        "api_version": new.api_version,
        "state": DeliveryState.RECEIVED.value,
        "warnings": NO_WARNINGS,
        "due_at": new.received_at,
    }


def insert_deliveries(connection: Connection, incoming: Sequence[Row]) -> list[Recorded]:
    """Insert deliveries unless their ``dedupe`` is stored already; gives a receipt for each, in the order given.

    They go in sorted: two hosts that insert the same ones in different orders could wait for each other.
    """
    first_of = {row["dedupe"]: row for row in reversed(incoming)}
    rows = [first_of[dedupe] for dedupe in sorted(first_of)]
    insert = _insert_on_sqlite if connection.dialect.name == "sqlite" else _insert_on_postgresql
    new_ids = insert(connection, rows)
    known_ids = _ids_of(connection, [dedupe for dedupe in first_of if dedupe not in new_ids])
    return [
        Recorded(
            (new_ids | known_ids)[row["dedupe"]],
            repeated=row["dedupe"] in known_ids or first_of[row["dedupe"]] is not row,
        )
        for row in incoming
    ]


def _insert_on_postgresql(connection: Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Insert those that are new; gives their ids by dedupe.

    They go as one value, so that the statement is the same for any number of rows: the driver would read one that has a
    parameter for each field anew each time, and spend more on it than on all the rest.
    """
    inserted = connection.execute(_FROM_JSON, {"rows": json.dumps(list(rows), default=_plain)})
    return {row.dedupe: row.id for row in inserted}


def _plain(value: Any) -> str:
    moment = utc(value) if isinstance(value, datetime) else None
    return base64.b64encode(value).decode() if moment is None else moment.isoformat()


def _insert_on_sqlite(connection: Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Do the same, some hundred rows in one step of the database.

    For each step Python gives its interpreter away and has to wait until it gets it back, and with RETURNING each row
    is one: while a process answers many requests at once that made everybody wait several times as long.
    """
    processors = _processors(connection.dialect)
    ids: dict[str, int] = {}
    for begin in range(0, len(rows), MOST_TOGETHER):
        some = rows[begin : begin + MOST_TOGETHER]
        values = tuple(process(row[name]) if process else row[name] for row in some for name, process in processors)
        done = connection.exec_driver_sql(_text(len(some)), values)
        ids |= _numbers(connection, [row["dedupe"] for row in some], done.rowcount, done.lastrowid)
    return ids


@cache
def _processors(dialect: Dialect) -> list[tuple[str, Callable[[Any], Any] | None]]:
    """Give what makes a column's value one that the driver takes, column by column."""
    return [(name, deliveries.c[name].type.bind_processor(dialect)) for name in _COLUMNS]


def _numbers(connection: Connection, dedupes: Sequence[str], inserted: int, last: int) -> dict[str, int]:
    """Give the ids of those that were inserted; ``last`` is the highest. Numbers only grow (AUTOINCREMENT)."""
    if inserted == len(dedupes):  # in their order, and nobody else can have drawn one meanwhile
        return dict(zip(dedupes, range(last - inserted + 1, last + 1), strict=True))
    stored = sorted(_ids_of(connection, dedupes).items(), key=lambda each: each[1], reverse=True)
    return dict(stored[:inserted])


@lru_cache(MOST_TOGETHER)
def _text(number: int) -> str:
    row = f"({', '.join('?' * len(_COLUMNS))})"
    columns, values = ", ".join(_COLUMNS), ", ".join([row] * number)
    return f"INSERT INTO {deliveries.name} ({columns}) VALUES {values} ON CONFLICT (dedupe) DO NOTHING"  # noqa: S608


def _ids_of(connection: Connection, dedupes: Sequence[str]) -> dict[str, int]:
    return {row.dedupe: row.id for row in connection.execute(_IDS, {"dedupes": dedupes})} if dedupes else {}


def _from_json() -> Executable:
    fields = [column(name, Text() if name == "body" else deliveries.c[name].type) for name in _COLUMNS]
    given = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    rows = given.table_valued(*fields).render_derived(with_types=True)
    values = [func.decode(field, "base64") if field.name == "body" else field for field in rows.c]
    statement = postgresql.insert(deliveries).from_select(_COLUMNS, select(*values))
    return statement.on_conflict_do_nothing(index_elements=["dedupe"]).returning(deliveries.c.dedupe, deliveries.c.id)


_COLUMNS = (
    *("platform", "group_key", "shop", "topic", "dedupe", "headers", "body", "received_at", "delivery_id"),
    *("webhook_id", "event_id", "triggered_at", "api_version", "state", "warnings", "due_at"),
)
_FROM_JSON = _from_json()
_IDS = select(deliveries.c.dedupe, deliveries.c.id).where(deliveries.c.dedupe.in_(bindparam("dedupes", expanding=True)))
