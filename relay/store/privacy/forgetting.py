"""Privacy tasks at their first moment: what goes with the translation that asks for it, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select

from relay.clock import iso
from relay.commands import CommandKind
from relay.deliveries import Translation
from relay.privacy import Disclosure, Erasure, Person, PrivacyWish
from relay.store.privacy.erasing import blank_deliveries, forget_resources, withdraw_commands
from relay.store.privacy.finding import Found, find
from relay.store.privacy.searching import START, THROUGH, Place
from relay.store.tables import commands, deliveries, privacy_tasks

PERSON, SHOP, DISCLOSURE, SCRUB = "erase-person", "erase-shop", "disclose", "scrub"
"""The kinds of tasks."""

SHOP_START: Place = ["deliveries", 0]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What an erasure found, and the commands about the person that still have to be sent or settled."""

    found: Found
    left: list[int]


def forget(connection: Connection, delivery_id: int, translation: Translation, now: datetime) -> list[Forgotten]:
    """Forget what is linked to whom a translation wants forgotten; gives that, in the order of its erasures.

    Called before the translation itself is stored, which may know things of those people that are newer. The delivery
    that asks names the person too, so it is forgotten as well.
    """
    forgotten: list[Forgotten] = []
    for wish in translation.privacy:
        if isinstance(wish, Erasure):
            found = find(connection, wish.person, wish.until)
            blank_deliveries(connection, found.deliveries)
            forget_resources(connection, found.resources, wish.until)
            forgotten.append(Forgotten(found, withdraw_commands(connection, found.commands, now)))
    if forgotten or translation.erased:
        blank_deliveries(connection, [delivery_id])
    return forgotten


def plan(
    connection: Connection, delivery_id: int, translation: Translation, forgotten: list[Forgotten], now: datetime
) -> None:
    """Keep what is left to do as tasks; the translation is stored, so its own deletions are waited for too."""
    found = iter(forgotten)
    for wish in translation.privacy:
        kind, work, place = _planned(connection, delivery_id, wish, found)
        _add(connection, delivery_id, kind, work | {"upto": _newest(connection)}, place, now)
    if translation.erased and not forgotten:
        _add(connection, delivery_id, SCRUB, {}, THROUGH, now)


def person_of(kept: Mapping[str, Any]) -> Person:
    """Give back the person a task keeps as JSON."""
    return Person(
        group=kept["group"],
        shops=tuple(kept["shops"]),
        addresses=tuple(kept["addresses"]),
        phones=tuple(kept["phones"]),
        accounts=tuple((shop, id_) for shop, id_ in kept["accounts"]),
        orders=tuple((shop, id_) for shop, id_ in kept["orders"]),
    )


def disclosure_of(person: Person) -> dict[str, Any]:
    """Give what a disclosure has found before it searches: nothing."""
    return {"person": asdict(person), "deliveries": [], "resources": [], "mentions": []}


def _planned(
    connection: Connection, delivery_id: int, wish: PrivacyWish, forgotten: Iterator[Forgotten]
) -> tuple[str, dict[str, Any], Place]:
    """Give a task's kind, what is to be kept of it, and where it begins."""
    if isinstance(wish, Erasure):
        return PERSON, _erasure(connection, delivery_id, wish, next(forgotten)), START if wish.thorough else THROUGH
    if isinstance(wish, Disclosure):
        return DISCLOSURE, disclosure_of(wish.person) | {"name": wish.name}, START
    return SHOP, asdict(wish) | {"until": iso(wish.until), "commands": []}, SHOP_START


def _erasure(connection: Connection, delivery_id: int, wish: Erasure, forgotten: Forgotten) -> dict[str, Any]:
    own = and_(commands.c.delivery_id == delivery_id, commands.c.kind == CommandKind.CONTACT_DELETE)
    deletions = connection.execute(select(commands.c.id, commands.c.contact).where(own)).all()
    return {
        "person": asdict(forgotten.found.person),
        "until": iso(wish.until),
        "contacts": sorted({*forgotten.found.contacts, *(row.contact for row in deletions)}),
        "commands": sorted({*forgotten.left, *(row.id for row in deletions)}),
    }


def _newest(connection: Connection) -> dict[str, int]:
    """Give the newest ids there are: what comes later is not what the task is about."""
    return {table.name: connection.scalar(select(func.max(table.c.id))) or 0 for table in (deliveries, commands)}


def _add(
    connection: Connection, delivery_id: int, kind: str, work: Mapping[str, Any], place: Place, now: datetime
) -> None:
    connection.execute(
        insert(privacy_tasks).values(
            delivery_id=delivery_id,
            kind=kind,
            asked_at=now,
            work=work,
            place=place,
            counts={},
            due_at=now,
        )
    )
