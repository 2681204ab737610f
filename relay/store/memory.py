"""Memory as translation reads it, inside the transaction that will store what it makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from relay.commands import EventKey
from relay.memory import CatalogItem, EventLink, Resource
from relay.privacy import pseudonym
from relay.store.contacts import contact_digest
from relay.store.engine import insert_into
from relay.store.items import as_item
from relay.store.locking import serialise
from relay.store.pseudonyms import pseudonym_key
from relay.store.tables import catalog_items, events, resources


class StoredMemory:
    """The ``relay.memory.Memory`` of one transaction.

    Whatever is read is closed to other transactions until this one ends: otherwise two workers could translate two
    deliveries of one order at the same time, and each would miss what the other asks for.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._key: bytes | None = None

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        """Give what is remembered of a resource."""
        serialise(self._connection, ("resource", shop, kind, resource_id))
        row = self._connection.execute(
            select(resources).where(resources.c.shop == shop, resources.c.kind == kind, resources.c.id == resource_id)
        ).one_or_none()
        return None if row is None else Resource(**row._mapping)

    def events(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        """Give all events ever asked for on behalf of a resource, by slot."""
        serialise(self._connection, ("resource", shop, kind, resource_id))
        rows = self._connection.execute(
            select(events)
            .where(events.c.shop == shop, events.c.kind == kind, events.c.resource_id == resource_id)
            .order_by(events.c.slot)
        )
        return [
            EventLink(EventKey(shop, kind, resource_id, row.slot), row.digest, row.event_id, row.date) for row in rows
        ]

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        """Give the catalogue items made of one of the shop's products, by product id."""
        serialise(self._connection, ("items", group, location, shop, source_id))
        rows = self._connection.execute(
            select(catalog_items)
            .where(
                catalog_items.c.group_key == group,
                catalog_items.c.location == location,
                catalog_items.c.shop == shop,
                catalog_items.c.source_id == source_id,
            )
            .order_by(catalog_items.c.product_id)
        )
        return [as_item(row) for row in rows]

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        """Give one catalogue item by the id SALESmanago knows it by."""
        serialise(self._connection, ("item", group, location, product_id))
        row = self._connection.execute(
            select(catalog_items).where(
                catalog_items.c.group_key == group,
                catalog_items.c.location == location,
                catalog_items.c.product_id == product_id,
            )
        ).one_or_none()
        return None if row is None else as_item(row)

    def contact_digest(self, group: str, email: str) -> str | None:
        """Give the digest of the contact content last asked for, None when unknown or deleted since."""
        return contact_digest(self._connection, group, email)

    def pseudonym(self, *parts: str) -> str:
        """Give the name under which memory keeps what must not name anybody: a keyed hash, the same for ever."""
        if self._key is None:
            self._key = pseudonym_key(self._connection)
        return pseudonym(self._key, *parts)


def store_resources(connection: Connection, remembered: Iterable[Resource]) -> None:
    """Add or replace what is remembered of resources."""
    for resource in remembered:
        news = {
            "updated_at": resource.updated_at,
            "email": resource.email,
            "topic": resource.topic,
            "body": resource.body,
            "facts": dict(resource.facts),
            "account": resource.account,
            "since": resource.since,
        }
        statement = insert_into(connection, resources).values(
            shop=resource.shop, kind=resource.kind, id=resource.id, **news
        )
        connection.execute(statement.on_conflict_do_update(index_elements=["shop", "kind", "id"], set_=news))
