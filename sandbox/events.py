"""API v2: external events. Adding one never merges with another, changing one replaces it whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.calls import Call, Declined, Handler
from sandbox.cards import put_contact
from sandbox.holdings import Contact, Event, new_id
from sandbox.limits import EVENT_LIMITS, fit_amount, fit_text
from sandbox.shapes import Shape, Table, each, flag, number, text
from sandbox.v2 import MALFORMED, operation, refuse

# The integration's list and what SALESmanago's own library has beyond it.
EVENT_TYPES = frozenset(
    """
    PURCHASE CART VISIT PHONE_CALL OTHER RESERVATION CANCELLED ACTIVATION MEETING OFFER DOWNLOAD LOGIN TRANSACTION
    CANCELLATION RETURN SURVEY APP_STATUS APP_TYPE_WEB APP_TYPE_MANUAL APP_TYPE_RETENTION APP_TYPE_UPSALE LOAN_STATUS
    LOAN_ORDER FIRST_LOAN REPEATED_LOAN
    """.split()  # noqa: SIM905 - a list of words reads better than two dozen quotes
)
BATCH_SIZE = 1000
_LOCATION = re.compile(r"[A-Za-z0-9/_.-]+")
_TEXTS = ("description", "products", "location", "externalId", "shopDomain", *(f"detail{n}" for n in range(1, 21)))

_EVENT = Table(
    {"eventId": text, "date": text, "contactExtEventType": text, "value": number, **dict.fromkeys(_TEXTS, text)}
)
EVENT_KEYS: Mapping[str, Shape] = {
    "email": text,
    "contactId": text,
    "forceOptIn": flag,
    "contactEvent": _EVENT,
}


def add_event(call: Call, body: Mapping[str, Any], owner: str, checked: dict[str, Any] | None = None) -> str | None:
    """Add one event to the contact ``body`` names and give its id; None where the API keeps its failure to itself.

    ``checked`` is what ``check_event`` gave, if it was asked. Declines the call when the contact is unknown, the
    default, or the event cannot be used.
    """
    fields = checked or _event_fields(call, body.get("contactEvent") or {})
    contact = _contact_of(call, body, owner)
    if contact is None:
        return None
    event = Event(new_id(), contact.contact_id, call.now_ms, call.now_ms, fields)
    call.holdings.put_event(event)
    return event.event_id


def update_event(call: Call, sent: Mapping[str, Any], checked: dict[str, Any] | None = None) -> str:
    """Change the event ``sent`` names by ``eventId`` and give that id; what is not sent is gone afterwards."""
    event = _event_to_update(call, sent)
    fields = checked or _event_fields(call, sent)
    if event is None:
        return str(sent["eventId"])
    if call.switches["event_update"] == "merge":
        fields = event.fields | fields
    changed = Event(event.event_id, event.contact_id, event.created_on, call.now_ms, fields)
    call.holdings.put_event(changed)
    return event.event_id


def check_event(call: Call, body: Mapping[str, Any], coming: str) -> dict[str, Any]:
    """Decline the call where adding or changing the event would, if there were a contact at the address ``coming``.

    Gives the event's own fields as they are to be kept.
    """
    sent = body.get("contactEvent") or {}
    if sent.get("eventId"):
        _event_to_update(call, sent)
    elif str(body.get("email")).lower() != coming.lower() or body.get("contactId"):
        _require_known(call, body, _addressed(call, body))
    return _event_fields(call, sent)


def _event_to_update(call: Call, sent: Mapping[str, Any]) -> Event | None:
    if sent.get("eventId"):
        event = call.holdings.events.get(str(sent["eventId"]))
        if event is None and call.switches["event_update_unknown"] == "refuse":
            raise refuse("Event not found")
        return event
    if call.switches["event_update_by_external_id"] == "accept":
        for event in call.holdings.events_by_external_id(str(sent.get("externalId"))):
            return event
    raise refuse("Event not found")


def _contact_of(call: Call, body: Mapping[str, Any], owner: str) -> Contact | None:
    contact = _addressed(call, body)
    if contact is None and _may_create(call, body):
        return put_contact(call, {"contact": {"email": body["email"]}, "forceOptIn": True}, owner=owner)
    _require_known(call, body, contact)
    return contact


def _addressed(call: Call, body: Mapping[str, Any]) -> Contact | None:
    email, contact_id = body.get("email"), body.get("contactId")
    if email and contact_id and call.switches["event_both_ids"] == "refuse":
        raise refuse("Either email or contactId can be specified")
    if not email and not contact_id:
        raise refuse("No email specified")
    return call.holdings.contacts.get(str(contact_id)) if contact_id else call.holdings.contact_by_email(str(email))


def _may_create(call: Call, body: Mapping[str, Any]) -> bool:
    forced = call.switches["event_unknown_contact"] == "create_when_forced"
    return bool(forced and body.get("email") and body.get("forceOptIn"))


def _require_known(call: Call, body: Mapping[str, Any], contact: Contact | None) -> None:
    silent = call.switches["event_unknown_contact"] == "silent"
    if contact is None and not silent and not _may_create(call, body):
        raise refuse("Contact not found")


def _event_fields(call: Call, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Check and normalise contactEvent's own fields; empty ones are left out."""
    fields: dict[str, Any] = {"date": _date(call, sent), "contactExtEventType": _event_type(call, sent)}
    if sent.get("value") not in (None, ""):
        fields["value"] = fit_amount(call.switches, "value", sent["value"])
    for name in _TEXTS:
        if name in sent and sent[name] not in (None, ""):
            fields[name] = fit_text(call.switches, name, sent[name], EVENT_LIMITS[name])
    _require_sense(call, fields)
    return fields


