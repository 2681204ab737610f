"""The search for what no link leads to: every row that holds words of others, shelf by shelf, a slice at a time.

A broken body, an ignored order or a note in somebody else's order may name a person too. Only reading can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    and_,
    null,
    select,
    tuple_,
)
from sqlalchemy import type_coerce as raw

from relay import jsontext
from relay.privacy import Person, contacts_of
from relay.store.columns import Compressed, Packed
from relay.store.privacy.traces import Traces, masked
from relay.store.tables import answers, attempts, catalog_items, commands, deliveries, resources

SLICE = 500

Place: TypeAlias = list[Any]
"""Where a search stands, as JSON: [shelf, key of the last row read]; [None, None] when it is through."""

THROUGH: Place = [None, None]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One table as the search reads it.

    key     its primary key
    words   the columns that hold words of others
    group   the column that tells whose it is: a group; where there is none, ``shop`` does, or nobody can tell
    """

    table: Table
    key: tuple[Column[Any], ...]
    words: tuple[Column[Any], ...]
    group: Column[Any] | None = None
    shop: Column[Any] | None = None

    def may_own(self, person: Person, group: str | None, shop: str | None) -> bool:
        """Tell whether a row of this group or shop can be about a person."""
        if self.group is not None:
            return group == person.group
        return self.shop is None or shop in (contacts_of(person.group), *person.shops)


SHELVES: Mapping[str, Shelf] = {
    "deliveries": Shelf(
        deliveries,
        (deliveries.c.id,),
        (deliveries.c.body, deliveries.c.headers, deliveries.c.warnings, deliveries.c.reason),
        deliveries.c.group_key,
        deliveries.c.shop,
    ),
    "resources": Shelf(
        resources,
        (resources.c.shop, resources.c.kind, resources.c.id),
        (resources.c.body, resources.c.facts, resources.c.email),
        shop=resources.c.shop,
    ),
    "commands": Shelf(
        commands,
        (commands.c.id,),
        (commands.c.payload, commands.c.last_error, commands.c.warnings),
        commands.c.group_key,
    ),
    "attempts": Shelf(attempts, (attempts.c.command_id, attempts.c.number), (attempts.c.message,)),
    "answers": Shelf(answers, (answers.c.key,), (answers.c.body,)),
    "catalog_items": Shelf(
        catalog_items,
        (catalog_items.c.group_key, catalog_items.c.location, catalog_items.c.product_id),
        (catalog_items.c.fields,),
        catalog_items.c.group_key,
    ),
}
_ORDER = list(SHELVES)
START: Place = [_ORDER[0], None]


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that names one of the persons searched for, by its place among them."""

    shelf: str
    key: tuple[Any, ...]
    person: int


def read_slice(
    connection: Connection, place: Place, persons: Sequence[Person], traces: Traces
) -> tuple[list[Hit], Place]:
    """Read on from a place; gives the rows that name somebody, in order, and the place after them."""
    name, after = place
    shelf = SHELVES[name]
    rows = connection.execute(_page(shelf, after)).all()
    keys = [tuple(row[: len(shelf.key)]) for row in rows]
    hits = [
        Hit(name, key, person)
        for key, row in zip(keys, rows, strict=True)
        for person in _named(shelf, row, persons, traces)
    ]
    if len(rows) == SLICE:
        return hits, [name, list(keys[-1])]
    following = _ORDER.index(name) + 1
    return hits, [_ORDER[following], None] if following < len(_ORDER) else THROUGH


def is_row(shelf: Shelf, key: Sequence[Any]) -> ColumnElement[bool]:
    """Compare with the primary key of a shelf's table."""
    return and_(*(column == part for column, part in zip(shelf.key, key, strict=True)))


def mask_row(connection: Connection, hit: Hit, person: Person) -> None:
    """Replace what names a person in a row that is about somebody else, or about nobody."""
    shelf = SHELVES[hit.shelf]
    row = connection.execute(select(*shelf.words).where(is_row(shelf, hit.key)).with_for_update()).one_or_none()
    if row is None:
        return
    values = {column.name: _without(value, person) for column, value in zip(shelf.words, row, strict=True)}
    connection.execute(shelf.table.update().where(is_row(shelf, hit.key)).values(values))


def _page(shelf: Shelf, after: Sequence[Any] | None) -> Select[Any]:
    owners = [null() if column is None else column for column in (shelf.group, shelf.shop)]
    # Texts are read as they are stored: parsing JSON to search it would be waste.
    words = [column if _is_bytes(column) else raw(column, Text) for column in shelf.words]
    named = [each.label(f"column_{place}") for place, each in enumerate([*owners, *words])]
    statement = select(*shelf.key, *named)
    if after is not None:
        statement = statement.where(tuple_(*shelf.key) > tuple_(*after))
    return statement.order_by(*shelf.key).limit(SLICE)


def _is_bytes(column: Column[Any]) -> bool:
    return isinstance(column.type, LargeBinary | Compressed | Packed)


def _named(shelf: Shelf, row: Row[Any], persons: Sequence[Person], traces: Traces) -> Iterator[int]:
    group, shop, *words = row[len(shelf.key) :]
    found: set[int] = set()
    for text in words:
        if text:
            found |= traces.whose(text, shop)
    return (place for place in sorted(found) if shelf.may_own(persons[place], group, shop))


def _without(value: Any, person: Person) -> Any:
    if not isinstance(value, bytes):
        return masked(value, person)
    try:
        return jsontext.dumps(masked(jsontext.loads(value), person)).encode()
    except ValueError:
        return masked(value.decode("utf-8", "replace"), person).encode()
