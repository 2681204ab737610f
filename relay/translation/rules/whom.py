"""Whom a record is about: the contact behind an order, cart or account, told what is new about the person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from relay.commerce import Customer, ResourceKind
from relay.translation.people import Contact, Said
from relay.translation.scene import Ending, Scene, ignored
from relay.translation.versions import Version, microseconds
from schemas.salesmanago import check_email

_WEAK_KEPT = 20
_WAITING_KEPT = 50

NO_EMAIL = ignored("no-email")
INVALID_EMAIL = ignored("invalid-email")
DELETED = ignored("contact-deleted")


def account_email(scene: Scene, customer_id: str | None) -> str | None:
    """Give the address of an account, as its own deliveries told it."""
    if customer_id is None:
        return None
    account = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    return account.email if account else None


def buyer(scene: Scene, customer: Customer | None, order_id: str | None = None) -> Customer | None:
    """Give the person behind a sale under the address of their account, where that is known.

    Until it is known the address of the sale stands for it; it is noted, so that the account can take the contact over
    later. A sale without any address is noted with the account, to be looked at again once that has one.
    """
    if customer is None or customer.id is None:
        return customer
    email = account_email(scene, customer.id)
    if email is not None:
        return replace(customer, email=email)
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer.id)
    if customer.email:
        weak = dict.fromkeys([*facts.get("weak", ()), customer.email.lower()])
        facts["weak"] = list(weak)[-_WEAK_KEPT:]
    elif order_id is not None:
        facts["waiting"] = list(dict.fromkeys([*facts.get("waiting", ()), order_id]))[-_WAITING_KEPT:]
    scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer.id, facts)
    return customer


def tell(
    scene: Scene,
    customer: Customer,
    raw: dict[str, Any],
    stamp: Version,
    rule: str,
    account: str | None = None,
    **records: Any,
) -> Contact | Ending:
    """Tell SALESmanago what a record says about a person; gives the contact, or why there is none.

    ``stamp`` says how old the words are, ``account`` names the account when they are its own.
    """
    fields = scene.mapping.contact(scene.names(raw, customer=customer, **records))
    said = Said(fields, stamp, customer.consent, account)
    if said.email is None:
        return NO_EMAIL
    try:
        check_email(said.email)
    except ValidationError:
        return INVALID_EMAIL
    contact = Contact(scene, said.email)
    if contact.is_gone_by(stamp[0]):
        return DELETED
    contact.absorb(said)
    contact.tell(rule, fields.sources)
    return contact


def stamp(said_at: datetime, changed_at: datetime | None, digest: str) -> Version:
    """Give the age of words about a person: when they were said, then when they were last corrected."""
    return [microseconds(said_at), microseconds(changed_at or said_at), digest]
