"""Which call carries out which command."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relay.commands import CommandKind, StoredCommand
from relay.errors import CommandRefused
from relay.salesmanago.calls import call_for, call_for_pair, card_call
from tests.support.outgoing import command

EVENT = {"date": 1, "contactExtEventType": "CART"}


def test_upsert_is_synchronous() -> None:
    call = call_for(command(CommandKind.CONTACT_UPSERT, {"contact": {"email": "anna@example.com"}}))
    assert call is not None
    assert (call.path, call.body) == (
        "/api/contact/upsert",
        {"async": False, "contact": {"email": "anna@example.com"}},
    )
    assert call.expected.repeatable


def test_contact_deletion_accepts_that_it_is_gone() -> None:
    call = call_for(command(CommandKind.CONTACT_DELETE, {"email": "anna@example.com"}))
    assert call is not None
    assert (call.path, call.body) == ("/api/contact/delete", {"email": "anna@example.com"})
    assert call.expected.gone_is_done


@pytest.mark.parametrize(
    ("contact_id", "addressee"), [(None, {"email": "anna@example.com"}), ("c-1", {"contactId": "c-1"})]
)
def test_new_event_names_its_contact_one_way_only(contact_id: str | None, addressee: dict[str, str]) -> None:
    call = call_for(command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, contact_id=contact_id))
    assert call is not None
    assert call.path == "/api/v2/contact/addContactExtEvent"
    assert call.body == {**addressee, "forceOptIn": False, "contactEvent": EVENT}
    assert not call.expected.repeatable


def test_known_event_is_updated_with_all_its_fields() -> None:
    call = call_for(command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, event_id="e-1", contact_id="c-1"))
    assert call is not None
    assert call.path == "/api/v2/contact/updateContactExtEvent"
    assert call.body == {"contactEvent": {**EVENT, "eventId": "e-1"}}
    assert call.expected.repeatable


def test_event_of_nobody_is_refused() -> None:
    with pytest.raises(CommandRefused, match="contact is not known"):
        call_for(command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, email=None))


def test_event_is_deleted_by_its_id() -> None:
    call = call_for(command(CommandKind.EVENT_DELETE, {}, event_id="e-1"))
    assert call is not None
    assert (call.path, call.body) == ("/api/v2/contact/deleteContactExtEvent", {"eventId": "e-1"})
    assert call.expected.gone_is_done


def test_event_that_was_never_sent_needs_no_deletion() -> None:
    assert call_for(command(CommandKind.EVENT_DELETE, {})) is None


ANNA = {"contact": {"email": "anna@example.com"}, "forceOptIn": False, "useApiDoubleOptIn": False}


@pytest.mark.parametrize(
    ("event_id", "own", "repeatable"), [(None, {}, False), ("e-1", {"eventId": "e-1"}, True)], ids=["add", "update"]
)
@pytest.mark.parametrize("contact_id", [None, "c-1"])
def test_pair_is_one_call_about_the_address_of_the_upsert(
    contact_id: str | None, event_id: str | None, own: dict[str, str], repeatable: bool
) -> None:
    call = call_for_pair(
        command(CommandKind.CONTACT_UPSERT, ANNA, contact_id=contact_id),
        command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, contact_id=contact_id, event_id=event_id),
    )
    assert call.path == "/api/integration/upsert"
    assert call.in_parts
    assert call.body == {
        "contactUpsertRequest": {"async": False, **ANNA},
        "addContactExtEventRequest": {
            "email": "anna@example.com",
            "forceOptIn": False,
            "contactEvent": {**EVENT, **own},
        },
    }
    assert call.expected.repeatable is repeatable


UPSERT = command(CommandKind.CONTACT_UPSERT, ANNA)
PUT = command(CommandKind.EVENT_PUT, {"contactEvent": EVENT})


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (PUT, UPSERT, "event.put and a contact.upsert"),
        (UPSERT, UPSERT, "contact.upsert and a contact.upsert"),
        (UPSERT, replace(PUT, subject="contact:2"), "two contacts"),
        (UPSERT, replace(PUT, group="second"), "two contacts"),
        (replace(UPSERT, payload={**ANNA, "newEmail": "ann@example.com"}), PUT, "change of address"),
    ],
)
def test_commands_that_cannot_be_a_pair_are_a_mistake_of_ours(
    first: StoredCommand, second: StoredCommand, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        call_for_pair(first, second)


@pytest.mark.parametrize("payload", [{}, {"contact": {"name": "Anna"}}])
def test_pair_without_an_address_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(CommandRefused, match="no address"):
        call_for_pair(replace(UPSERT, payload=payload), PUT)


@pytest.mark.parametrize(
    ("contact_id", "email", "path", "body"),
    [
        ("c-1", None, "/api/contact/listAllById", {"contactId": ["c-1"]}),
        ("c-1", "anna@example.com", "/api/contact/listAllById", {"contactId": ["c-1"]}),
        (None, "anna@example.com", "/api/contact/listAll", {"email": ["anna@example.com"]}),
    ],
)
def test_card_is_asked_for_by_id_where_there_is_one(
    contact_id: str | None, email: str | None, path: str, body: dict[str, list[str]]
) -> None:
    call = card_call(contact_id=contact_id, email=email)
    assert (call.path, call.body) == (path, body)
