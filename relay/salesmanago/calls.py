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
    in_parts: bool = False  # the body's members are parts, each of which names client and owner itself
    expected: Expectation = Expectation()


def call_for(command: StoredCommand) -> Call | None:
    """Give the call that carries out a contact or event command, None when nothing has to be called.

    Raises: CommandRefused when nobody knows whom an event is about.
    """
    return _CALLS[command.kind](command)


def call_for_pair(upsert: StoredCommand, event: StoredCommand) -> Call:
    """Give the one call that carries out a contact's upsert and then an event of the same contact.

    Raises: CommandRefused when the upsert has no address; ValueError when the two cannot share a call, which is a
    mistake of the caller: other kinds, two contacts, or a change of address.
    """
    if (upsert.kind, event.kind) != (CommandKind.CONTACT_UPSERT, CommandKind.EVENT_PUT):
        raise ValueError(f"A {upsert.kind} and a {event.kind} cannot share a call.")
    if (upsert.group, upsert.subject) != (event.group, event.subject):
        raise ValueError("Commands about two contacts cannot share a call.")
    if upsert.payload.get("newEmail"):
        raise ValueError("A change of address cannot share a call: which address the event goes by is not documented.")
    parts = {
        "contactUpsertRequest": _upsert_contact(upsert).body,
        # By the upsert's own address, so that both parts are about one card whatever became of the id we know.
        "addContactExtEventRequest": {
            "email": _address(upsert),
            "forceOptIn": False,
            "contactEvent": _event_to_put(event),
        },
    }
    expected = Expectation(repeatable=bool(event.event_id))
    return Call("/api/integration/upsert", parts, in_parts=True, expected=expected)


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
    return Call("/api/contact/delete", command.payload, expected=Expectation(gone_is_done=True))


def _put_event(command: StoredCommand) -> Call:
    event = {"contactEvent": _event_to_put(command)}
    if command.event_id:
        return Call("/api/v2/contact/updateContactExtEvent", event)
    body = {**_addressee(command), "forceOptIn": False, **event}
    return Call("/api/v2/contact/addContactExtEvent", body, expected=Expectation(repeatable=False))


def _event_to_put(command: StoredCommand) -> Mapping[str, Any]:
    """Give contactEvent, with its id when it is to be updated; that replaces it whole, so every field goes along."""
    event: Mapping[str, Any] = command.payload["contactEvent"]
    return {**event, "eventId": command.event_id} if command.event_id else event


def _delete_event(command: StoredCommand) -> Call | None:
    if not command.event_id:
        return None  # SALESmanago never had it.
    body = {"eventId": command.event_id}
    return Call("/api/v2/contact/deleteContactExtEvent", body, expected=Expectation(gone_is_done=True))


def _address(upsert: StoredCommand) -> str:
    email = (upsert.payload.get("contact") or {}).get("email")
    if not email:
        raise CommandRefused("The contact to upsert has no address.")
    return str(email)


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
