"""Memory within a slice: what is stored, with what the slice's earlier deliveries have changed on top.

A slice of deliveries is stored as a whole, so a later one has to see what an earlier one will have stored by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from relay import jsontext
from relay.commands import Command, CommandKind, EventKey, ProductSubject
from relay.deliveries import Translation
from relay.memory import CatalogItem, EventLink, Outlook, Resource, ResourceKey
from relay.privacy import CONTACT_KIND, contacts_of
from relay.store.ahead import ReadAhead
from relay.store.asking import Written
from relay.store.effects import event_date
from relay.store.memory import Person, StoredMemory

ItemKey = tuple[str, str, str]


class Overlay:
    """The ``relay.memory.Memory`` of one slice."""

    def __init__(self, stored: StoredMemory, ahead: ReadAhead) -> None:
        """Take what is stored, and what reads ahead in it."""
        self.stored = stored
        self._ahead = ahead
        self._resources: dict[ResourceKey, Resource | None] = {}
        self._changed: set[ResourceKey] = set()
        self._events: dict[ResourceKey, dict[str, EventLink]] = {}
        self._items: dict[ItemKey, CatalogItem | None] = {}
        self._contacts: dict[Person, int | None] = {}
        self._digests: dict[tuple[str, int | str], str | None] = {}

    def foresee(self, outlooks: Iterable[Outlook]) -> None:
        """Read at once what will most likely be read one by one: statements cost more than what they read."""
        outlooks = list(outlooks)
        people = dict.fromkeys(person for each in outlooks for person in each.people)
        cards = ((contacts_of(group), CONTACT_KIND, self.pseudonym(group, address)) for group, address in people)
        keys = dict.fromkeys([*(key for each in outlooks for key in each.resources), *cards])
        linked = dict.fromkeys(key for each in outlooks for key in each.events)
        self._ahead.begin(keys, people)
        self._resources |= self.stored.resources([key for key in keys if key not in self._resources])
        for key, links in self.stored.links([key for key in linked if key not in self._events]).items():
            self._events[key] = {link.key.slot: link for link in links}
        found = self.stored.contacts([person for person in people if person not in self._contacts])
        for person, (contact, digest) in found.items():
            self._note_contact(person, contact, digest)

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        """Give what is remembered of a resource."""
        key = (shop, kind, resource_id)
        if key in self._changed:
            self._changed.remove(key)
            self._resources[key] = _as_read(self._resources[key])
        elif key not in self._resources:
            self._resources[key] = self.stored.resource(*key)
        return self._resources[key]

    def events(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        """Give all events ever asked for on behalf of a resource, by slot."""
        links = self._links(shop, kind, resource_id)
        return [links[slot] for slot in sorted(links)]

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        """Give the catalogue items made of one of the shop's products, by product id."""
        for item in self.stored.items(group, location, shop, source_id):
            self._items.setdefault((group, location, item.product_id), item)
        found = [
            item
            for (of_group, at, _), item in self._items.items()
            if item and (of_group, at, item.shop, item.source_id) == (group, location, shop, source_id)
        ]
        return sorted(found, key=lambda item: item.product_id)

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        """Give one catalogue item by the id SALESmanago knows it by."""
        key = (group, location, product_id)
        if key not in self._items:
            self._items[key] = self.stored.item(*key)
        return self._items[key]

    def contact_digest(self, group: str, email: str) -> str | None:
        """Give the digest of the contact content last asked for, None when unknown or deleted since."""
        return self._digests[self._contact(group, email.lower())]

    def pseudonym(self, *parts: str) -> str:
        """Give the name under which memory keeps what must not name anybody."""
        return self.stored.pseudonym(*parts)

    def absorb(self, group: str, translation: Translation, commands: Iterable[Written], now: datetime) -> None:
        """Take over what a translation, with its commands written out, will have changed once it is stored."""
        for resource in translation.resources:
            key = (resource.shop, resource.kind, resource.id)
            self._resources[key] = resource
            self._changed.add(key)
        for item in translation.items:
            self._absorb_item(item, now)
        if not translation.dry_run:
            for written in commands:
                self._absorb_command(group, written)

    def _absorb_item(self, item: CatalogItem, now: datetime) -> None:
        known = self.item(item.group, item.location, item.product_id)
        fields = jsontext.loads(jsontext.dumps(dict(item.fields)))
        changed = replace(item, fields=fields, updated_at=now, digest=known.digest if known else None)
        is_same = known is not None and replace(changed, updated_at=known.updated_at) == known
        self._items[item.group, item.location, item.product_id] = known if is_same else changed

    def _absorb_command(self, group: str, written: Written) -> None:
        command, subject = written.command, written.command.subject
        if isinstance(subject, ProductSubject):
            known = self.item(group, subject.location, subject.product_id)
            if known is not None:
                key = (group, subject.location, subject.product_id)
                self._items[key] = replace(known, digest=written.digest)
        elif command.event is not None:
            self._absorb_event(command.event, command, written.digest)
        else:
            is_upsert = command.kind is CommandKind.CONTACT_UPSERT
            self._digests[self._contact(group, subject.email.lower())] = written.digest if is_upsert else None

    def _absorb_event(self, key: EventKey, command: Command, digest: str) -> None:
        links = self._links(key.shop, key.kind, key.resource_id)
        known = links.get(key.slot)
        if command.kind is CommandKind.EVENT_PUT:
            date = event_date(command.payload) or (known.date if known else None)
            links[key.slot] = EventLink(key, digest, known.event_id if known else None, date)
        elif known is not None:
            links[key.slot] = replace(known, digest=None)

    def _links(self, shop: str, kind: str, resource_id: str) -> dict[str, EventLink]:
        key = (shop, kind, resource_id)
        if key not in self._events:
            self._events[key] = {link.key.slot: link for link in self.stored.events(*key)}
        return self._events[key]

    def _contact(self, group: str, address: str) -> tuple[str, int | str]:
        """Give the key of a contact's digest: several addresses may be one contact's, a new one has no id yet."""
        if (group, address) not in self._contacts:
            self._note_contact((group, address), *self.stored.contact(group, address))
        contact = self._contacts[group, address]
        return group, address if contact is None else contact

    def _note_contact(self, person: Person, contact: int | None, digest: str | None) -> None:
        group, address = person
        self._contacts[person] = contact
        self._digests.setdefault((group, address if contact is None else contact), digest)


def _as_read(resource: Resource | None) -> Resource | None:
    """Give a noted resource as reading it back would: its facts are JSON, so tuples are lists."""
    if resource is None:
        return None
    return replace(resource, facts=jsontext.loads(jsontext.dumps(dict(resource.facts))))
