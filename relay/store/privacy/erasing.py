"""Erasing: bodies, payloads, messages and memory go; ids, states, times and the links to events stay."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, or_, select, update

from relay.commands import CommandKind, CommandState
from relay.deliveries import DeliveryState
from relay.privacy import CONTACT_KIND, DELETED_AT, ERASED, ERASED_AT, LASTING_FACTS
from relay.store.columns import state_in
from relay.store.effects import came_to_nothing
from relay.store.privacy.finding import Key, chunks, is_key
from relay.store.tables import (
    COMMANDS_FOR_SOMEBODY,
    OPEN_COMMANDS,
    answers,
    attempts,
    commands,
    contact_addresses,
    contacts,
    deliveries,
    resources,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_SENT = (CommandState.WAITING, CommandState.DEAD, CommandState.UNCERTAIN, CommandState.DROPPED)


def blank_deliveries(connection: Connection, ids: Collection[int]) -> None:
    """Take bodies, headers and what was said about them out of deliveries; those that were open or dead are over."""
    over = case((deliveries.c.state == DeliveryState.TRANSLATED, deliveries.c.state), else_=DeliveryState.IGNORED)
    blank = {"body": b"", "headers": {}, "warnings": [], "reason": ERASED, "state": over, "lease_token": None}
    for chunk in chunks(ids):
        _forget_answers(connection, chunk)
        connection.execute(update(deliveries).where(deliveries.c.id.in_(chunk)).values(blank))


def withdraw_commands(connection: Connection, ids: Collection[int], now: datetime) -> list[int]:
    """Blank commands and withdraw those that are not sent yet; gives those that still have to be sent or settled.

    These are the ones under way, and two that go before whatever comes next: deletions, and changes of address, without
    which SALESmanago would not know whom to delete.
    """
    left: list[int] = []
    for chunk in chunks(ids):
        mine = select(commands).where(commands.c.id.in_(chunk)).order_by(commands.c.id).with_for_update()
        for row in connection.execute(mine).all():
            if _has_to_go_on(row):
                left.append(row.id)
            elif row.state in _NOT_SENT:
                withdrawn = {"state": CommandState.SUPERSEDED, "settled_at": row.settled_at or now}
                connection.execute(update(commands).where(commands.c.id == row.id).values(withdrawn))
                came_to_nothing(connection, row)
    blank_commands(connection, set(ids) - set(left))
    return left


def blank_commands(connection: Connection, ids: Collection[int]) -> None:
    """Take payloads and messages out of commands and their attempts."""
    for chunk in chunks(ids):
        connection.execute(
            update(commands).where(commands.c.id.in_(chunk)).values(payload={}, last_error=None, warnings=[])
        )
        connection.execute(update(attempts).where(attempts.c.command_id.in_(chunk)).values(message=None))


def unsettled(connection: Connection, ids: Collection[int]) -> list[int]:
    """Give those commands that are still to be sent or answered, and deletions that failed: these wait for somebody."""
    waiting = is_unsettled()
    found = (connection.scalars(select(commands.c.id).where(commands.c.id.in_(each), waiting)) for each in chunks(ids))
    return sorted(id_ for each in found for id_ in each)


def is_unsettled() -> ColumnElement[bool]:
    """Tell of a command what ``unsettled`` tells of several."""
    undone = and_(commands.c.kind == CommandKind.CONTACT_DELETE, state_in(commands.c.state, COMMANDS_FOR_SOMEBODY))
    return or_(state_in(commands.c.state, OPEN_COMMANDS), undone)


def forget_resources(connection: Connection, keys: Iterable[Key], until: datetime) -> None:
    """Forget all of resources but the moments that keep what arrives late from resurrecting anybody."""
    for key in keys:
        row = connection.execute(select(resources.c.kind, resources.c.facts).where(is_key(key))).one_or_none()
        if row is None:
            continue
        facts = {name: value for name, value in row.facts.items() if name in LASTING_FACTS}
        gone = DELETED_AT if row.kind == CONTACT_KIND else ERASED_AT
        facts[gone] = max(facts.get(gone, 0), _microseconds(until))
        emptied = dict.fromkeys(("updated_at", "email", "topic", "body", "account", "since"))
        connection.execute(update(resources).where(is_key(key)).values(emptied | {"facts": facts}))


def forget_contacts(connection: Connection, ids: Collection[int]) -> None:
    """Forget the addresses of contacts, unless somebody has begun anew under one of them: then only the others."""
    for id_ in ids:
        mine = contact_addresses.c.contact == id_
        living = _has_content(connection, id_)
        if living:
            address = select(contacts.c.address).where(contacts.c.id == id_).scalar_subquery()
            connection.execute(delete(contact_addresses).where(mine, contact_addresses.c.address != address))
        else:
            connection.execute(delete(contact_addresses).where(mine))
            emptied: Mapping[str, Any] = dict.fromkeys(("email", "address", "contact_id", "digest"))
            connection.execute(update(contacts).where(contacts.c.id == id_).values(emptied))


def _has_to_go_on(row: Any) -> bool:
    if row.state == CommandState.CLAIMED:
        return True
    ahead = row.kind == CommandKind.CONTACT_DELETE or bool(row.payload.get("newEmail"))
    return row.state == CommandState.WAITING and ahead


def _has_content(connection: Connection, contact: int) -> bool:
    """Tell whether a contact has commands that were not blanked."""
    rows = connection.execute(
        select(commands.c.payload).where(commands.c.contact == contact, commands.c.kind != CommandKind.CONTACT_DELETE)
    )
    return any(row.payload for row in rows)


def _forget_answers(connection: Connection, ids: Collection[int]) -> None:
    """Forget the kept answers of REST calls: they name SALESmanago's contact. A repeat finds the call by its dedupe."""
    calls = select(deliveries.c.resource_id).where(deliveries.c.id.in_(ids), deliveries.c.platform == "api")
    sought = [request_id.encode() for request_id in connection.scalars(calls) if request_id]
    if not sought:
        return
    kept = connection.execute(select(answers.c.key, answers.c.body).where(answers.c.body.is_not(None)))
    stale = [row.key for row in kept if any(request_id in row.body for request_id in sought)]
    for chunk in chunks(stale):
        connection.execute(delete(answers).where(answers.c.key.in_(chunk)))


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
