"""Adding and changing one contact card: what a sent field does to it and under which address it lives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from sandbox.calls import Call
from sandbox.holdings import Contact, new_id
from sandbox.limits import PROPERTY_LIMIT, TAG_LIMIT, fit_text, is_email
from sandbox.shapes import Shape, Table, each, flag, mapping_of, number, one_of, text
from sandbox.v2 import refuse

_STATES = frozenset({"CUSTOMER", "PROSPECT", "PARTNER", "OTHER", "UNKNOWN"})
_ADDRESS = ("streetAddress", "zipCode", "city", "country")
_CARD_TEXTS = ("name", "phone", "fax", "company", "externalId", "state")
_TOP_TEXTS = ("province", "birthday", "lang")
_BIRTHDAY = re.compile(r"(\d{4})?(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")

_CONTACT = Table(
    {
        "email": text,
        **dict.fromkeys(_CARD_TEXTS, text),
        "state": one_of(_STATES),
        "address": Table(dict.fromkeys(_ADDRESS, text)),
    }
)
_DICTIONARY_PROPERTY = Table({"name": text, "type": one_of(frozenset({"NUMBER", "DATE"})), "value": text})
_CONSENT = Table(
    {
        "consentName": text,
        "consentAccept": flag,
        "agreementDate": number,
        "ip": text,
        "optOut": flag,
        "consentDescriptionId": number,
    }
)
UPSERT_KEYS: Mapping[str, Shape] = {
    "contact": _CONTACT,
    "newEmail": text,
    "async": flag,
    "forceOptIn": flag,
    "forceOptOut": flag,
    "forcePhoneOptIn": flag,
    "forcePhoneOptOut": flag,
    "useApiDoubleOptIn": flag,
    "doubleOptInEmailId": text,
    "doubleOptInLanguage": text,
    "tags": each(text),
    "removeTags": each(text),
    "tagScoring": flag,
    "properties": mapping_of(text),
    "dictionaryProperties": each(_DICTIONARY_PROPERTY),
    "consentDetails": each(_CONSENT),
    "loyaltyProgram": text,
    **dict.fromkeys(_TOP_TEXTS, text),
}


class Mode(Enum):
    """What may happen to the card."""

    UPSERT = auto()
    INSERT = auto()
    UPDATE = auto()


def put_contact(
    call: Call, body: Mapping[str, Any], mode: Mode = Mode.UPSERT, *, confirm: bool = False, owner: str | None = None
) -> Contact:
    """Add or change one card; ``confirm`` is the default of useApiDoubleOptIn.

    Declines the call before anything is changed.
    """
    fields = _card_fields(body)
    tags = [fit_text(call.switches, "tags", stored_tag(tag), TAG_LIMIT) for tag in body.get("tags") or ()]
    properties = {
        name: value if _is_empty(value) else fit_text(call.switches, f"properties.{name}", value, PROPERTY_LIMIT)
        for name, value in (body.get("properties") or {}).items()
    }
    if (body.get("loyaltyProgram") or None) not in (None, *call.account.loyalty_programs):
        raise refuse("Specified loyalty program does not exist")
    contact = _card(call, body, mode, owner or str(body.get("owner")))
    contact.modified_on = call.now_ms
    _merge(call, contact.fields, fields)
    _merge(call, contact.properties, properties)
    _label(call, contact, tags, body)
    _set_status(contact, body, confirm=confirm)
    for entry in body.get("dictionaryProperties") or ():
        contact.dictionary_properties[str(entry.get("name"))] = entry
    for entry in body.get("consentDetails") or ():
        contact.consents[str(entry.get("consentName"))] = {"agreementDate": call.now_ms, **entry}
    return contact


def _card_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    sent = body.get("contact") or {}
    address = sent.get("address") or {}
    if birthday := body.get("birthday"):
        _require_birthday(str(birthday))
    return (
        {name: sent[name] for name in _CARD_TEXTS if name in sent}
        | {name: address[name] for name in _ADDRESS if name in address}
        | {name: body[name] for name in _TOP_TEXTS if name in body}
    )


def _require_birthday(birthday: str) -> None:
    if not _BIRTHDAY.fullmatch(birthday):
        raise refuse("Invalid data", {"birthday": ["must be yyyyMMdd or MMdd"]})


def _require_email(email: Any) -> str:
    if not is_email(str(email)):
        raise refuse("Invalid data", {"email": ["not a valid e-mail address"]})
    return str(email)


def _card(call: Call, body: Mapping[str, Any], mode: Mode, owner: str) -> Contact:
    """Find or create the card, under the address it is to have from now on."""
    known, email = _find(call, body, mode)
    known, new_email = _change_of_address(call, body, known)
    _require_mode(call, mode, known)
    if known is not None:
        if new_email:
            call.holdings.move_contact(known, new_email)
        return known
    address = new_email or email
    if not address:
        raise refuse("Contact not found")
    contact = Contact(new_id(), address, owner, created_on=call.now_ms, modified_on=call.now_ms)
    call.holdings.add_contact(contact)
    return contact


def _find(call: Call, body: Mapping[str, Any], mode: Mode) -> tuple[Contact | None, str | None]:
    if mode is Mode.UPDATE and body.get("contactId"):
        return call.holdings.contacts.get(str(body["contactId"])), None
    email = (body.get("contact") or {}).get("email") or body.get("email")
    if not email:
        raise refuse("No email specified")
    return call.holdings.contact_by_email(_require_email(email)), str(email)


def _change_of_address(call: Call, body: Mapping[str, Any], known: Contact | None) -> tuple[Contact | None, str | None]:
    """Give the card to change and, where it is to move, its new address."""
    if not body.get("newEmail"):
        return known, None
    new_email = _require_email(body["newEmail"])
    taken = call.holdings.contact_by_email(new_email)
    if taken is None or taken is known:
        return known, new_email
    if known is None:
        return (taken, None) if call.switches["email_change_repeated"] == "update" else (None, None)
    if call.switches["email_change_taken"] == "refuse":
        raise refuse("Contact with this email already exists")
    return known, None


def _require_mode(call: Call, mode: Mode, known: Contact | None) -> None:
    if mode is Mode.INSERT and known is not None and call.switches["insert_existing"] == "refuse":
        raise refuse("Contact already exists")
    if mode is Mode.UPDATE and known is None and call.switches["update_missing"] == "refuse":
        raise refuse("Contact not found")


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _merge(call: Call, target: dict[str, Any], fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if not _is_empty(value):
            target[name] = str(value)
        elif call.switches["empty_field"] == "clears":
            target.pop(name, None)


def stored_tag(tag: Any) -> str:
    """Spell a tag as SALESmanago stores it."""
    return re.sub(r"\s", "_", str(tag).strip()).upper()


def _label(call: Call, contact: Contact, tags: list[str], body: Mapping[str, Any]) -> None:
    for tag in body.get("removeTags") or ():
        contact.tags.pop(stored_tag(tag), None)
    for tag in filter(None, tags):
        known = contact.tags.get(tag)
        if known is None:
            contact.tags[tag] = {"score": 1, "createdOn": call.now_ms}
        elif body.get("tagScoring"):
            known["score"] += 1


def _set_status(contact: Contact, body: Mapping[str, Any], *, confirm: bool) -> None:
    if body.get("forceOptOut") or body.get("forceOptIn"):
        contact.opted_out = bool(body.get("forceOptOut"))
    if body.get("forcePhoneOptOut") or body.get("forcePhoneOptIn"):
        contact.opted_out_phone = bool(body.get("forcePhoneOptOut"))
    wanted = body.get("useApiDoubleOptIn")
    if (confirm if wanted is None else wanted) and contact.opted_out and not body.get("forceOptOut"):
        contact.confirmation_mails += 1
