"""Memory during one translation: what is remembered, with what the rules have noted since on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relay.memory import CatalogItem, EventLink, Memory, Resource


class Notebook:
    """Reads memory once and keeps what changes, until the translation that made it is stored."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._read: dict[tuple[str, str, str], Resource | None] = {}
        self._noted: dict[tuple[str, str, str], Resource] = {}
        self._items: dict[str, CatalogItem] = {}

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        """Give a resource as it is now."""
        key = (shop, kind, resource_id)
        if key in self._noted:
            return self._noted[key]
        if key not in self._read:
            self._read[key] = self._memory.resource(shop, kind, resource_id)
        return self._read[key]

    def facts(self, shop: str, kind: str, resource_id: str) -> dict[str, Any]:
        """Give a copy of a resource's facts, empty when it is not known."""
        known = self.resource(shop, kind, resource_id)
        return dict(known.facts) if known else {}

    def note(self, resource: Resource) -> None:
        """Keep a resource's new state."""
        self._noted[resource.shop, resource.kind, resource.id] = resource

    def note_facts(self, shop: str, kind: str, resource_id: str, facts: dict[str, Any]) -> None:
        """Keep a resource's new facts; all else of it stays."""
        known = self.resource(shop, kind, resource_id) or Resource(shop, kind, resource_id)
        self.note(replace(known, facts=facts))

    def events(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        """Give all events ever asked for on behalf of a resource."""
        return self._memory.events(shop, kind, resource_id)

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        """Give the catalogue items made of one of the shop's products."""
        return self._memory.items(group, location, shop, source_id)

    def contact_digest(self, group: str, email: str) -> str | None:
        """Give the digest of the contact content last asked for."""
        return self._memory.contact_digest(group, email)

    def note_item(self, item: CatalogItem) -> None:
        """Keep a catalogue item's new state."""
        self._items[item.product_id] = item

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that differ from what is remembered."""
        return tuple(noted for key, noted in self._noted.items() if noted != self._read.get(key))

    @property
    def changed_items(self) -> tuple[CatalogItem, ...]:
        """The catalogue items that were noted."""
        return tuple(self._items.values())
