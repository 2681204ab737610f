"""What a command does to its contact, event link or catalogue item: when asked for, done, and come to nothing.

Its digest is that of the newest content asked for; translation asks again only for another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, case, func, or_, update

from relay import jsontext
from relay.commands import Command, CommandKind, EventKey, Outcome, ProductSubject
from relay.store.bulk import Bulk
from relay.store.engine import INSERTS
from relay.store.tables import catalog_items, contacts, events

UNKNOWN_DIGEST = "unknown"
"""The event exists in SALESmanago but the newest request about it came to nothing: equal to no digest and not None."""

_SAID_ONCE = ("newEmail", "forceOptIn", "forceOptOut", "forcePhoneOptIn", "forcePhoneOptOut", "useApiDoubleOptIn")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that is being stored, with the contact it is about, if it is about one."""

    command: Command
    digest: str  # of its payload
    group: str
    contact: int | None


def asked(connection: Connection, news: Iterable[Asked]) -> None:
    """Remember what newly stored commands ask for; of several about one thing the last one counts."""
    people: dict[int, str | None] = {}
    items: dict[tuple[str, str, str], str] = {}
    links: dict[EventKey, dict[str, Any]] = {}
    deleted: dict[EventKey, bool] = {}
    for each in news:
        command = each.command
        if isinstance(command.subject, ProductSubject):
            place = (each.group, command.subject.location, command.subject.product_id)
            items[place] = each.digest
        elif command.event is None and each.contact is not None:
            is_upsert = command.kind is CommandKind.CONTACT_UPSERT
            people[each.contact] = each.digest if is_upsert else None
        elif command.event is not None:
            deleted[command.event] = command.kind is CommandKind.EVENT_DELETE
            if command.kind is CommandKind.EVENT_PUT:
                date = event_date(command.payload) or links.get(command.event, {}).get("date")
                links[command.event] = {"digest": each.digest, "date": date}
    _set_items(connection, items)
    _set_people(connection, people)
    _put_links(connection, links)
    _delete_links(connection, [key for key, is_deleted in deleted.items() if is_deleted])


def asked_again(connection: Connection, row: Row[Any]) -> None:
    """Remember what a requeued command (a row of ``commands``) asks for, unless something newer has been asked for."""
    digest = jsontext.digest(row.payload)
    if row.kind == CommandKind.PRODUCT_UPSERT:
        unset = and_(_item_of(row), catalog_items.c.digest.is_(None))
        connection.execute(update(catalog_items).where(unset).values(digest=digest))
    elif row.kind == CommandKind.CONTACT_UPSERT:
        unset = and_(contacts.c.id == row.contact, contacts.c.digest.is_(None))
        connection.execute(update(contacts).where(unset).values(digest=digest))
    elif row.kind == CommandKind.EVENT_PUT and row.event_shop is not None:
        # No digest beside an event id is a deletion that was asked for, which stands.
        unset = or_(events.c.digest == UNKNOWN_DIGEST, and_(events.c.digest.is_(None), events.c.event_id.is_(None)))
        connection.execute(update(events).where(_link_of(row), unset).values(digest=digest))
    elif row.kind == CommandKind.EVENT_DELETE and row.event_shop is not None:
        unset = events.c.digest == UNKNOWN_DIGEST
        connection.execute(update(events).where(_link_of(row), unset).values(digest=None))


def done(connection: Connection, answered: Iterable[tuple[Row[Any], Outcome]]) -> None:
    """Remember what SALESmanago answered to commands (rows of ``commands``), in their order."""
    people: dict[int, str | None] = {}
    links: dict[tuple[str, ...], str | None] = {}
    for row, outcome in answered:
        if row.contact is not None and row.kind == CommandKind.CONTACT_DELETE:
            people[row.contact] = None
        elif row.contact is not None and outcome.contact_id is not None:
            people[row.contact] = outcome.contact_id
        if row.kind == CommandKind.CONTACT_UPSERT and outcome.command.payload.get("newEmail"):
            email = outcome.command.payload["newEmail"]
            renamed = {"email": email, "address": email.lower()}
            connection.execute(update(contacts).where(contacts.c.id == row.contact).values(renamed))
        if row.event_shop is not None and (row.kind == CommandKind.EVENT_DELETE or outcome.event_id is not None):
            deleted = row.kind == CommandKind.EVENT_DELETE
            key = (row.event_shop, row.event_kind, row.event_resource_id, row.event_slot)
            links[key] = None if deleted else outcome.event_id
    _SET_CONTACT_ID.run(connection, [{"of_id": of_id, "new_id": new_id} for of_id, new_id in sorted(people.items())])
    _SET_EVENT_ID.run(connection, [_named(key) | {"new_id": event_id} for key, event_id in sorted(links.items())])


