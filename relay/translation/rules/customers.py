"""Accounts: the contact they are, a new address, and what their deletion means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from relay.commerce import Customer, ResourceKind
from relay.memory import Resource
from relay.privacy import ERASED_AT, PersonRequest
from relay.translation.people import Contact
from relay.translation.rules.apart import OPTED_IN
from relay.translation.rules.erasing import SETTLE, erase, person_of
from relay.translation.rules.forgotten import FORGOTTEN, is_bare, note_bare
from relay.translation.rules.merging import TWINS, absorbed_by, is_merged, kept_for
from relay.translation.rules.orders import NO_CHANGE
from relay.translation.rules.remembering import deleted_at, note_alive, note_deletion, remember, with_facts
from relay.translation.rules.whom import (
    WAITING,
    addresses_of,
    hear,
    note_address,
    stamp,
    tell_words,
    words_of,
)
from relay.translation.scene import TRANSLATED, Ending, Scene, ignored
from relay.translation.versions import microseconds, moment_of
from relay.translation.words import EMAIL, Words

STAFF = ignored("staff-account")
DELETION_IGNORED = ignored("on-customer-delete-ignore")
UNKNOWN = ignored("unknown-customer")
MERGED = ignored("account-merged")

TWO_CONTACTS = "Both addresses of the account have a contact, and SALESmanago cannot merge contacts; the old one stays."

_EARLIER = "earlier"  # addresses that bodies older than the newest give


def take_customer(scene: Scene, customer: Customer, body: Mapping[str, Any]) -> Ending:
    """Remember an account and bring its contact up to date."""
    assert customer.id is not None  # noqa: S101 - the schemas of accounts require it
    if customer.role in scene.platform.staff:
        return STAFF
    resource = remember(scene, ResourceKind.CUSTOMER, customer.id, body, customer.updated_at)
    at = customer.updated_at or scene.happened_at
    resource = hear(scene, resource, customer, body, stamp(at, at, body, digest=scene.notes.digest))
    if scene.delivery.topic in scene.platform.restoring:
        # Nothing else brings an account back: a body younger than the deletion comes from a clock that is ahead.
        resource = note_alive(scene, resource, max(at, scene.happened_at))
    note_earlier_address(scene, resource, customer.email)
    return settle_customer(scene, customer.id)


def settle_customer(scene: Scene, customer_id: str) -> Ending:
    """Bring SALESmanago up to what is known of an account, and of the orders that waited for its address."""
    resource = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    if resource is None or (resource.body is None and words_of(resource).email is None):
        return UNKNOWN
    words = words_of(resource)
    said_at = microseconds(resource.updated_at) if resource.updated_at else words.newest
    email = words.email
    kept_id = kept_for(scene, customer_id)
    if kept_id != customer_id:
        email = _take_over(scene, resource, words, kept_id)
    elif email is not None:
        move(scene, resource, words)
    gone_at = None if is_merged(scene, customer_id) else deleted_at(resource.facts)
    if gone_at is not None and scene.shop.on_customer_delete == "delete":
        # All that is known of the account, this body too, is of somebody who is gone.
        return _forget(scene, customer_id, moment_of(gone_at)) or FORGOTTEN
    if said_at <= resource.facts.get(ERASED_AT, -1):
        return FORGOTTEN
    if resource.body is None and not (OPTED_IN in resource.facts or Contact(scene, str(email)).is_known):
        return UNKNOWN  # nothing but a refusal, or a tag, is known of somebody SALESmanago never heard of
    account = f"{scene.shop.key}:{customer_id}"
    contact = tell_words(scene, words, email, "a customer account", customer_id, account=account)
    if isinstance(contact, Ending):
        return contact
    if gone_at is not None:
        _settle_deletion(scene, email, moment_of(gone_at))
    held = settle_waiting(scene, kept_id)
    return held or (TRANSLATED if scene.asked else NO_CHANGE)


def delete_customer(scene: Scene, customer_id: str) -> Ending:
    """Do what the shop's settings want when an account is deleted."""
    note_deletion(scene, ResourceKind.CUSTOMER, customer_id)
    if is_merged(scene, customer_id):
        return MERGED  # the person lives on in the account that was kept
    resource = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    gone_at = deleted_at(resource.facts) if resource else None
    if resource is None or gone_at is None:
        return ignored("restored-since")
    if scene.shop.on_customer_delete == "delete":
        return _forget(scene, customer_id, moment_of(gone_at)) or UNKNOWN
    if resource.email is None:
        return UNKNOWN  # remembered: what arrives late about it will announce nobody
    return _settle_deletion(scene, resource.email, moment_of(gone_at)) or DELETION_IGNORED


