"""What is told of an account apart from its own bodies: consent and tags, each with a time of its own.

It is kept with the account and not with a contact, so that it counts whichever arrives first, and wherever the
account's contact is or comes to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from relay.changes import Channel
from relay.commerce import Consent, Customer, ResourceKind
from relay.memory import Resource
from relay.translation.mapping import Fields
from relay.translation.rules.remembering import age_of, body_and_record
from relay.translation.scene import Scene
from relay.translation.versions import microseconds, moment_of
from relay.translation.words import Said

OPTED_IN = "opted_in_at"
"""The newest moment at which anything but a body opted the person in, whatever was said since."""

_CONSENT = "consent"
_TAGS = "tags"
_LISTS = ("tags", "removeTags")
# The key under which a body lists all of an account's tags, on every platform whose accounts have any.
_BODY_TAGS = "tags"


def note_consent(scene: Scene, customer_id: str, channel: Channel, given: bool, at: int) -> None:
    """Keep what an account agreed to or refused at a moment (microseconds since 1970)."""
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    facts[_CONSENT] = _with(facts.get(_CONSENT, {}), [channel], given, at)
    if given:
        facts[OPTED_IN] = max(facts.get(OPTED_IN, 0), at)
    scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id, facts)


def note_tags(scene: Scene, customer_id: str, added: Iterable[str], removed: Iterable[str], at: int) -> None:
    """Keep which tags an account was given or lost at a moment (microseconds since 1970)."""
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    facts[_TAGS] = _with(_with(facts.get(_TAGS, {}), added, True, at), removed, False, at)
    scene.notes.note_facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id, facts)


def said_apart(scene: Scene, customer_id: str) -> Said | None:
    """Give what is told of an account apart from its bodies, and only that; None when nothing is.

    The mapping is asked twice, for the account with and without it: what differs is what these changes make of it, and
    is as old as they are, while all else keeps the age of the body that says it.
    """
    resource = scene.notes.resource(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    if resource is None or not (resource.facts.get(_CONSENT) or resource.facts.get(_TAGS)):
        return None
    raw, record = body_and_record(scene, resource)
    account = record if isinstance(record, Customer) else Customer(id=customer_id)
    before = scene.mapping.contact(scene.names(raw, customer=account))
    after = scene.mapping.contact(scene.names(raw, customer=_changed(account, resource)))
    at = max(_moments(resource))
    return Said(
        fields=Fields(values=_news(after.values, before.values), sources=after.sources),
        # Equal for all that is known at one time, so that whoever knows more is believed.
        version=[at, at, f"{scene.shop.key}:{customer_id}"],
        consent=_consent(resource.facts.get(_CONSENT, {})),
    )


def _changed(account: Customer, resource: Resource) -> Customer:
    """Give an account as mappings are to see it."""
    tags: Mapping[str, Any] = resource.facts.get(_TAGS, {})
    listed_at = age_of(resource, _BODY_TAGS)
    newer = {tag: is_set for tag, (is_set, at) in tags.items() if listed_at is None or at > listed_at}
    kept = [tag for tag in account.tags if newer.get(tag, True)]
    present = tuple(dict.fromkeys([*kept, *(tag for tag, is_set in newer.items() if is_set)]))
    return replace(
        account,
        tags=present,
        removed_tags=tuple(tag for tag in tags if tag not in present),
        consent=_newest(account.consent, _consent(resource.facts.get(_CONSENT, {})), resource),
    )


def _consent(kept: Mapping[str, Any]) -> Consent:
    email, sms = (kept.get(channel, (None, None)) for channel in ("email", "sms"))
    return Consent(
        email=email[0],
        sms=sms[0],
        email_at=None if email[1] is None else moment_of(email[1]),
        sms_at=None if sms[1] is None else moment_of(sms[1]),
    )


def _newest(of_body: Consent, apart: Consent, resource: Resource) -> Consent:
    """Give channel by channel what was stated last; a body that does not say since when, states it as of its date."""
    chosen: dict[str, Any] = {}
    for channel in ("email", "sms"):
        said = [
            (getattr(each, f"{channel}_at") or resource.updated_at, not given, given)
            for each in (of_body, apart)
            if (given := getattr(each, channel)) is not None
        ]
        if said:
            chosen[f"{channel}_at"], _, chosen[channel] = max(said)
    return Consent(**chosen)


def _with(kept: Mapping[str, Any], names: Iterable[str], flag: bool, at: int) -> dict[str, list[Any]]:
    """Add statements to those kept. Of two of one moment the one that takes away counts."""
    together = dict(kept)
    for name in names:
        known = together.get(name)
        if known is None or (at, not flag) > (known[1], not known[0]):
            together[name] = [flag, at]
    return dict(sorted(together.items()))


def _moments(resource: Resource) -> list[int]:
    """Give every moment that what mappings see depends on."""
    kept = [*resource.facts.get(_TAGS, {}).values(), *resource.facts.get(_CONSENT, {}).values()]
    return [at for _, at in kept] + ([microseconds(resource.updated_at)] if resource.updated_at else [])


def _news(after: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the second reading of a mapping gives and the first did not."""
    news: dict[str, Any] = {}
    for target, value in after.items():
        earlier = before.get(target)
        if isinstance(value, Mapping):
            value = _news(value, earlier if isinstance(earlier, Mapping) else {})
        elif target in _LISTS and isinstance(value, list) and isinstance(earlier, list):
            value = [item for item in value if item not in earlier]
        if value != earlier and value not in ({}, []):
            news[target] = value
    return news
