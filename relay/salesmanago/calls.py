"""Which v2 call carries out which command, and with what body (credentials are added when it is sent)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relay.commands import CommandKind, StoredCommand
from relay.errors import CommandRefused
from relay.salesmanago.replies import Expectation


@dataclass(frozen=True, slots=True)
class Call:
    """One POST of API v2."""

    path: str
    body: Mapping[str, Any]
    expected: Expectation = Expectation()


def call_for(command: StoredCommand) -> Call | None:
    """Give the call that carries out a contact or event command, None when nothing has to be called.

    Raises: CommandRefused when nobody knows whom an event is about.
    """
    return _CALLS[command.kind](command)


def card_call(*, contact_id: str | None = None, email: str | None = None) -> Call:
    """Give the call for a contact's full card, by id where there is one.

    The "all" forms are not limited to contacts of the group's owner: a card that is only hidden would look missing.
    """
    if contact_id:
        return Call("/api/contact/listAllById", {"contactId": [contact_id]})
    return Call("/api/contact/listAll", {"email": [email]})


def _upsert_contact(command: StoredCommand) -> Call:
    return Call("/api/contact/upsert", {"async": False, **command.payload})


def _delete_contact(command: StoredCommand) -> Call:
    return Call("/api/contact/delete", command.payload, Expectation(gone_is_done=True))


def _put_event(command: StoredCommand) -> Call:
    event = command.payload["contactEvent"]
    if command.event_id:
        # An update replaces the whole event, so every field goes along.
        return Call("/api/v2/contact/updateContactExtEvent", {"contactEvent": {**event, "eventId": command.event_id}})
    body = {**_addressee(command), "forceOptIn": False, "contactEvent": event}
    return Call("/api/v2/contact/addContactExtEvent", body, Expectation(repeatable=False))


def _delete_event(command: StoredCommand) -> Call | None:
    if not command.event_id:
        return None  # SALESmanago never had it.
    return Call("/api/v2/contact/deleteContactExtEvent", {"eventId": command.event_id}, Expectation(gone_is_done=True))


def _addressee(command: StoredCommand) -> dict[str, str]:
    """Give the contact's id or else its address: SALESmanago wants never both."""
    if command.contact_id:
        return {"contactId": command.contact_id}
    if command.email:
        return {"email": command.email}
    raise CommandRefused("The event's contact is not known: neither its address nor its SALESmanago id.")


_CALLS: Mapping[CommandKind, Callable[[StoredCommand], Call | None]] = {
    CommandKind.CONTACT_UPSERT: _upsert_contact,
    CommandKind.CONTACT_DELETE: _delete_contact,
    CommandKind.EVENT_PUT: _put_event,
    CommandKind.EVENT_DELETE: _delete_event,
}
