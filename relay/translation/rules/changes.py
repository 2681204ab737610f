"""Consent, tags and merges of accounts, as platforms tell them apart from the accounts themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from relay.changes import AccountMerge, ConsentChange, TagChange
from relay.commerce import Customer, ResourceKind
from relay.memory import Resource
from relay.translation.people import Contact
from relay.translation.rules.apart import note_consent, note_tags
from relay.translation.rules.customers import note_earlier_address, settle_customer
from relay.translation.rules.forgotten import LATE, is_account_forgotten
from relay.translation.rules.merging import kept_for, note_merge
from relay.translation.rules.orders import NO_CHANGE
from relay.translation.rules.whom import WAITING, addresses_of, hear_address, stamp, tell_apart, words_of
from relay.translation.scene import TRANSLATED, Ending, Scene, ignored
from relay.translation.versions import microseconds

UNSAID = ignored("consent-not-stated")
UNKNOWN = ignored("unknown-customer")
NOT_MERGED = ignored("merge-not-completed")


def take_consent(scene: Scene, change: ConsentChange, body: Mapping[str, Any]) -> Ending:
    """Keep a consent and tell SALESmanago of it, wherever the account's contact is.

    Somebody who signs up for the newsletter is worth a contact before they ever buy; a refusal alone is not.
    """
    if change.given is None:
        return UNSAID
    at = microseconds(change.at or scene.happened_at)
    customer_id = change.customer_id
    gone = change.email is not None and Contact(scene, change.email).is_gone_by(at)
    if gone or is_account_forgotten(scene, customer_id, at):
        return LATE
    note_consent(scene, customer_id, change.channel, change.given, at)
    if change.email is not None:
        person = Customer(id=customer_id, email=change.email)
        known = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
        resource = known or Resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
        resource = hear_address(scene, resource, person, stamp(scene.happened_at, None), whole=change.given)
        note_earlier_address(scene, resource, change.email)
    return _settle(scene, customer_id)


def take_tags(scene: Scene, change: TagChange, body: Mapping[str, Any]) -> Ending:
    """Keep which tags an account was given or lost, and tell SALESmanago what the mapping makes of it."""
    at = microseconds(change.at or scene.happened_at)
    if is_account_forgotten(scene, change.customer_id, at):
        return LATE
    note_tags(scene, change.customer_id, change.added, change.removed, at)
    return _settle(scene, change.customer_id)


def take_merge(scene: Scene, merge: AccountMerge, body: Mapping[str, Any]) -> Ending:
    """Keep that two accounts are one: whatever is, was and will be said of the one that went is said of the other.

    The contact moves to the address of the account that stayed. Where that has a contact already the old one stays as
    it is, but for its orders.
    """
    if not merge.done or merge.kept_id == merge.deleted_id:
        return NOT_MERGED
    note_merge(scene, merge.kept_id, merge.deleted_id)
    _share_waiting(scene, (merge.deleted_id, merge.kept_id), kept_for(scene, merge.kept_id))
    ending = _settle(scene, merge.deleted_id)
    return ending if ending.due_at is not None else TRANSLATED if scene.asked else NO_CHANGE


def _settle(scene: Scene, customer_id: str) -> Ending:
    """Bring SALESmanago up to what is known of an account, and of the one that stands for it since a merge."""
    endings = [_settle_one(scene, each) for each in dict.fromkeys((customer_id, kept_for(scene, customer_id)))]
    held = next((ending for ending in endings if ending.due_at is not None), None)
    return held or (TRANSLATED if scene.asked else endings[-1])


def _settle_one(scene: Scene, customer_id: str) -> Ending:
    """Do that for one account, also for one whose own deliveries never came."""
    resource = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    if resource is None or words_of(resource).email is not None:
        return settle_customer(scene, customer_id)
    contacts = [Contact(scene, each) for each in addresses_of(scene, customer_id)]
    for contact in contacts:
        if contact.is_known:
            tell_apart(scene, customer_id, contact)
    return NO_CHANGE if any(contact.is_known for contact in contacts) else UNKNOWN


def _share_waiting(scene: Scene, customer_ids: Iterable[str], heir_id: str) -> None:
    """Let the sales of accounts that went wait for the address of the one that stayed, too."""
    for customer_id in customer_ids:
        more = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id).get(WAITING, [])
        kept = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, heir_id)
        waiting = list(dict.fromkeys([*kept.get(WAITING, ()), *more]))
        if waiting != kept.get(WAITING, []):
            scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, heir_id, {**kept, WAITING: waiting})