def _event_type(call: Call, sent: Mapping[str, Any]) -> str:
    event_type = sent.get("contactExtEventType")
    if event_type in EVENT_TYPES:
        return str(event_type)
    if call.switches["event_wrong_type"] == "malformed":
        raise Declined(MALFORMED)
    raise refuse("Unknown contactExtEventType")


def _require_sense(call: Call, fields: Mapping[str, Any]) -> None:
    location = fields.get("location")
    if location and not _LOCATION.fullmatch(location) and call.switches["event_location_form"] == "refuse":
        raise refuse("Value of field location has characters that are not allowed")
    if "products" not in fields and "value" not in fields and call.switches["event_empty"] == "refuse":
        raise refuse("Event has neither products nor value")


def _date(call: Call, event: Mapping[str, Any]) -> int:
    """Give the event's time in milliseconds; without one it happens now."""
    sent = event.get("date")
    if sent is None or sent == "":
        return call.now_ms
    if isinstance(sent, int | Decimal) or sent.isdigit():
        return int(sent)
    iso_is_taken = call.path in _OLDER_PATHS or call.switches["event_iso_date"] == "accept"
    try:
        moment = datetime.fromisoformat(sent)
    except ValueError:
        raise Declined(MALFORMED) from None
    if not iso_is_taken:
        raise Declined(MALFORMED)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def _add(call: Call) -> Mapping[str, Any]:
    return {"eventId": add_event(call, call.body, str(call.body.get("owner")))}


def _update(call: Call) -> Mapping[str, Any]:
    return {"eventId": update_event(call, call.body.get("contactEvent") or {})}


def _delete(call: Call) -> Mapping[str, Any]:
    event = _event_to_delete(call)
    if event is not None:
        call.holdings.remove_event(event)
    elif call.switches["event_delete_unknown"] == "refuse":
        raise refuse("Event not found")
    return {"result": "deleted"}


def _event_to_delete(call: Call) -> Event | None:
    event_id, external_id = call.body.get("eventId"), call.body.get("externalId")
    if event_id:
        return call.holdings.events.get(str(event_id))
    if external_id and call.switches["event_delete_by_external_id"] == "accept":
        return next(iter(call.holdings.events_by_external_id(str(external_id))), None)
    raise refuse("No eventId specified")


def _add_many(call: Call) -> Mapping[str, Any]:
    events = call.body.get("events") or []
    if not events:
        raise refuse("Events list cannot be empty")
    if len(events) > BATCH_SIZE:
        raise refuse(f"Events list cannot have more than {BATCH_SIZE} items")
    # The whole body is parsed before the first event is kept, so an event that cannot be parsed spoils them all.
    for entry in events:
        _require_readable(call, entry.get("contactEvent") or {})
    failed = [entry.get("contactId") or entry.get("email") for entry in events if not _added(call, entry)]
    return {"failedContacts": failed, "createdAmount": len(events) - len(failed), "failedAmount": len(failed)}


def _require_readable(call: Call, sent: Mapping[str, Any]) -> None:
    _date(call, sent)
    if call.switches["event_wrong_type"] == "malformed":
        _event_type(call, sent)


def _added(call: Call, entry: Mapping[str, Any]) -> bool:
    try:
        return add_event(call, entry, str(call.body.get("owner"))) is not None
    except Declined:
        return False


_OPERATIONS: Mapping[str, Handler] = {
    "addContactExtEvent": operation(EVENT_KEYS, _add),
    "updateContactExtEvent": operation({"contactEvent": _EVENT}, _update),
    "deleteContactExtEvent": operation({"eventId": text, "externalId": text}, _delete),
}
_ADD_MANY = operation({"events": each(Table(EVENT_KEYS))}, _add_many)
_OLDER: Mapping[str, Handler] = {
    **{f"/api/contact/{name}": handler for name, handler in _OPERATIONS.items()},
    "/api/contact/batchAddContactExtEvent": _ADD_MANY,
}
_OLDER_PATHS = frozenset(_OLDER)

HANDLERS: Mapping[str, Handler] = {
    **_OLDER,
    **{f"/api/v2/contact/{name}": handler for name, handler in _OPERATIONS.items()},
    "/api/v2/contact/addBatchContactExtEvent": _ADD_MANY,
}
