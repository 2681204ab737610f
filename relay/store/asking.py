"""Commands as they are asked for: stored in their order, under the contact, event or product they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from relay import jsontext
from relay.commands import Command, CommandState, ContactSubject
from relay.store.bulk import Bulk
from relay.store.columns import NO_WARNINGS, JsonText, as_json
from relay.store.contacts import CONTACT_SUBJECT, resolve_contact, resolve_contacts
from relay.store.effects import Asked, asked
from relay.store.lanes import remember_lanes
from relay.store.locking import serialise
from relay.store.tables import commands

DRY_RUN = "Dry run: not sent."


@dataclass(frozen=True, slots=True)
class Written:
    """A command with its payload written out, and the digest of that."""

    command: Command
    payload: JsonText
    digest: str

    @classmethod
    def of(cls, command: Command) -> Written:
        """Write a command out."""
        digest = command.digest or jsontext.digest(command.payload)
        return cls(command, as_json(dict(command.payload)), digest)


@dataclass(frozen=True, slots=True)
class Request:
    """What one delivery asks for. With ``dry_run`` it is stored to be looked at and never sent."""

    delivery_id: int
    group: str
    shop: str | None
    commands: Sequence[Written]
    dry_run: bool = False


def store_commands(connection: Connection, requests: Sequence[Request], now: datetime) -> None:
    """Store the commands of some deliveries in their order, due at once."""
    each = [(request, written) for request in requests for written in request.commands]
    rows = [
        _row(request, written, contact, now)
        for (request, written), contact in zip(each, _contacts(connection, each), strict=True)
    ]
    meant = [row for (request, _), row in zip(each, rows, strict=True) if not request.dry_run]
    remember_lanes(connection, ((row["group_key"], row["lane"]) for row in meant))
    asked(
        connection,
        [
            Asked(written.command, written.digest, row["group_key"], row["contact"])
            for (request, written), row in zip(each, rows, strict=True)
            if not request.dry_run
        ],
    )
    # Numbers are drawn before the commit: while two transactions stored commands of one subject at once, the later
    # number could be seen, and sent, first.
    serialise(connection, *(("subject", row["group_key"], row["subject"]) for row in meant))
    _INSERT_COMMANDS.run(connection, rows)


def _contacts(connection: Connection, each: Sequence[tuple[Request, Written]]) -> list[int | None]:
    """Give the contact each command is about, made where nobody has asked for the person before."""
    subjects = [(request.group, written.command.subject) for request, written in each]
    people = [(group, subject) for group, subject in subjects if isinstance(subject, ContactSubject)]
    if any(subject.new_email or subject.contact_id or not subject.email for _, subject in people):
        # Learning an address decides what the commands after it are about, so these are resolved one by one.
        return [
            resolve_contact(connection, group, subject) if isinstance(subject, ContactSubject) else None
            for group, subject in subjects
        ]
    known = resolve_contacts(connection, people)
    return [
        known[group, subject.email.lower()] if isinstance(subject, ContactSubject) else None
        for group, subject in subjects
    ]


def _row(request: Request, written: Written, contact: int | None, now: datetime) -> dict[str, Any]:
    command = written.command
    if isinstance(command.subject, ContactSubject):
        location, subject = None, f"{CONTACT_SUBJECT}{contact}"
    else:
        location = command.subject.location
        subject = f"product:{location}:{command.subject.product_id}"
    key = command.event
    return {
        "delivery_id": request.delivery_id,
        "group_key": request.group,
        "shop": request.shop or "",
        # Plain texts: of any other class, what speaks to the database first asks whether it can be converted.
        "lane": command.kind.lane.value,
        "kind": command.kind.value,
        "subject": subject,
        "contact": contact,
        "location": location,
        "payload": written.payload,
        "event_shop": key and key.shop,
        "event_kind": key and str(key.kind),
        "event_resource_id": key and key.resource_id,
        "event_slot": key and key.slot,
        "state": (CommandState.DROPPED if request.dry_run else CommandState.WAITING).value,
        "due_at": now,
        "last_error": DRY_RUN if request.dry_run else None,
        "warnings": as_json(command.warnings) if command.warnings else NO_WARNINGS,
        "created_at": now,
        "settled_at": now if request.dry_run else None,
    }


_INSERT_COMMANDS = Bulk(insert(commands))
