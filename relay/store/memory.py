"""Memory as translation reads it, inside the transaction that will store what it makes of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, bindparam, select

from relay.commands import EventKey
from relay.memory import CatalogItem, EventLink, Resource, ResourceKey
from relay.privacy import pseudonym
from relay.store.bulk import Bulk
from relay.store.columns import as_json, compressed
from relay.store.engine import INSERTS
from relay.store.items import as_item
from relay.store.locking import serialise, serialise_free
from relay.store.tables import catalog_items, contact_addresses, contacts, events, resources

Person: TypeAlias = tuple[str, str]
"""A group, and an address in lower case."""


class StoredMemory:
    """The ``relay.memory.Memory`` of one transaction.

    Whatever is read is closed to other transactions until this one ends: otherwise two workers could translate two
    deliveries of one order at the same time, and each would miss what the other asks for. ``waits`` tells whether to
    wait for what another transaction has closed, or to raise Contended.
    """

    def __init__(self, connection: Connection, key: bytes) -> None:
        """Take the transaction's connection, and the key of pseudonyms."""
        self._connection = connection
        self._key = key
        self._closed: set[tuple[str, ...]] = set()
        self.waits = True

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        """Give what is remembered of a resource."""
        self._close("resource", shop, kind, resource_id)
        named = {"of_shop": shop, "of_kind": kind, "of_id": resource_id}
        row = self._connection.execute(_RESOURCE, named).one_or_none()
        return None if row is None else Resource(*row)

    def events(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        """Give all events ever asked for on behalf of a resource, by slot."""
        self._close("resource", shop, kind, resource_id)
        rows = self._connection.execute(_EVENTS, {"of_shop": shop, "of_kind": kind, "of_id": resource_id})
        return [_as_link(row) for row in rows]

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        """Give the catalogue items made of one of the shop's products, by product id."""
        self._close("items", group, location, shop, source_id)
        named = {"of_group": group, "of_location": location, "of_shop": shop, "of_source": source_id}
        return [as_item(row) for row in self._connection.execute(_ITEMS, named)]

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        """Give one catalogue item by the id SALESmanago knows it by."""
        self._close("item", group, location, product_id)
        named = {"of_group": group, "of_location": location, "of_id": product_id}
        row = self._connection.execute(_ITEM, named).one_or_none()
        return None if row is None else as_item(row)

    def contact_digest(self, group: str, email: str) -> str | None:
        """Give the digest of the contact content last asked for, None when unknown or deleted since."""
        return self.contact(group, email.lower())[1]

    def contact(self, group: str, address: str) -> tuple[int | None, str | None]:
        """Give the id and digest of the contact that has an address (lower case); (None, None) when nobody has it."""
        self._close("address", group, address)
        row = self._connection.execute(_CONTACT, {"of_group": group, "of_address": address}).one_or_none()
        return (None, None) if row is None else (row.id, row.digest)

    def resources(self, keys: Collection[ResourceKey]) -> dict[ResourceKey, Resource | None]:
        """Give what ``resource`` gives for many, as far as they can be closed."""
        found: dict[ResourceKey, Resource | None] = dict.fromkeys(self._close_resources(keys))
        for named in by_kind(found):
            for row in self._connection.execute(_RESOURCES, named):
                found[row.shop, row.kind, row.id] = Resource(*row)
        return found

    def links(self, keys: Collection[ResourceKey]) -> dict[ResourceKey, list[EventLink]]:
        """Give what ``events`` gives for many, as far as they can be closed."""
        found: dict[ResourceKey, list[EventLink]] = {key: [] for key in self._close_resources(keys)}
        for named in by_kind(found):
            for row in self._connection.execute(_LINKS, named):
                found[row.shop, row.kind, row.resource_id].append(_as_link(row))
        return found

    def contacts(self, people: Collection[Person]) -> dict[Person, tuple[int | None, str | None]]:
        """Give what ``contact`` gives for many (group, lower-cased address), as far as they can be closed."""
        closed = self._close_free([("address", *person) for person in people])
        found: dict[Person, tuple[int | None, str | None]] = {
            person: (None, None) for person in people if ("address", *person) in closed
        }
        for group in {group for group, _ in found}:
            among = [address for of_group, address in found if of_group == group]
            for row in self._connection.execute(_CONTACTS, {"of_group": group, "among": among}):
                found[group, row.address] = (row.id, row.digest)
        return found

    def pseudonym(self, *parts: str) -> str:
        """Give the name under which memory keeps what must not name anybody: a keyed hash, the same for ever."""
        return pseudonym(self._key, *parts)

    def _close(self, *thing: str) -> None:
        if thing not in self._closed:
            serialise(self._connection, thing, wait=self.waits)
            self._closed.add(thing)

    def _close_resources(self, keys: Collection[ResourceKey]) -> list[ResourceKey]:
        closed = self._close_free([("resource", *key) for key in keys])
        return [key for key in keys if ("resource", *key) in closed]

    def _close_free(self, things: Collection[tuple[str, ...]]) -> set[tuple[str, ...]]:
        """Close what can be closed: all of it while this may wait, else what nobody else has; gives that."""
        if self.waits:
            serialise(self._connection, *(thing for thing in things if thing not in self._closed))
            self._closed.update(things)
        else:
            self._closed |= serialise_free(self._connection, [each for each in things if each not in self._closed])
        return self._closed


def by_kind(keys: Iterable[ResourceKey]) -> list[dict[str, Any]]:
    """Give the parameters of the statements that read many: the engines look ids up one by one only in one column."""
    ids: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for shop, kind, resource_id in keys:
        ids[shop, kind].append(resource_id)
    return [{"of_shop": shop, "of_kind": kind, "among": mine} for (shop, kind), mine in ids.items()]


def _as_link(row: Row[Any]) -> EventLink:
    return EventLink(EventKey(row.shop, row.kind, row.resource_id, row.slot), row.digest, row.event_id, row.date)


def resource_row(resource: Resource) -> dict[str, Any]:
    """Give what is stored of a resource, written out."""
    return {
        "shop": resource.shop,
        "kind": str(resource.kind),
        "id": resource.id,
        "updated_at": resource.updated_at,
        "email": resource.email,
        "topic": resource.topic,
        "body": compressed(resource.body),
        "facts": as_json(dict(resource.facts)),
        "account": resource.account,
        "since": resource.since,
    }


def store_resources(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add or replace what is remembered of resources; of two rows about one the later counts."""
    last = {(row["shop"], row["kind"], row["id"]): row for row in rows}
    _PUT_RESOURCE.run(connection, [last[key] for key in sorted(last)])


def _put_resource(begun: Any) -> Any:
    news = {name: begun.excluded[name] for name in _NEWS}
    return begun.on_conflict_do_update(index_elements=["shop", "kind", "id"], set_=news)


_NEWS = ("updated_at", "email", "topic", "body", "facts", "account", "since")
# Statements are made once: making one anew costs as much as carrying it out.
_PUT_RESOURCE = Bulk({name: _put_resource(insert(resources)) for name, insert in INSERTS.items()})
_RESOURCE = select(resources).where(
    resources.c.shop == bindparam("of_shop"),
    resources.c.kind == bindparam("of_kind"),
    resources.c.id == bindparam("of_id"),
)
_RESOURCES = select(resources).where(
    resources.c.shop == bindparam("of_shop"),
    resources.c.kind == bindparam("of_kind"),
    resources.c.id.in_(bindparam("among", expanding=True)),
)
_EVENTS = (
    select(events)
    .where(
        events.c.shop == bindparam("of_shop"),
        events.c.kind == bindparam("of_kind"),
        events.c.resource_id == bindparam("of_id"),
    )
    .order_by(events.c.slot)
)
_LINKS = (
    select(events)
    .where(
        events.c.shop == bindparam("of_shop"),
        events.c.kind == bindparam("of_kind"),
        events.c.resource_id.in_(bindparam("among", expanding=True)),
    )
    .order_by(events.c.slot)
)
_ITEMS = (
    select(catalog_items)
    .where(
        catalog_items.c.group_key == bindparam("of_group"),
        catalog_items.c.location == bindparam("of_location"),
        catalog_items.c.shop == bindparam("of_shop"),
        catalog_items.c.source_id == bindparam("of_source"),
    )
    .order_by(catalog_items.c.product_id)
)
_ITEM = select(catalog_items).where(
    catalog_items.c.group_key == bindparam("of_group"),
    catalog_items.c.location == bindparam("of_location"),
    catalog_items.c.product_id == bindparam("of_id"),
)
_CONTACT = (
    select(contacts.c.id, contacts.c.digest)
    .join(contact_addresses, contact_addresses.c.contact == contacts.c.id)
    .where(
        contact_addresses.c.group_key == bindparam("of_group"), contact_addresses.c.address == bindparam("of_address")
    )
)
_CONTACTS = (
    select(contact_addresses.c.address, contacts.c.id, contacts.c.digest)
    .join(contacts, contact_addresses.c.contact == contacts.c.id)
    .where(
        contact_addresses.c.group_key == bindparam("of_group"),
        contact_addresses.c.address.in_(bindparam("among", expanding=True)),
    )
)
