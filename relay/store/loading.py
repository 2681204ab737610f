"""Claimed commands, with what is known today of the contacts and events they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, exists, func, select

from relay.commands import CommandKind, CommandState, EventKey, StoredCommand
from relay.store.columns import state_in
from relay.store.tables import OPEN_COMMANDS, commands, contacts, events


def load(connection: Connection, ids: Sequence[int]) -> list[StoredCommand]:
    """Give commands with what sending them needs to know, in their order."""
    loaded = [_stored(row) for row in connection.execute(_LOAD, {"ids": ids})]
    in_doubt = [command.id for command in loaded if command.answer_lost or command.doubted]
    if not in_doubt:
        return loaded
    rivals = _rivals(connection, in_doubt)
    return [replace(command, rivals=tuple(rivals[command.id])) for command in loaded]


def _rivals(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[Mapping[str, Any]]]:
    """Give what the lost call about an event may have carried instead of a command's own payload.

    Of several updates a call carries the newest. When its answer is lost they are looked for one by one, and what
    stands in the card is what a later one of them says. It may also be what an uncertain earlier command said.
    """
    found: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for statement in (_BEGUN_LATER, _UNCERTAIN_EARLIER):
        for row in connection.execute(statement, {"ids": ids}):
            found[row.id].append(row.payload)
    return found


def is_uncertain(columns: Any) -> ColumnElement[bool]:
    """Tell whether a command is uncertain, in the words of the partial index of those that wait for somebody."""
    return state_in(columns.state, [CommandState.UNCERTAIN])


def same_event(one: Any, other: Any) -> ColumnElement[bool]:
    """Tell whether two commands are about one event of one group."""
    names = ("group_key", "event_shop", "event_kind", "event_resource_id", "event_slot")
    return and_(*(getattr(one, name) == getattr(other, name) for name in names))


def _stored(row: Row[Any]) -> StoredCommand:
    return StoredCommand(
        id=row.id,
        delivery_id=row.delivery_id,
        group=row.group_key,
        kind=CommandKind(row.kind),
        subject=row.subject,
        payload=row.payload,
        created_at=row.created_at,
        attempts=row.attempts,
        lease_token=row.lease_token,
        email=row.email,
        contact_id=row.known_contact_id,
        event_id=row.known_event_id,
        location=row.location,
        event=_of_event(row),
        answer_lost=row.answer_lost,
        doubted=row.doubted and row.known_event_id is None,
    )


def _of_event(row: Row[Any]) -> EventKey | None:
    if row.event_shop is None:
        return None
    return EventKey(row.event_shop, row.event_kind, row.event_resource_id, row.event_slot)


_LOADED = (
    *("id", "delivery_id", "group_key", "kind", "subject", "payload", "created_at", "attempts", "lease_token"),
    *("location", "event_shop", "event_kind", "event_resource_id", "event_slot", "answer_lost"),
)


def _loading() -> Select[Any]:
    earlier = commands.alias("earlier")
    doubted = exists().where(same_event(earlier.c, commands.c), is_uncertain(earlier.c), earlier.c.id < commands.c.id)
    return (
        select(
            *(commands.c[name] for name in _LOADED),
            contacts.c.email,
            contacts.c.contact_id.label("known_contact_id"),
            # Of an event that was looked for, only the command that did so knows the id.
            func.coalesce(events.c.event_id, commands.c.event_id).label("known_event_id"),
            doubted.label("doubted"),
        )
        .select_from(commands)
        .outerjoin(contacts, contacts.c.id == commands.c.contact)
        .outerjoin(
            events,
            and_(
                events.c.shop == commands.c.event_shop,
                events.c.kind == commands.c.event_kind,
                events.c.resource_id == commands.c.event_resource_id,
                events.c.slot == commands.c.event_slot,
            ),
        )
        .where(commands.c.id.in_(bindparam("ids", expanding=True)))
        .order_by(commands.c.id)
    )


def _others(other: Any, *conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(commands.c.id, other.c.payload)
        .select_from(commands)
        .join(other, and_(same_event(other.c, commands.c), *conditions))
        .where(commands.c.id.in_(bindparam("ids", expanding=True)))
        .order_by(other.c.id.desc())
    )


_LOAD = _loading()
_other = commands.alias("other")
_BEGUN_LATER = _others(
    _other,
    _other.c.subject == commands.c.subject,  # by the index of what is open
    state_in(_other.c.state, OPEN_COMMANDS),
    _other.c.kind == CommandKind.EVENT_PUT,
    _other.c.attempts > 0,
    _other.c.id > commands.c.id,
)
_UNCERTAIN_EARLIER = _others(
    _other, is_uncertain(_other.c), _other.c.kind == CommandKind.EVENT_PUT, _other.c.id < commands.c.id
)
