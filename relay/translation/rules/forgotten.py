"""Whether somebody wanted to be forgotten: words that are older must resurrect nobody, and are forgotten too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from relay.commerce import ResourceKind
from relay.deliveries import DeliveryState
from relay.memory import Resource
from relay.privacy import ERASED, ERASED_AT, LASTING_FACTS, Person
from relay.translation.rules.remembering import deleted_at
from relay.translation.scene import Ending, Scene
from relay.translation.versions import microseconds

FORGOTTEN = Ending(DeliveryState.IGNORED, ERASED, erased=True)
"""All that is known of a delivery's resource is about somebody who was forgotten since."""

LATE = Ending(DeliveryState.IGNORED, ERASED, erased=True, stays=True)
"""What a delivery says of an account is about somebody who was forgotten; what is known of the account may be newer."""


def is_forgotten(scene: Scene, resource: Resource, customer_id: str | None, said_at: int) -> bool:
    """Tell whether words about a sale (microseconds since 1970) are as old as the erasure of it or of its account."""
    return _is_up_to(resource.facts.get(ERASED_AT), said_at) or is_account_forgotten(scene, customer_id, said_at)


def is_account_forgotten(scene: Scene, customer_id: str | None, said_at: int) -> bool:
    """Tell whether words in an account's name (microseconds since 1970) are as old as its erasure."""
    if customer_id is None:
        return False
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CUSTOMER, customer_id)
    gone_at = deleted_at(facts) if scene.shop.on_customer_delete == "delete" else None
    return _is_up_to(facts.get(ERASED_AT), said_at) or _is_up_to(gone_at, said_at)


def _is_up_to(moment: int | None, said_at: int) -> bool:
    """Tell whether there is such a moment and words are no younger; a sale without an address has no words at all."""
    return moment is not None and said_at <= moment


def note_forgotten(scene: Scene, person: Person, at: int) -> None:
    """Keep, under bare ids, that all said about these accounts and orders up to a moment is forgotten."""
    for kind, named in ((ResourceKind.CUSTOMER, person.accounts), (ResourceKind.ORDER, person.orders)):
        for shop, resource_id in named:
            known = scene.notes.resource(shop, kind, resource_id) or Resource(shop, kind, resource_id)
            is_newer = known.since is not None and microseconds(known.since) > at
            kept = known if is_newer else bare(known)
            moment = max(at, kept.facts.get(ERASED_AT, -1))
            scene.notes.note(replace(kept, facts={**kept.facts, ERASED_AT: moment}))


def note_bare(scene: Scene, accounts: Iterable[tuple[str, str]]) -> None:
    """Forget all of accounts but the moments that tell late words from new ones."""
    for shop, resource_id in accounts:
        known = scene.notes.resource(shop, ResourceKind.CUSTOMER, resource_id)
        if known is not None:
            scene.notes.note(bare(known))


def is_bare(resource: Resource | None) -> bool:
    """Tell whether nothing is remembered of a resource but those moments."""
    return resource is None or resource == bare(resource)


def bare(resource: Resource) -> Resource:
    """Give a resource with nothing but those moments."""
    facts = {name: value for name, value in resource.facts.items() if name in LASTING_FACTS}
    return Resource(resource.shop, resource.kind, resource.id, facts=facts)
