"""Deliveries as they come in: many in one statement, each stored once."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Executable, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql, sqlite

from relay.deliveries import DeliveryState, NewDelivery, Recorded
from relay.store.columns import NO_WARNINGS, as_json, pack, utc
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
    new_ids = (_insert_one_by_one if connection.dialect.name == "sqlite" else _insert_together)(connection, rows)
    known_ids = _ids_of(connection, [dedupe for dedupe in first_of if dedupe not in new_ids])
    return [
        Recorded(
            (new_ids | known_ids)[row["dedupe"]],
            repeated=row["dedupe"] in known_ids or first_of[row["dedupe"]] is not row,
        )
        for row in incoming
    ]


def _insert_one_by_one(connection: Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Insert those that are new; gives their ids by dedupe. Where there are many, they come by way of an inbox."""
    inserted = (connection.execute(_INSERT, row).one_or_none() for row in rows)
    return {row.dedupe: row.id for row in inserted if row is not None}


def _insert_together(connection: Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Do the same with one statement.

    They go as one value, so that the statement is the same for any number of rows: the driver would read one that has a
    parameter for each field anew each time, and spend more on it than on all the rest.
    """
    inserted = connection.execute(_FROM_JSON, {"rows": json.dumps(list(rows), default=_plain)})
    return {row.dedupe: row.id for row in inserted}


def _plain(value: Any) -> str:
    moment = utc(value) if isinstance(value, datetime) else None
    return base64.b64encode(value).decode() if moment is None else moment.isoformat()


def _ids_of(connection: Connection, dedupes: Sequence[str]) -> dict[str, int]:
    return {row.dedupe: row.id for row in connection.execute(_IDS, {"dedupes": dedupes})} if dedupes else {}


def _from_json() -> Executable:
    fields = [column(name, Text() if name == "body" else deliveries.c[name].type) for name in _COLUMNS]
    given = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    rows = given.table_valued(*fields).render_derived(with_types=True)
    values = [func.decode(field, "base64") if field.name == "body" else field for field in rows.c]
    statement = postgresql.insert(deliveries).from_select(_COLUMNS, select(*values))
    return statement.on_conflict_do_nothing(index_elements=["dedupe"]).returning(deliveries.c.dedupe, deliveries.c.id)


ARRIVING = (
    *("platform", "group_key", "shop", "topic", "dedupe", "headers", "body", "received_at", "delivery_id"),
    *("webhook_id", "event_id", "triggered_at", "api_version"),
)
"""The columns whose values come with the request."""

_COLUMNS = (*ARRIVING, "state", "warnings", "due_at")
_FROM_JSON = _from_json()
_INSERT = (
    sqlite.insert(deliveries)
    .values({name: bindparam(name) for name in _COLUMNS})
    .on_conflict_do_nothing(index_elements=["dedupe"])
    .returning(deliveries.c.dedupe, deliveries.c.id)
)
_IDS = select(deliveries.c.dedupe, deliveries.c.id).where(deliveries.c.dedupe.in_(bindparam("dedupes", expanding=True)))
