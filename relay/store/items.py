"""Catalogue items: what the product feed is made of and what the catalogue has been told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, func, or_, select

from relay.memory import CatalogItem
from relay.store.bulk import Bulk
from relay.store.engine import INSERTS, Database
from relay.store.tables import catalog_items

PAGE = 500


class ItemStore:
    """The catalogue items of all e-shops."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stream(self, group: str, location: str) -> Iterator[CatalogItem]:
        """Give the active items of an e-shop by product id, reading a page at a time.

        Each page is a transaction of its own: a feed that is read slowly must not hold one open.
        """
        after = ""
        while page := self._page(group, location, after):
            yield from page
            after = page[-1].product_id

    def version(self, group: str, location: str) -> tuple[int, datetime | None]:
        """Give the number of active items and the time of the last change, which together tell a feed's versions."""
        active = func.count(case((catalog_items.c.active, 1)))
        with self._database.reading() as connection:
            row = connection.execute(
                select(active.label("active"), func.max(catalog_items.c.updated_at).label("changed_at")).where(
                    catalog_items.c.group_key == group, catalog_items.c.location == location
                )
            ).one()
        return row.active, row.changed_at

    def _page(self, group: str, location: str, after: str) -> list[CatalogItem]:
        with self._database.reading() as connection:
            rows = connection.execute(
                select(catalog_items)
                .where(
                    catalog_items.c.group_key == group,
                    catalog_items.c.location == location,
                    catalog_items.c.product_id > after,
                    catalog_items.c.active,
                )
                .order_by(catalog_items.c.product_id)
                .limit(PAGE)
            ).all()
        return [as_item(row) for row in rows]


def store_items(connection: Connection, items: Iterable[CatalogItem], now: datetime) -> None:
    """Add or replace items, each named once; ``updated_at`` becomes ``now`` where they differ from what is stored."""
    rows = [
        {
            "group_key": item.group,
            "location": item.location,
            "product_id": item.product_id,
            "shop": item.shop,
            "source_id": item.source_id,
            "fields": dict(item.fields),
            "active": item.active,
            "updated_at": now,
        }
        for item in sorted(items, key=lambda each: (each.group, each.location, each.product_id))
    ]
    _PUT_ITEM.run(connection, rows)


def _put_item(begun: Any) -> Any:
    new = {name: begun.excluded[name] for name in ("shop", "source_id", "fields", "active")}
    differs = or_(*(catalog_items.c[name].is_distinct_from(value) for name, value in new.items()))
    return begun.on_conflict_do_update(
        index_elements=["group_key", "location", "product_id"],
        set_={**new, "updated_at": begun.excluded.updated_at},
        where=differs,
    )


_PUT_ITEM = Bulk({name: _put_item(insert(catalog_items)) for name, insert in INSERTS.items()})


def as_item(row: Row[Any]) -> CatalogItem:
    """Give a row of ``catalog_items`` as what it stands for."""
    return CatalogItem(
        group=row.group_key,
        location=row.location,
        product_id=row.product_id,
        shop=row.shop,
        source_id=row.source_id,
        fields=row.fields,
        active=row.active,
        updated_at=row.updated_at,
        digest=row.digest,
    )
