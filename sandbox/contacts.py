"""API v2: adding, changing, deleting and looking up single contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.calls import Answer, Call, Handler
from sandbox.cards import UPSERT_KEYS, Mode, put_contact, stored_tag
from sandbox.holdings import Contact
from sandbox.shapes import Table, each, flag, one_of, text
from sandbox.v2 import operation, refuse


def _put(mode: Mode) -> Handler:
    def run(call: Call) -> Mapping[str, Any]:
        contact = put_contact(call, call.body, mode)
        return {"contactId": contact.contact_id, "externalId": contact.fields.get("externalId")}

    extra = {"email": text, "contactId": text} if mode is Mode.UPDATE else {}
    return operation({**UPSERT_KEYS, **extra}, run)


_DELETE_RESULTS: Mapping[str, Mapping[str, Any] | Answer] = {
    "null": {"result": None},
    "text": {"result": "Contact deleted"},
    "empty_body": Answer(None),
}


def _delete(call: Call) -> Mapping[str, Any] | Answer:
    email = call.body.get("email")
    if not email:
        raise refuse("No email specified")
    contact = call.holdings.contact_by_email(str(email))
    if contact is not None:
        _remove(call, contact, permanently=bool(call.body.get("permanently")))
    elif call.switches["delete_unknown_contact"] == "refuse":
        raise refuse("Contact not found")
    return _DELETE_RESULTS[call.switches["delete_result"]]


def _delete_many(call: Call) -> Mapping[str, Any]:
    for entry in call.body.get("contacts") or ():
        for contact in _addressed(call, entry.get("addresseeType"), str(entry.get("value"))):
            _remove(call, contact, permanently=False)
    return {"result": "deleted"}


def _addressed(call: Call, kind: str | None, value: str) -> list[Contact]:
    if kind == "TAG":
        return [contact for contact in call.holdings.contacts.values() if stored_tag(value) in contact.tags]
    contact = call.holdings.contact_by_email(value) if kind == "EMAIL" else call.holdings.contacts.get(value)
    return [] if contact is None else [contact]


def _remove(call: Call, contact: Contact, *, permanently: bool) -> None:
    call.holdings.remove_contact(contact)
    call.holdings.deleted.append(
        {
            "contact_id": contact.contact_id,
            "email": contact.email,
            "permanently": permanently,
            "deleted_on": call.now_ms,
        }
    )


def _has(call: Call) -> Mapping[str, Any]:
    if not call.body.get("email"):
        raise refuse("No email specified")
    contact = call.holdings.contact_by_email(str(call.body["email"]))
    return {"result": contact is not None, "contactId": None if contact is None else contact.contact_id}


def _users(call: Call) -> Mapping[str, Any]:
    return {"users": list(call.account.owners)}


_ADDRESSEE = Table({"addresseeType": one_of(frozenset({"EMAIL", "CONTACT_ID", "TAG"})), "value": text})

HANDLERS: Mapping[str, Handler] = {
    "/api/contact/upsert": _put(Mode.UPSERT),
    "/api/contact/insert": _put(Mode.INSERT),
    "/api/contact/update": _put(Mode.UPDATE),
    "/api/contact/delete": operation({"email": text, "permanently": flag}, _delete),
    "/api/contact/batchDelete": operation({"contacts": each(_ADDRESSEE)}, _delete_many),
    "/api/contact/hasContact": operation({"email": text}, _has),
    "/api/user/listByClient": operation({}, _users),
}