def _settle_deletion(scene: Scene, email: str | None, at: datetime) -> Ending | None:
    """Opt out the contact; None where the shop's settings want nothing."""
    if scene.shop.on_customer_delete != "opt_out" or email is None:
        return None
    contact = Contact(scene, email)
    if contact.is_gone_by(microseconds(at)):
        return NO_CHANGE
    if contact.is_known:
        contact.opt_out(at, "the account was deleted")
    return TRANSLATED if scene.asked else NO_CHANGE


def _forget(scene: Scene, customer_id: str, at: datetime) -> Ending | None:
    """Have the person behind an account deleted and forgotten; None when there is nobody left to forget."""
    person = person_of(scene, PersonRequest(customer_id=customer_id))
    gone = [Contact(scene, address).is_gone_by(microseconds(at)) for address in person.addresses]
    account = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    if all(gone) if gone else is_bare(account):
        return None
    erase(scene, person, at, "the account was deleted")
    note_bare(scene, person.accounts)
    return TRANSLATED


def note_earlier_address(scene: Scene, resource: Resource, email: str | None) -> None:
    """Keep the address in a body that is not the newest: it has been the account's, and is looked at when it moves."""
    present = words_of(resource).email
    if email and present and email.lower() != present.lower():
        with_facts(scene, resource, **{_EARLIER: sorted({*resource.facts.get(_EARLIER, ()), email.lower()})})


def move(scene: Scene, resource: Resource, words: Words) -> None:
    """Follow an account to a new address: the contact moves along, it is not a second one.

    Before its account was heard of, a contact may also have been known by the address of its first order, or by that
    of an account which has been merged into this one since.
    """
    merged = absorbed_by(scene, resource.id)
    accounts = {f"{scene.shop.key}:{account_id}" for account_id in (resource.id, *merged)}
    own = resource.facts.get(_EARLIER, ())
    stranded: list[str] = []
    for address in dict.fromkeys([*addresses_of(scene, resource.id), *own]):
        stranded += _rename(scene, address, words, accounts, is_own=address in own)
    for address in [each for gone_id in merged for each in addresses_of(scene, gone_id)]:
        stranded += _rename(scene, address, words, accounts, is_own=True, apart=TWINS)
    facts = {name: value for name, value in resource.facts.items() if name not in ("weak", _EARLIER)}
    if stranded:
        facts[WAITING] = list(dict.fromkeys([*facts.get(WAITING, ()), *stranded]))
    scene.notes.note(replace(resource, email=str(words.email).lower(), facts=facts))


def _take_over(scene: Scene, resource: Resource, words: Words, kept_id: str) -> str | None:
    """Let the account that stands for a merged one have its contact too; gives the address of both.

    Until the address of the one that stayed is known, that of the one that went stands for it.
    """
    if words.email is not None:
        scene.notes.note(replace(resource, email=words.email.lower()))
    kept = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, kept_id)
    if kept is not None and kept.email is not None:
        move(scene, kept, words_of(kept))
        return kept.email
    if words.email is not None:
        note_address(scene, kept_id, words.email)
    return words.email


def _rename(
    scene: Scene, old: str, words: Words, accounts: set[str], *, is_own: bool = False, apart: str = TWO_CONTACTS
) -> list[str]:
    """Move a contact to the account's address; gives the sales whose events may have to be moved one by one instead."""
    email, version = words.fields[EMAIL]
    contact, target = Contact(scene, old), Contact(scene, email)
    if contact.address == email.lower() or contact.claims - accounts:
        return []
    sales = [f"{kind}:{sale_id}" for shop, kind, sale_id in contact.sales_after(-1) if shop == scene.shop.key]
    if contact.has_left(email):
        contact.return_to(email, version)
        return sales
    if not contact.is_known:
        if is_own:
            contact.become(target)
        return []
    if target.is_known and target.address != contact.address:
        scene.warn(apart)
        contact.become(target)
        return sales
    contact.absorb(words)
    contact.rename(email, version, "the account has a new address", scene.sources)
    return []


def settle_waiting(scene: Scene, customer_id: str) -> Ending | None:
    """Announce the sales that waited for the account's address, or were announced under another one.

    Gives when to look again, where one of them is a cart that has to wait still.
    """
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    waiting = facts.pop(WAITING, ())
    if not waiting:
        return None
    scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id, facts)
    held: dict[str, Ending] = {}
    for sale in waiting:
        kind, _, sale_id = sale.partition(":")
        ending = SETTLE[kind](scene, sale_id)
        if ending.due_at is not None:
            held[sale] = ending
    if not held:
        return None
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    facts[WAITING] = list(held)
    scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id, facts)
    return min(held.values(), key=lambda ending: ending.due_at or scene.now)