def came_to_nothing(connection: Connection, row: Row[Any]) -> None:
    """Forget the digest of a command that ended dead, dropped or superseded: its content may be asked for again.

    Only while it is the newest request: what has been asked for since stands, unless it lacks what this one said.
    """
    digest = jsontext.digest(row.payload)
    if row.kind == CommandKind.PRODUCT_UPSERT:
        newest = and_(_item_of(row), catalog_items.c.digest == digest)
        connection.execute(update(catalog_items).where(newest).values(digest=None))
    elif row.kind == CommandKind.CONTACT_UPSERT:
        # What no later upsert repeats, a consent or a new address, is lost with this one even if a newer one stands.
        lost = contacts.c.digest == digest if _is_repeated(row.payload) else contacts.c.digest.is_not(None)
        connection.execute(update(contacts).where(contacts.c.id == row.contact, lost).values(digest=None))
    elif row.kind == CommandKind.EVENT_PUT and row.event_shop is not None:
        # With an event id this was an update: the event itself is still there.
        left = case((events.c.event_id.is_not(None), UNKNOWN_DIGEST))
        connection.execute(update(events).where(_link_of(row), events.c.digest == digest).values(digest=left))
    elif row.kind == CommandKind.EVENT_DELETE and row.event_shop is not None:
        still_there = and_(events.c.digest.is_(None), events.c.event_id.is_not(None))
        connection.execute(update(events).where(_link_of(row), still_there).values(digest=UNKNOWN_DIGEST))


def _is_repeated(upsert: Mapping[str, Any]) -> bool:
    """Tell whether the next upsert of a contact says all that this one says."""
    return not any(upsert.get(name) for name in _SAID_ONCE)


def event_date(payload: Mapping[str, Any]) -> datetime | None:
    """Give the date in an event's payload, None when it names none."""
    epoch_ms = payload.get("contactEvent", {}).get("date")
    return None if epoch_ms is None else EPOCH + timedelta(milliseconds=int(epoch_ms))


def _set_items(connection: Connection, items: Mapping[tuple[str, str, str], str]) -> None:
    rows = [
        {"of_group": group, "of_location": location, "of_id": product_id, "new_digest": digest}
        for (group, location, product_id), digest in sorted(items.items())
    ]
    _SET_ITEM.run(connection, rows)


def _set_people(connection: Connection, people: Mapping[int, str | None]) -> None:
    _SET_PERSON.run(connection, [{"of_id": of_id, "new_digest": digest} for of_id, digest in sorted(people.items())])


def _put_links(connection: Connection, links: Mapping[EventKey, Mapping[str, Any]]) -> None:
    # Whoever changes several links changes them in the same order, so that nobody waits for each other.
    rows = [
        dict(zip(_LINK, _columns(key), strict=True)) | dict(news)
        for key, news in sorted(links.items(), key=lambda each: _columns(each[0]))
    ]
    _PUT_LINK.run(connection, rows)


def _delete_links(connection: Connection, keys: Iterable[EventKey]) -> None:
    _DELETE_LINK.run(connection, [_named(key) for key in sorted(map(_columns, keys))])


def _columns(key: EventKey) -> tuple[str, ...]:
    return key.shop, key.kind, key.resource_id, key.slot


def _named(key: tuple[str, ...]) -> dict[str, str | None]:
    return {f"of_{name}": value for name, value in zip(_LINK, key, strict=True)}


_LINK = ("shop", "kind", "resource_id", "slot")


def _put_link(begun: Any) -> Any:
    news = {"digest": begun.excluded.digest, "date": func.coalesce(begun.excluded.date, events.c.date)}
    return begun.on_conflict_do_update(index_elements=list(_LINK), set_=news)


_PUT_LINK = Bulk({name: _put_link(insert(events)) for name, insert in INSERTS.items()})
_AT_LINK = update(events).where(*(events.c[name] == bindparam(f"of_{name}") for name in _LINK))
_DELETE_LINK = Bulk(_AT_LINK.values(digest=None))
_SET_EVENT_ID = Bulk(_AT_LINK.values(event_id=bindparam("new_id")))
_AT_CONTACT = update(contacts).where(contacts.c.id == bindparam("of_id"))
_SET_CONTACT_ID = Bulk(_AT_CONTACT.values(contact_id=bindparam("new_id")))
_SET_PERSON = Bulk(_AT_CONTACT.values(digest=bindparam("new_digest")))
_SET_ITEM = Bulk(
    update(catalog_items)
    .where(
        catalog_items.c.group_key == bindparam("of_group"),
        catalog_items.c.location == bindparam("of_location"),
        catalog_items.c.product_id == bindparam("of_id"),
    )
    .values(digest=bindparam("new_digest"))
)


def _is_link(link: dict[str, str]) -> ColumnElement[bool]:
    return and_(*(events.c[name] == value for name, value in link.items()))


def _is_item(group: str, location: str | None, product_id: str) -> ColumnElement[bool]:
    return and_(
        catalog_items.c.group_key == group,
        catalog_items.c.location == location,
        catalog_items.c.product_id == product_id,
    )


def _item_of(row: Row[Any]) -> ColumnElement[bool]:
    return _is_item(row.group_key, row.location, str(row.payload.get("productId")))


def _link_of(row: Row[Any]) -> ColumnElement[bool]:
    return _is_link(
        {"shop": row.event_shop, "kind": row.event_kind, "resource_id": row.event_resource_id, "slot": row.event_slot}
    )
