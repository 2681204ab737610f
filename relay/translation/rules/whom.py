"""Whom a record is about: the contact behind an order, cart or account, told what is new about the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from relay import jsontext
from relay.commerce import Consent, Customer, ResourceKind
from relay.memory import Resource
from relay.translation.people import Contact, Sale
from relay.translation.rules.apart import said_apart
from relay.translation.rules.forgotten import FORGOTTEN
from relay.translation.rules.merging import absorbed_by, kept_for
from relay.translation.rules.remembering import with_facts
from relay.translation.scene import Ending, Scene, ignored
from relay.translation.versions import Digest, Version, microseconds, moment_of
from relay.translation.words import EMAIL, Said, Words

_WEAK_KEPT = 20
_WAITING_KEPT = 50
_WORDS = "words"
WAITING = "waiting"
_TIE_LENGTH = 16
_WEAKEST: Version = [0, 0, ""]

NO_EMAIL = ignored("no-email")
INVALID_EMAIL = ignored("invalid-email")


def hear(
    scene: Scene, resource: Resource, customer: Customer | None, raw: Mapping[str, Any], age: Version, **records: Any
) -> Resource:
    """Add what one body says about its person to what is remembered of its resource; gives, and notes, that.

    What is merged is the words and not the body: a body that blanks a field does not take back what another one said.
    """
    fields = scene.mapping.contact(scene.names(raw, customer=customer, **records))
    scene.sources.update(fields.sources)
    words = words_of(resource)
    words.add(Said(fields, age, customer.consent if customer else Consent()))
    if customer and customer.id and resource.kind != ResourceKind.CUSTOMER:
        words.name_account(customer.id, age)
    return _with_words(scene, resource, words, account=words.account)


def hear_address(scene: Scene, resource: Resource, customer: Customer, age: Version, *, whole: bool) -> Resource:
    """Add the address of somebody of whom little else is told; gives, and notes, the resource.

    With ``whole`` the rest of what the mapping makes of them is added too, for a contact of which nobody says more.
    """
    fields = scene.mapping.contact(scene.names({}, customer=customer))
    words = words_of(resource)
    words.add(Said(replace(fields, values={name: each for name, each in fields.values.items() if name == EMAIL}), age))
    if whole:
        words.add(Said(fields, _WEAKEST))
        scene.sources.update(fields.sources)
    return _with_words(scene, resource, words)


def words_of(resource: Resource) -> Words:
    """Give all that the bodies of a resource have said about its person."""
    return Words(resource.facts.get(_WORDS, {}))


def _with_words(scene: Scene, resource: Resource, words: Words, **columns: Any) -> Resource:
    newest = words.newest
    since = moment_of(newest) if newest >= 0 else resource.since
    return with_facts(scene, resource, {**columns, "since": since}, **{_WORDS: words.kept()})


def account_email(scene: Scene, customer_id: str | None) -> str | None:
    """Give the address of an account, as its own deliveries told it."""
    if customer_id is None:
        return None
    account = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    return account.email if account else None


def addresses_of(scene: Scene, customer_id: str) -> list[str]:
    """Give the addresses under which an account's contact may be known: its own, until that is known those of sales."""
    email = account_email(scene, customer_id)
    if email is not None:
        return [email]
    return list(scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id).get("weak", ()))


def note_address(scene: Scene, customer_id: str, email: str) -> None:
    """Keep an address that stands for an account's own until that is known."""
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    facts["weak"] = sorted({*facts.get("weak", ()), email.lower()})[:_WEAK_KEPT]
    scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id, facts)


def buyer(scene: Scene, resource: Resource, customer: Customer | None) -> Customer:
    """Give the person behind a sale under the address of their account, where that is known.

    Until it is known the address of the sale stands for it; it is noted, so that the account can take the contact over
    later. The sale is noted with the account too, to be looked at again once the address is known.
    """
    words = words_of(resource)
    known, named = customer or Customer(), (words.account, words.email)
    customer = known if (known.id, known.email) == named else replace(known, id=words.account, email=words.email)
    if customer.id is None:
        return customer
    account_id = kept_for(scene, customer.id)
    if account_id != customer.id:
        customer = replace(customer, id=account_id)
    email = account_email(scene, account_id)
    if email is not None:
        return replace(customer, email=email)
    if customer.email:
        note_address(scene, account_id, customer.email)
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, account_id)
    waiting, sale = facts.get(WAITING, []), f"{resource.kind}:{resource.id}"
    if sale not in waiting:
        facts[WAITING] = [*waiting, sale][-_WAITING_KEPT:]
        scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, account_id, facts)
    return customer


def tell_words(
    scene: Scene,
    words: Words,
    email: str | None,
    rule: str,
    customer_id: str | None,
    *,
    sale: Sale | None = None,
    account: str | None = None,
) -> Contact | Ending:
    """Tell SALESmanago what was said about a person known by ``email``; gives the contact, or why there is none.

    ``customer_id`` is the account they have, ``sale`` the order or cart that says it, ``account`` names the account
    when the words are its own.
    """
    if email is None:
        return INVALID_EMAIL if words.has_odd_email else NO_EMAIL
    contact = Contact(scene, email)
    if contact.is_gone_by(words.newest):
        return FORGOTTEN
    contact.absorb(words, sale)
    _absorb_apart(scene, customer_id, contact)
    if account is not None:
        contact.claims.add(account)
    contact.tell(rule, scene.sources)
    return contact


def tell_apart(scene: Scene, customer_id: str, contact: Contact) -> None:
    """Tell SALESmanago what is told of an account apart from its bodies, for a contact that stands for it."""
    if _absorb_apart(scene, customer_id, contact):
        contact.tell("a change of the customer account", scene.sources)


def _absorb_apart(scene: Scene, customer_id: str | None, contact: Contact) -> bool:
    accounts = [] if customer_id is None else [customer_id, *absorbed_by(scene, customer_id)]
    told = [apart for apart in (said_apart(scene, account) for account in accounts) if apart is not None]
    for apart in told:
        scene.sources.update(apart.fields.sources)
        words = Words({})
        words.add(apart)
        contact.absorb(words)
    return bool(told)


def stamp(
    said_at: datetime,
    changed_at: datetime | None,
    body: Mapping[str, Any] | None = None,
    rank: int = 0,
    digest: Digest = jsontext.digest,
) -> Version:
    """Give the age of words about a person: when they were said, then when they were last corrected.

    ``rank`` decides between bodies of one second, where their kind has ranks, and their content where it does not.
    """
    tie = "" if body is None else digest(body)[:_TIE_LENGTH]
    return [microseconds(said_at), microseconds(changed_at or said_at), f"{rank:02}{tie}"]
