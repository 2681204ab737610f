"""What a delivery adds to the memory of its resource, the same for every kind of resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from relay import jsontext
from relay.changes import ARRIVED_ALONE
from relay.commerce import Record, ResourceKind
from relay.memory import Resource
from relay.translation.people import Contact
from relay.translation.scene import Scene
from relay.translation.versions import STAMPS, VERSION, Parsed, merged, microseconds, version_of

DELETIONS = "deletions"
ALIVE_AT = "alive_at"
PIECES = "pieces"
NO_COLUMNS: Mapping[str, Any] = MappingProxyType({})
_CARD = "card"

_SECOND = 1_000_000
_MOMENTS_KEPT = 20


def remember(
    scene: Scene,
    kind: ResourceKind,
    resource_id: str,
    body: Mapping[str, Any],
    changed_at: datetime | None,
    ranks: Sequence[int] = (),
) -> Resource:
    """Merge a body into what is remembered of its resource; gives, and notes, the resource as it is now.

    A body that does not say when it was changed is as old as its delivery says.
    """
    known = scene.notes.resource(scene.shop.key, kind, resource_id)
    at = changed_at or scene.happened_at
    together = merged(known, body, version_of(at, body, ranks, scene.notes.digest), scene.notes.parsed)
    facts = {**(known.facts if known else {}), **together.facts()}
    earlier = known.updated_at if known else None
    resource = Resource(
        shop=scene.shop.key,
        kind=kind,
        id=resource_id,
        updated_at=max(at, earlier) if earlier else at,
        email=known.email if known else None,
        topic=scene.delivery.topic if together.is_newest or known is None else known.topic,
        body=scene.notes.written(together.body),
        facts=facts,
    )
    scene.notes.note(resource)
    return resource


def with_facts(scene: Scene, resource: Resource, columns: Mapping[str, Any] = NO_COLUMNS, /, **facts: Any) -> Resource:
    """Note new facts of a resource, and other ``columns`` of it; None takes a fact out."""
    kept = {name: value for name, value in {**resource.facts, **facts}.items() if value is not None}
    changed = replace(resource, facts=kept, **columns)
    scene.notes.note(changed)
    return changed


def body_of(resource: Resource, parsed: Parsed = jsontext.loads) -> dict[str, Any]:
    """Give a resource's merged body, with the pieces that arrived by themselves in their lists."""
    body = _of_one_shape(resource, parsed(resource.body)) if resource.body else {}
    for key, pieces in resource.facts.get(PIECES, {}).items():
        listed = body.get(key)
        present = listed if isinstance(listed, list) else []
        ids = {str(item.get("id")) for item in present if isinstance(item, dict)}
        alone = ({**piece, ARRIVED_ALONE: True} for piece_id, piece in pieces.items() if piece_id not in ids)
        body[key] = [*present, *alone]
    return body


def _of_one_shape(resource: Resource, body: dict[str, Any]) -> dict[str, Any]:
    """Give the newest of two shapes: some API versions wrap a resource in an object under its own name."""
    wrapped = {resource.kind: body[resource.kind]} if isinstance(body.get(resource.kind), dict) else None
    if wrapped is None or "id" not in body:
        return body
    stamps, newest = resource.facts.get(STAMPS, {}), resource.facts[VERSION]
    if stamps.get(resource.kind, newest) > stamps.get("id", newest):
        return wrapped
    return {key: value for key, value in body.items() if key != resource.kind}


def record_of(scene: Scene, resource: Resource) -> Record | None:
    """Read a resource's merged body with the schema of its topic; None while no body is known.

    Raises: PayloadInvalid.
    """
    return body_and_record(scene, resource)[1]


def body_and_record(scene: Scene, resource: Resource) -> tuple[dict[str, Any], Record | None]:
    """Give what ``body_of`` gives, and the record it is; raises PayloadInvalid."""
    body = body_of(resource, scene.notes.parsed)
    if resource.body is None or resource.topic is None:
        return body, None
    read = scene.platform.topics[resource.topic].read
    # Most often nothing but this delivery is known, and reading it again would double the work of translating it.
    if scene.delivered and scene.delivered[0] == body and read is scene.platform.topics[scene.delivery.topic].read:
        return body, scene.delivered[1]
    return body, read(body, scene.shop)


def age_of(resource: Resource, key: str) -> int | None:
    """Give when a key of a resource's body was said last (microseconds since 1970), None when no body has it."""
    if resource.body is None or key not in jsontext.loads(resource.body):
        return None
    age: int = resource.facts.get(STAMPS, {}).get(key, resource.facts[VERSION])[0]
    return age


def belongs_to(scene: Scene, kind: ResourceKind, resource_id: str, contact: Contact) -> bool:
    """Note whom a resource belongs to, so that erasing the person finds it.

    Tells whether its events were put on another card of SALESmanago's than the contact's.
    """
    resource = scene.notes.resource(scene.shop.key, kind, resource_id)
    if resource is None:
        return False
    scene.notes.note(replace(resource, email=contact.address, facts={**resource.facts, _CARD: contact.card}))
    return bool(resource.facts.get(_CARD, contact.card) != contact.card)


def note_deletion(scene: Scene, kind: ResourceKind, resource_id: str) -> None:
    """Note that a resource was deleted. Such a delivery carries no date but its own."""
    facts = scene.notes.facts(scene.shop.key, kind, resource_id)
    # Shops date their bodies in whole seconds, so the moments are compared in whole seconds.
    moment = microseconds(scene.happened_at) // _SECOND * _SECOND
    facts[DELETIONS] = first_after([*facts.get(DELETIONS, ()), moment], facts.get(ALIVE_AT, -1))
    scene.notes.note_facts(scene.shop.key, kind, resource_id, facts)


def note_trashed(scene: Scene, resource: Resource, at: datetime) -> Resource:
    """Note that a body shows its resource in the trash: deleted, whatever else is dated the same second."""
    facts = resource.facts
    moments = first_after([*facts.get(DELETIONS, ()), microseconds(at) + 1], facts.get(ALIVE_AT, -1))
    return with_facts(scene, resource, **{DELETIONS: moments})


def note_alive(scene: Scene, resource: Resource, at: datetime) -> Resource:
    """Note that a body of this moment shows its resource in the shop."""
    return with_facts(scene, resource, **alive(resource.facts, at))


def alive(facts: Mapping[str, Any], at: datetime) -> dict[str, int]:
    """Give the fact that a body of this moment shows its resource in the shop."""
    return {ALIVE_AT: max(facts.get(ALIVE_AT, 0), microseconds(at))}


def deleted_at(facts: Mapping[str, Any]) -> int | None:
    """Give when a resource was deleted (microseconds since 1970), None when nothing says so or it has come back.

    A deletion counts unless a body is as young. The moment is that of the first deletion after the last sign of life.
    """
    alive_at = facts.get(ALIVE_AT, -1)
    later = [moment for moment in facts.get(DELETIONS, ()) if moment > alive_at]
    return min(later, default=None)


def first_after(moments: Iterable[int], since: int) -> list[int]:
    """Give the moments to keep of something that comes and goes: those up to ``since`` can never count again."""
    return sorted(moment for moment in set(moments) if moment > since)[:_MOMENTS_KEPT]
