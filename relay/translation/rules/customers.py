"""Accounts: the contact they are, a new address, and what their deletion means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from relay.commerce import Customer, ResourceKind
from relay.memory import Resource
from relay.translation.people import Contact
from relay.translation.rules.orders import NO_CHANGE, settle_order
from relay.translation.rules.remembering import body_of, deleted_at, note_alive, note_deletion, record_of, remember
from relay.translation.rules.whom import stamp, tell
from relay.translation.scene import TRANSLATED, Ending, Scene, ignored
from relay.translation.versions import VERSION, Version, microseconds, moment_of

STAFF = ignored("staff-account")
ACCOUNT_DELETED = ignored("account-deleted")
DELETION_IGNORED = ignored("on-customer-delete-ignore")
UNKNOWN = ignored("unknown-customer")

_WORKS_HERE = "staff"


def take_customer(scene: Scene, customer: Customer, body: Mapping[str, Any]) -> Ending:
    """Remember an account and bring its contact up to date."""
    assert customer.id is not None  # noqa: S101 - the schemas of accounts require it
    if customer.role in scene.platform.staff:
        return STAFF
    resource = remember(scene, ResourceKind.CUSTOMER, customer.id, body, customer.updated_at)
    restored = scene.delivery.topic in scene.platform.restoring
    at = customer.updated_at or scene.happened_at
    note_alive(scene, resource, max(at, scene.happened_at) if restored else at)
    return settle_customer(scene, customer.id)


def settle_customer(scene: Scene, customer_id: str) -> Ending:
    """Bring SALESmanago up to what is known of an account, and of the orders that waited for its address."""
    resource = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    customer = record_of(scene, resource) if resource else None
    if resource is None or not isinstance(customer, Customer):
        return UNKNOWN
    raw = body_of(resource)
    said_at = customer.updated_at or resource.updated_at or scene.happened_at
    age = stamp(said_at, None, str(resource.facts[VERSION][-1]))
    if customer.email:
        _move(scene, resource, customer.email, age)
    gone_at = deleted_at(resource.facts)
    if gone_at is not None and scene.shop.on_customer_delete == "delete":
        return _settle_deletion(scene, customer.email or resource.email, moment_of(gone_at)) or ACCOUNT_DELETED
    account = f"{scene.shop.key}:{customer_id}"
    contact = tell(scene, customer, raw, age, "a customer account", account)
    if isinstance(contact, Ending):
        return contact
    if gone_at is not None:
        _settle_deletion(scene, customer.email, moment_of(gone_at))
    _settle_waiting(scene, customer_id)
    return TRANSLATED if scene.asked else NO_CHANGE


def delete_customer(scene: Scene, customer_id: str) -> Ending:
    """Do what the shop's settings want when an account is deleted."""
    note_deletion(scene, ResourceKind.CUSTOMER, customer_id)
    resource = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    gone_at = deleted_at(resource.facts) if resource else None
    if resource is None or gone_at is None:
        return ignored("restored-since")
    if resource.email is None:
        return UNKNOWN  # remembered: what arrives late about it will announce nobody
    return _settle_deletion(scene, resource.email, moment_of(gone_at)) or DELETION_IGNORED


def _settle_deletion(scene: Scene, email: str | None, at: datetime) -> Ending | None:
    """Delete or opt out the contact; None where the shop's settings want nothing."""
    wish = scene.shop.on_customer_delete
    if wish == "ignore" or email is None:
        return None
    contact = Contact(scene, email)
    if contact.is_gone_by(microseconds(at)):
        return NO_CHANGE
    if wish == "delete":
        contact.delete(at, "the account was deleted")
    elif contact.is_known:
        contact.opt_out(at, "the account was deleted")
    return TRANSLATED if scene.asked else NO_CHANGE


def _move(scene: Scene, resource: Resource, email: str, age: Version) -> None:
    """Follow an account to a new address: the contact moves along, it is not a second one.

    Before its account was heard of, a contact may also have been known by the address of its first order.
    """
    earlier = [resource.email] if resource.email else list(resource.facts.get("weak", ()))
    for address in earlier:
        _rename(scene, address, email, f"{scene.shop.key}:{resource.id}", age)
    facts = {name: value for name, value in resource.facts.items() if name != "weak"}
    scene.notes.note(replace(resource, email=email.lower(), facts=facts))


def _rename(scene: Scene, old: str, new: str, account: str, age: Version) -> None:
    contact, target = Contact(scene, old), Contact(scene, new)
    if contact.address == target.address or not contact.is_known or contact.claims - {account}:
        return
    if target.is_known:
        # SALESmanago cannot merge two cards; what is new goes to the present address.
        scene.warn("The account's new address has a contact of its own already; the old contact stays as it is.")
        return
    contact.rename(new, age, "the account has a new address")


def _settle_waiting(scene: Scene, customer_id: str) -> None:
    """Announce the orders that had no address of their own."""
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    waiting = facts.pop("waiting", ())
    if waiting:
        scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id, facts)
    for order_id in waiting:
        settle_order(scene, order_id)
