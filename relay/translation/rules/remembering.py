"""What a delivery adds to the memory of its resource, the same for every kind of resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from relay import jsontext
from relay.commerce import Record, ResourceKind
from relay.memory import Resource
from relay.translation.people import Contact
from relay.translation.scene import Scene
from relay.translation.versions import merged, microseconds, version_of

DELETIONS = "deletions"
ALIVE_AT = "alive_at"
PIECES = "pieces"

_SECOND = 1_000_000
_DELETIONS_KEPT = 20


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
    together = merged(known, body, version_of(at, body, ranks))
    facts = {**(known.facts if known else {}), **together.facts()}
    earlier = known.updated_at if known else None
    resource = Resource(
        shop=scene.shop.key,
        kind=kind,
        id=resource_id,
        updated_at=max(at, earlier) if earlier else at,
        email=known.email if known else None,
        topic=scene.delivery.topic if together.is_newest or known is None else known.topic,
        body=jsontext.dumps(together.body).encode(),
        facts=facts,
    )
    scene.notes.note(resource)
    return resource


def with_facts(scene: Scene, resource: Resource, **facts: Any) -> Resource:
    """Note new facts of a resource; None takes one out."""
    kept = {name: value for name, value in {**resource.facts, **facts}.items() if value is not None}
    changed = replace(resource, facts=kept)
    scene.notes.note(changed)
    return changed


def body_of(resource: Resource) -> dict[str, Any]:
    """Give a resource's merged body, with the pieces that arrived by themselves in their lists."""
    body: dict[str, Any] = jsontext.loads(resource.body) if resource.body else {}
    for key, pieces in resource.facts.get(PIECES, {}).items():
        listed = body.get(key)
        present = listed if isinstance(listed, list) else []
        ids = {str(item.get("id")) for item in present if isinstance(item, dict)}
        body[key] = [*present, *(piece for piece_id, piece in pieces.items() if piece_id not in ids)]
    return body


def record_of(scene: Scene, resource: Resource) -> Record | None:
    """Read a resource's merged body with the schema of its topic; None while no body is known.

    Raises: PayloadInvalid.
    """
    if resource.body is None or resource.topic is None:
        return None
    return scene.platform.topics[resource.topic].read(body_of(resource), scene.shop)


def belongs_to(scene: Scene, kind: ResourceKind, resource_id: str, contact: Contact) -> None:
    """Note whom a resource belongs to, so that erasing the person finds it."""
    resource = scene.notes.resource(scene.shop.key, kind, resource_id)
    if resource is not None and resource.email != contact.address:
        scene.notes.note(replace(resource, email=contact.address))


def note_deletion(scene: Scene, kind: ResourceKind, resource_id: str) -> None:
    """Note that a resource was deleted. Such a delivery carries no date but its own."""
    facts = scene.notes.facts(scene.shop.key, kind, resource_id)
    # Shops date their bodies in whole seconds, so the moments are compared in whole seconds.
    moment = microseconds(scene.happened_at) // _SECOND * _SECOND
    facts[DELETIONS] = _with_moment(facts, moment)
    scene.notes.note_facts(scene.shop.key, kind, resource_id, facts)


def note_trashed(scene: Scene, resource: Resource, at: datetime) -> Resource:
    """Note that a body shows its resource in the trash: deleted, whatever else is dated the same second."""
    return with_facts(scene, resource, **{DELETIONS: _with_moment(resource.facts, microseconds(at) + 1)})


def note_alive(scene: Scene, resource: Resource, at: datetime) -> Resource:
    """Note that a body of this moment shows its resource in the shop."""
    return with_facts(scene, resource, **{ALIVE_AT: max(resource.facts.get(ALIVE_AT, 0), microseconds(at))})


def deleted_at(facts: Mapping[str, Any]) -> int | None:
    """Give when a resource was deleted (microseconds since 1970), None when nothing says so or it has come back.

    A deletion counts unless a body is as young. The moment is that of the first deletion after the last sign of life.
    """
    alive_at = facts.get(ALIVE_AT, -1)
    later = [moment for moment in facts.get(DELETIONS, ()) if moment > alive_at]
    return min(later, default=None)


def _with_moment(facts: Mapping[str, Any], moment: int) -> list[int]:
    return sorted({*facts.get(DELETIONS, ()), moment})[-_DELETIONS_KEPT:]
