"""Memory during one translation: what is remembered, with what the rules have noted since on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from relay import jsontext
from relay.commands import Command, CommandKind, ContactSubject, EventKey, ProductSubject
from relay.memory import CatalogItem, EventLink, Memory, Resource


class Notebook:
    """Reads memory once and keeps what changes, until the translation that made it is stored."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._read: dict[tuple[str, str, str], Resource | None] = {}
        self._noted: dict[tuple[str, str, str], Resource] = {}
        self._items: dict[str, CatalogItem] = {}
        self._contacts: dict[str, str | None] = {}
        self._links: dict[EventKey, str | None] = {}
        self._products: dict[str, str] = {}
        self._pseudonyms: dict[tuple[str, ...], str] = {}
        self._parsed: dict[bytes, dict[str, Any]] = {}
        self._digested: tuple[object, str] = (None, "")

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
        known = self.resource(shop, kind, resource_id)
        self.note(replace(known, facts=facts) if known else Resource(shop, kind, resource_id, facts=facts))

    def events(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        """Give all events ever asked for on behalf of a resource."""
        known = {link.key: link for link in self._memory.events(shop, kind, resource_id)}
        for key, digest in self._links.items():
            if (key.shop, key.kind, key.resource_id) == (shop, kind, resource_id):
                known[key] = replace(known.get(key) or EventLink(key, None, None, None), digest=digest)
        return list(known.values())

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        """Give the catalogue items made of one of the shop's products."""
        ids = [item.product_id for item in self._memory.items(group, location, shop, source_id)]
        noted = [each for each, item in self._items.items() if (item.shop, item.source_id) == (shop, source_id)]
        items = (self.item(group, location, item_id) for item_id in dict.fromkeys([*ids, *noted]))
        return [item for item in items if item is not None and (item.shop, item.source_id) == (shop, source_id)]

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        """Give one catalogue item by the id SALESmanago knows it by."""
        known = self._memory.item(group, location, product_id)
        digest = self._products.get(product_id, known.digest if known else None)
        item = self._items.get(product_id, known)
        return replace(item, digest=digest) if item is not None else None

    def contact_digest(self, group: str, email: str) -> str | None:
        """Give the digest of the contact content last asked for."""
        address = email.lower()
        return self._contacts[address] if address in self._contacts else self._memory.contact_digest(group, email)

    def pseudonym(self, *parts: str) -> str:
        """Give the name under which memory keeps what must not name anybody."""
        if parts not in self._pseudonyms:
            self._pseudonyms[parts] = self._memory.pseudonym(*parts)
        return self._pseudonyms[parts]

    def parsed(self, body: bytes) -> dict[str, Any]:
        """Give a resource's body as an object of the caller's own; what is below its keys is everybody's."""
        if body not in self._parsed:
            self._parsed[body] = jsontext.loads(body)
        return dict(self._parsed[body])

    def written(self, body: dict[str, Any]) -> bytes:
        """Give parsed JSON as a resource keeps it, for ``parsed`` to give back."""
        written = jsontext.dumps(body).encode()
        self._parsed[written] = body
        return written

    def digest(self, body: Mapping[str, Any]) -> str:
        """Give the digest of a body, made once while the same body is asked for again and again."""
        if body is not self._digested[0]:
            self._digested = (body, jsontext.digest(body))
        return self._digested[1]

    def note_asked(self, command: Command) -> None:
        """Keep what was just asked for, so that nothing is asked for twice."""
        subject, digest = command.subject, command.digest or jsontext.digest(command.payload)
        if isinstance(subject, ProductSubject):
            self._products[subject.product_id] = digest
        elif command.event is not None:
            self._links[command.event] = digest if command.kind is CommandKind.EVENT_PUT else None
        else:
            self._note_contact(subject, digest if command.kind is CommandKind.CONTACT_UPSERT else None)

    def _note_contact(self, subject: ContactSubject, digest: str | None) -> None:
        for address in (subject.email, subject.new_email):
            if address:
                self._contacts[address.lower()] = digest

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
