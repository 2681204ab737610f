"""API v2: reading contacts, as basic cards (``basic``) or full ones with their events (``list``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.calls import Call, Handler
from sandbox.holdings import Contact, Event
from sandbox.shapes import each, text
from sandbox.v2 import operation, refuse

LIST_SIZE = 50
_ALWAYS_EMPTY = (
    "contactVisits",
    "contactEvents",
    "emailMessages",
    "contactFunnels",
    "contactNotes",
    "contactTasks",
    "incomingEmailMessages",
    "coupons",
    "smsMessages",
)


def _basic_card(call: Call, contact: Contact) -> dict[str, Any]:
    return _common(contact) | {
        "contactId": contact.contact_id,
        **_birthday(contact),
        **_times(contact),
        "lastVisit": None,
    }


def _full_card(call: Call, contact: Contact) -> dict[str, Any]:
    return (
        {"id": contact.contact_id}
        | _common(contact)
        | _birthday(contact)
        | {
            "province": contact.fields.get("province"),
            "mainContactOwner": contact.owner,
            "contactTags": [_tag(name, tag) for name, tag in contact.tags.items()],
            "properties": [{"name": name, "value": value} for name, value in contact.properties.items()],
            "contactExtEvents": [_event(call, event) for event in call.holdings.events_of(contact)],
        }
        | {name: [] for name in _ALWAYS_EMPTY}
        | _times(contact)
    )


def _common(contact: Contact) -> dict[str, Any]:
    fields = contact.fields
    address = {name: fields.get(name) for name in ("streetAddress", "zipCode", "city", "country")}
    return {
        "name": fields.get("name"),
        "email": contact.email,
        "phone": fields.get("phone"),
        "fax": fields.get("fax"),
        "score": sum(tag["score"] for tag in contact.tags.values()),
        "state": fields.get("state", "CUSTOMER"),
        "optedOut": contact.opted_out,
        "optedOutPhone": contact.opted_out_phone,
        "deleted": False,
        "invalid": False,
        "company": fields.get("company"),
        "externalId": fields.get("externalId"),
        "address": address if any(address.values()) else None,
    }


def _birthday(contact: Contact) -> dict[str, str | None]:
    birthday = contact.fields.get("birthday", "")
    return {
        "birthdayYear": birthday[:-4] or None,
        "birthdayMonth": birthday[-4:-2] or None,
        "birthdayDay": birthday[-2:] or None,
    }


def _times(contact: Contact) -> dict[str, int]:
    return {"modifiedOn": contact.modified_on, "createdOn": contact.created_on}


def _tag(name: str, tag: Mapping[str, int]) -> dict[str, Any]:
    return {"tag": name, "tagName": name, "tagWithScore": f"{name} ({tag['score']})", **tag}


def _event(call: Call, event: Event) -> dict[str, Any]:
    key = call.switches["card_event_key"]
    return ({} if key == "absent" else {key: event.event_id}) | event.fields


_Card = Callable[[Call, Contact], dict[str, Any]]


def _reading(key: str, card: _Card, *, owners_only: bool = False) -> Handler:
    """Build a reading call: ``key`` holds addresses (``email``) or ids; unknown ones are left out of the answer."""

    def run(call: Call) -> Mapping[str, Any]:
        wanted = call.body.get(key) or []
        if len(wanted) > LIST_SIZE:
            raise refuse(f"At most {LIST_SIZE} contacts can be read at once")
        find = call.holdings.contact_by_email if key == "email" else call.holdings.contacts.get
        found = [contact for contact in (find(str(entry)) for entry in wanted) if contact is not None]
        owner = call.body.get("owner")
        return {"contacts": [card(call, contact) for contact in found if not owners_only or contact.owner == owner]}

    return operation({key: each(text)}, run)


HANDLERS: Mapping[str, Handler] = {
    "/api/contact/basic": _reading("email", _basic_card),
    "/api/contact/basicById": _reading("id", _basic_card),
    "/api/contact/list": _reading("email", _full_card, owners_only=True),
    "/api/contact/listById": _reading("contactId", _full_card, owners_only=True),
    "/api/contact/listAll": _reading("email", _full_card),
    "/api/contact/listAllById": _reading("contactId", _full_card),
}
