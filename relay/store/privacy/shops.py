"""Forgetting a whole shop, a slice at a time: its deliveries, then what is remembered of it, then its products.

The links from its orders to SALESmanago's events stay; they name nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select, tuple_

from relay import jsontext
from relay.deliveries import NewDelivery
from relay.privacy import CONTACT_KIND, ERASE_TOPIC, RELAY_PLATFORM, contacts_of, pseudonym
from relay.store.privacy.erasing import (
    blank_deliveries,
    forget_contacts,
    unsettled,
    withdraw_commands,
)
from relay.store.privacy.finding import is_key
from relay.store.privacy.searching import SLICE, THROUGH, Place
from relay.store.pseudonyms import pseudonym_key
from relay.store.receiving import insert_deliveries, written
from relay.store.tables import catalog_items, commands, contact_addresses, contacts, deliveries, resources

_DELIVERIES, _SETTLING, _MEMORY = "deliveries", "settling", "memory"


def erase_shop_slice(
    connection: Connection, task_id: int, work: dict[str, Any], counts: dict[str, int], place: Place, now: datetime
) -> Place:
    """Do the next slice of a shop's erasure, noting it in ``work`` and ``counts``; gives where to go on.

    It goes on at the same place while commands of the shop are under way.
    """
    phase, after = place
    if phase == _DELIVERIES:
        return _erase_deliveries(connection, work, counts, after, now)
    if phase == _SETTLING:
        if unsettled(connection, work["commands"]):
            return place
        withdraw_commands(connection, work["commands"], now)
        return [_MEMORY, None]
    return _erase_memory(connection, task_id, work, counts, after, now)


def _erase_deliveries(
    connection: Connection, work: dict[str, Any], counts: dict[str, int], after: int, now: datetime
) -> Place:
    upto = work["upto"][deliveries.name]
    here = and_(deliveries.c.id > after, deliveries.c.id <= upto)
    read = connection.execute(
        select(deliveries.c.id, deliveries.c.shop).where(here).order_by(deliveries.c.id).limit(SLICE)
    ).all()
    ids = [row.id for row in read if row.shop == work["shop"]]
    asked = connection.scalars(select(commands.c.id).where(commands.c.delivery_id.in_(ids))).all()
    blank_deliveries(connection, ids)
    work["commands"] = sorted({*work["commands"], *withdraw_commands(connection, asked, now)})
    _count(counts, "deliveries", len(ids))
    _count(counts, "commands", len(asked))
    return [_DELIVERIES, read[-1].id] if len(read) == SLICE else [_SETTLING, None]


def _erase_memory(
    connection: Connection,
    task_id: int,
    work: Mapping[str, Any],
    counts: dict[str, int],
    after: Sequence[str] | None,
    now: datetime,
) -> Place:
    key = (resources.c.kind, resources.c.id)
    mine = resources.c.shop == work["shop"]
    statement = select(*key, resources.c.email).where(mine)
    if after is not None:
        statement = statement.where(tuple_(*key) > tuple_(*after))
    rows = connection.execute(statement.order_by(*key).limit(SLICE)).all()
    addresses = _only_here(connection, work, rows)
    if work["delete_contacts"]:
        _ask_for_deletions(connection, task_id, work, addresses, now)
    else:
        for address in addresses:
            _forget_person(connection, work["group"], address)
    for row in rows:
        connection.execute(delete(resources).where(is_key((work["shop"], row.kind, row.id))))
    _count(counts, "resources", len(rows))
    _count(counts, "people", len(addresses))
    if len(rows) == SLICE:
        return [_MEMORY, [rows[-1].kind, rows[-1].id]]
    removed = connection.execute(
        delete(catalog_items).where(catalog_items.c.group_key == work["group"], catalog_items.c.shop == work["shop"])
    )
    _count(counts, "items", removed.rowcount)
    return THROUGH


def _only_here(connection: Connection, work: Mapping[str, Any], rows: Iterable[Any]) -> list[str]:
    """Give the addresses among rows of memory that no other shop of the group knows."""
    addresses = {row.email for row in rows if row.email}
    elsewhere = select(resources.c.email).where(resources.c.email.in_(addresses), resources.c.shop.in_(work["peers"]))
    return sorted(addresses - set(connection.scalars(elsewhere)))


def _ask_for_deletions(
    connection: Connection, task_id: int, work: Mapping[str, Any], addresses: Iterable[str], now: datetime
) -> None:
    """Let each person be erased by a delivery of their own, as if the shop had asked for it."""
    incoming = [
        NewDelivery(
            platform=RELAY_PLATFORM,
            group=work["group"],
            shop=work["shop"],
            topic=ERASE_TOPIC,
            dedupe=jsontext.digest([RELAY_PLATFORM, task_id, address]),
            headers={},
            body=jsontext.dumps({"email": address, "thorough": False}).encode(),
            received_at=now,
            triggered_at=datetime.fromisoformat(work["until"]),
        )
        for address in addresses
    ]
    if incoming:
        insert_deliveries(connection, list(map(written, incoming)))


def _forget_person(connection: Connection, group: str, address: str) -> None:
    """Forget somebody who stays in SALESmanago; REST calls about the person are the caller's and stay too."""
    key = (contacts_of(group), CONTACT_KIND, pseudonym(pseudonym_key(connection), group, address))
    connection.execute(delete(resources).where(is_key(key)))
    known = select(contact_addresses.c.contact).where(
        contact_addresses.c.group_key == group, contact_addresses.c.address == address
    )
    here = and_(contacts.c.group_key == group, or_(contacts.c.id.in_(known), contacts.c.address == address))
    forget_contacts(connection, connection.scalars(select(contacts.c.id).where(here)).all())


def _count(counts: dict[str, int], what: str, number: int) -> None:
    counts[what] = counts.get(what, 0) + number
