"""Deliveries as they come in: many in one statement, each stored once."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from relay.deliveries import DeliveryState, NewDelivery, Recorded
from relay.store.columns import pack
from relay.store.engine import insert_into
from relay.store.tables import deliveries


def packed(new: NewDelivery) -> NewDelivery:
    """Give a delivery as ``insert_deliveries`` takes it too, with its body packed.

    That is a good part of the work of storing it, and best done before everybody waits for the database.
    """
    return replace(new, body=pack(new.body))


def insert_deliveries(connection: Connection, incoming: Sequence[NewDelivery]) -> list[Recorded]:
    """Insert deliveries unless their ``dedupe`` is stored already; gives a receipt for each, in the order given.

    They go in sorted: two hosts that insert the same ones in different orders could wait for each other.
    """
    first_of = {new.dedupe: new for new in reversed(incoming)}
    rows = [_row(first_of[dedupe]) for dedupe in sorted(first_of)]
    statement = insert_into(connection, deliveries).on_conflict_do_nothing(index_elements=["dedupe"])
    inserted = connection.execute(statement.returning(deliveries.c.dedupe, deliveries.c.id), rows)
    new_ids: dict[str, int] = {row.dedupe: row.id for row in inserted}
    known_ids = _ids_of(connection, first_of.keys() - new_ids.keys())
    return [
        Recorded((new_ids | known_ids)[new.dedupe], repeated=new.dedupe in known_ids or first_of[new.dedupe] is not new)
        for new in incoming
    ]


def _ids_of(connection: Connection, dedupes: Set[str]) -> dict[str, int]:
    if not dedupes:
        return {}
    known = select(deliveries.c.dedupe, deliveries.c.id).where(deliveries.c.dedupe.in_(dedupes))
    return {row.dedupe: row.id for row in connection.execute(known)}


def _row(new: NewDelivery) -> dict[str, Any]:
    return {
        "platform": new.platform,
        "group_key": new.group,
        "shop": new.shop,
        "topic": new.topic,
        "dedupe": new.dedupe,
        "headers": dict(new.headers),
        "body": new.body,
        "received_at": new.received_at,
        "delivery_id": new.delivery_id,
        "webhook_id": new.webhook_id,
        "event_id": new.event_id,
        "triggered_at": new.triggered_at,
        "api_version": new.api_version,
        "state": DeliveryState.RECEIVED,
        "warnings": [],
        "due_at": new.received_at,
    }
