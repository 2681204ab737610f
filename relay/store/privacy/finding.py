"""All that is linked to a person: the one definition of it, which erasing and disclosing share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from relay.chunks import in_chunks
from relay.commands import CommandKind
from relay.commerce import ResourceKind
from relay.privacy import CONTACT_KIND, Person, contacts_of, pseudonym
from relay.store.pseudonyms import known_key
from relay.store.tables import commands, contact_addresses, contacts, deliveries, resources

Key: TypeAlias = tuple[str, str, str]
"""Shop, kind and id of a resource."""

PERSONAL = (ResourceKind.CUSTOMER, ResourceKind.ORDER, ResourceKind.CART)
"""The kinds of resources that are about people."""

_CHUNK = 500  # of the values in one statement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """What is linked to a person. ``person`` has all addresses and accounts that turned up on the way."""

    person: Person
    contacts: Sequence[int]
    resources: Sequence[Key]
    deliveries: Sequence[int]
    commands: Sequence[int]


def find(connection: Connection, person: Person, until: datetime | None = None) -> Found:
    """Find all that is linked to a person; what is remembered of a moment after ``until`` is left out."""
    person, ids, owned = _followed(connection, person)
    named = {key for kind, pairs in _named(person) for key in ((shop, str(kind), id_) for shop, id_ in pairs)}
    kept = {key for key, since in owned.items() if until is not None and since is not None and since > until}
    about = {*owned, *named} - kept
    kept_deliveries = set(_deliveries_about(connection, kept))
    asked = _commands_about(connection, ids) if ids else {}
    found = {*_deliveries_about(connection, about), *asked.values()} - kept_deliveries
    linked = {*(id_ for id_, delivery in asked.items() if delivery in found), *commands_of(connection, found)}
    return Found(
        person=person,
        contacts=sorted(ids),
        resources=sorted(key for key in {*owned, *_remembered_people(connection, person)} if key not in kept),
        deliveries=sorted(found),
        commands=sorted(linked),
    )


def chunks(values: Collection[T]) -> Iterator[list[T]]:
    """Give values in lists short enough for one statement."""
    return in_chunks(list(values), _CHUNK)


def commands_of(connection: Connection, found: Collection[int]) -> Iterator[int]:
    """Give the commands about people that deliveries asked for."""
    people = commands.c.kind != CommandKind.PRODUCT_UPSERT
    for chunk in chunks(found):
        yield from connection.scalars(select(commands.c.id).where(commands.c.delivery_id.in_(chunk), people))


def is_key(key: Key) -> ColumnElement[bool]:
    """Compare with the key of ``resources``."""
    shop, kind, id_ = key
    return and_(resources.c.shop == shop, resources.c.kind == kind, resources.c.id == id_)


def _followed(connection: Connection, person: Person) -> tuple[Person, set[int], dict[Key, datetime | None]]:
    """Follow addresses to accounts and accounts to their addresses, until no new ones turn up."""
    while True:
        aliased, ids = _with_aliases(connection, person)
        rows = _owned(connection, aliased)
        own = [row for row in rows if row.kind == ResourceKind.CUSTOMER]
        accounts = {*person.accounts, *((row.shop, row.id) for row in own)}
        addresses = {*aliased.addresses, *(row.email for row in own if row.email)}
        found = replace(aliased, addresses=tuple(sorted(addresses)), accounts=tuple(sorted(accounts)))
        if found == person:
            return person, ids, {(row.shop, row.kind, row.id): row.since for row in rows}
        person = found


def _with_aliases(connection: Connection, person: Person) -> tuple[Person, set[int]]:
    """Follow addresses to contacts and contacts to their other addresses, until no new ones turn up."""
    addresses, ids = set(person.addresses), set[int]()
    while True:
        known = {*ids, *connection.scalars(_contacts_at(person.group, addresses))}
        same_card = select(contacts.c.contact_id).where(contacts.c.id.in_(known), contacts.c.contact_id.is_not(None))
        mine = and_(contacts.c.group_key == person.group, contacts.c.contact_id.in_(same_card))
        known |= {*connection.scalars(select(contacts.c.id).where(mine))}
        present = select(contacts.c.address).where(contacts.c.id.in_(known), contacts.c.address.is_not(None))
        former = select(contact_addresses.c.address).where(contact_addresses.c.contact.in_(known))
        spelt = {*addresses, *connection.scalars(present), *connection.scalars(former)}
        if (known, spelt) == (ids, addresses):
            return replace(person, addresses=tuple(sorted(addresses))), ids
        ids, addresses = known, spelt


def _contacts_at(group: str, addresses: Collection[str]) -> Any:
    here = and_(contact_addresses.c.group_key == group, contact_addresses.c.address.in_(addresses))
    present = and_(contacts.c.group_key == group, contacts.c.address.in_(addresses))
    return select(contact_addresses.c.contact).where(here).union(select(contacts.c.id).where(present))


def _named(person: Person) -> Iterable[tuple[ResourceKind, Sequence[tuple[str, str]]]]:
    return (ResourceKind.CUSTOMER, person.accounts), (ResourceKind.ORDER, person.orders)


def _owned(connection: Connection, person: Person) -> list[Row[Any]]:
    """Give the keys of the accounts, orders and carts of a person, with their address and the moment each speaks of."""
    kinds = resources.c.kind.in_(PERSONAL)
    conditions = [and_(resources.c.email.in_(chunk), kinds) for chunk in chunks(person.addresses)]
    for kind, pairs in _named(person):
        conditions += [or_(*(is_key((shop, kind, id_)) for shop, id_ in chunk)) for chunk in chunks(pairs)]
    for chunk in chunks(person.accounts):
        mine = (and_(resources.c.shop == shop, resources.c.account == account) for shop, account in chunk)
        conditions.append(and_(or_(*mine), kinds))
    rows = (row for condition in conditions for row in connection.execute(_keys().where(condition)))
    return [row for row in rows if row.shop in person.shops]


def _keys() -> Any:
    return select(resources.c.shop, resources.c.kind, resources.c.id, resources.c.since, resources.c.email)


def _remembered_people(connection: Connection, person: Person) -> set[Key]:
    """Give the keys under which the person is remembered as a contact of the group."""
    key = known_key(connection)
    if key is None:
        return set()
    named = [(contacts_of(person.group), CONTACT_KIND, pseudonym(key, person.group, a)) for a in person.addresses]
    return {each for each in named if connection.execute(_keys().where(is_key(each))).first() is not None}


def _deliveries_about(connection: Connection, keys: Collection[Key]) -> Iterator[int]:
    columns = (deliveries.c.id, deliveries.c.shop, deliveries.c.resource_kind, deliveries.c.resource_id)
    for chunk in chunks({id_ for _, _, id_ in keys}):
        for row in connection.execute(select(*columns).where(deliveries.c.resource_id.in_(chunk))):
            if (row.shop, row.resource_kind, row.resource_id) in keys:
                yield row.id


def _commands_about(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """Give the commands about contacts, each with its delivery."""
    rows: Iterable[Row[Any]] = connection.execute(
        select(commands.c.id, commands.c.delivery_id).where(commands.c.contact.in_(ids))
    )
    return {row.id: row.delivery_id for row in rows}
