"""All that is stored about a person, for the person: the same rows that an erasure takes away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from relay import jsontext
from relay.clock import iso
from relay.privacy import CONTACT_KIND, LASTING_FACTS, Person
from relay.store.privacy.finding import Key, chunks, commands_of, find, is_key
from relay.store.tables import attempts, commands, contacts, deliveries, events, resources

_CARD = "card"  # of a contact: another pseudonym
_HIDDEN = frozenset({"lease_token", "dedupe", "due_at"})
"""The relay's own housekeeping, which is about nobody."""


def disclosed(connection: Connection, person: Person, searched: Mapping[str, Any]) -> dict[str, Any]:
    """Give everything stored about a person as JSON values.

    ``searched`` has what no link leads to: ``deliveries`` and ``resources``, and the ``mentions`` in rows about others,
    which are named, not shown.
    """
    found = find(connection, person)
    keys = sorted({*found.resources, *((shop, kind, id_) for shop, kind, id_ in searched["resources"])})
    delivery_ids = sorted({*found.deliveries, *searched["deliveries"]})
    command_ids = sorted({*found.commands, *commands_of(connection, delivery_ids)})
    about = [key for key in keys if key[1] != CONTACT_KIND]
    return {
        "addresses": list(found.person.addresses),
        "contacts": _rows(connection, select(contacts), contacts.c.id, found.contacts),
        "memory": [row for row in _memory(connection, keys) if not _is_bare(row)],
        "deliveries": _rows(connection, select(deliveries), deliveries.c.id, delivery_ids),
        "commands": _rows(connection, select(commands), commands.c.id, command_ids),
        "attempts": _rows(connection, select(attempts), attempts.c.command_id, command_ids),
        "events": _events(connection, about),
        "mentions": list(searched["mentions"]),
    }


def _memory(connection: Connection, keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
    for key in keys:
        yield from _plain(connection, select(resources).where(is_key(key)))


def _is_bare(row: Mapping[str, Any]) -> bool:
    """Tell whether memory keeps nothing of a person but the moment of an erasure, under a name that is none."""
    return "body" not in row and row["facts"].keys() <= LASTING_FACTS | {_CARD}


def _events(connection: Connection, about: Collection[Key]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for chunk in chunks(about):
        mine = (
            and_(events.c.shop == shop, events.c.kind == kind, events.c.resource_id == id_) for shop, kind, id_ in chunk
        )
        found += _plain(connection, select(events).where(or_(*mine)))
    return found


def _rows(connection: Connection, statement: Select[Any], column: Any, ids: Collection[int]) -> list[dict[str, Any]]:
    return [
        row for chunk in chunks(ids) for row in _plain(connection, statement.where(column.in_(chunk)).order_by(column))
    ]


def _plain(connection: Connection, statement: Select[Any]) -> list[dict[str, Any]]:
    return [_as_json(row) for row in connection.execute(statement)]


def _as_json(row: Row[Any]) -> dict[str, Any]:
    shown = {str(name): value for name, value in row._mapping.items() if name not in _HIDDEN}
    return {name: _value(value) for name, value in shown.items() if value is not None}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if not isinstance(value, bytes):
        return value
    try:
        return jsontext.loads(value)
    except ValueError:
        return value.decode("utf-8", "backslashreplace")
