"""What a command does to its contact, event link or catalogue item: when asked for, done, and come to nothing.

Its digest is that of the newest content asked for; translation asks again only for another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, update

from relay import jsontext
from relay.commands import Command, CommandKind, Outcome, ProductSubject
from relay.store.engine import insert_into
from relay.store.tables import catalog_items, contacts, events

UNKNOWN_DIGEST = "unknown"
"""The event exists in SALESmanago but the newest request about it came to nothing: equal to no digest and not None."""

_SAID_ONCE = ("newEmail", "forceOptIn", "forceOptOut", "forcePhoneOptIn", "forcePhoneOptOut", "useApiDoubleOptIn")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def asked(connection: Connection, command: Command, group: str, contact: int | None) -> None:
    """Remember what a newly stored command asks for."""
    if isinstance(command.subject, ProductSubject):
        item = _is_item(group, command.subject.location, command.subject.product_id)
        connection.execute(update(catalog_items).where(item).values(digest=jsontext.digest(command.payload)))
        return
    if command.kind is CommandKind.CONTACT_UPSERT:
        _set_contact(connection, contact, digest=jsontext.digest(command.payload))
    elif command.kind is CommandKind.CONTACT_DELETE:
        _set_contact(connection, contact, digest=None)
    elif command.event is not None:
        key = command.event
        link = {"shop": key.shop, "kind": key.kind, "resource_id": key.resource_id, "slot": key.slot}
        if command.kind is CommandKind.EVENT_PUT:
            _put_link(connection, link, command.payload)
        else:
            connection.execute(update(events).where(_is_link(link)).values(digest=None))


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


def done(connection: Connection, row: Row[Any], outcome: Outcome) -> None:
    """Remember what SALESmanago answered to a command (a row of ``commands``)."""
    if row.kind == CommandKind.CONTACT_DELETE:
        _set_contact(connection, row.contact, contact_id=None)
    elif outcome.contact_id is not None:
        _set_contact(connection, row.contact, contact_id=outcome.contact_id)
    if row.kind == CommandKind.CONTACT_UPSERT and row.payload.get("newEmail"):
        email = row.payload["newEmail"]
        _set_contact(connection, row.contact, email=email, address=email.lower())
    if row.event_shop is None:
        return
    if row.kind == CommandKind.EVENT_DELETE:
        connection.execute(update(events).where(_link_of(row)).values(event_id=None))
    elif outcome.event_id is not None:
        connection.execute(update(events).where(_link_of(row)).values(event_id=outcome.event_id))


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


def _set_contact(connection: Connection, contact: int | None, **values: str | None) -> None:
    connection.execute(update(contacts).where(contacts.c.id == contact).values(values))


def _put_link(connection: Connection, link: dict[str, str], payload: Any) -> None:
    statement = insert_into(connection, events).values(
        **link, digest=jsontext.digest(payload), date=_date(payload.get("contactEvent", {}).get("date"))
    )
    excluded = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(link),
            set_={"digest": excluded.digest, "date": func.coalesce(excluded.date, events.c.date)},
        )
    )


def _date(epoch_ms: Any) -> datetime | None:
    return None if epoch_ms is None else EPOCH + timedelta(milliseconds=int(epoch_ms))


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
