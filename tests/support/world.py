"""A relay and a SALESmanago in memory: for trying thousands of orders of arrival in seconds.

It keeps what the store keeps and does what SALESmanago does with each command, at once. That the real store and the
real client amount to the same is shown by the end-to-end tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from handlers import discover_platforms
from relay import jsontext
from relay.commands import Command, CommandKind, EventKey
from relay.deliveries import Delivery, DeliveryState, Translation
from relay.memory import CatalogItem, EventLink, Resource
from relay.platforms import Platforms
from relay.privacy import ERASED_AT, LASTING_FACTS, Erasure, pseudonym
from relay.shops import Directory, Group, Shop
from relay.translation.loading import load_mappings
from relay.translation.translator import Translator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
PLATFORMS = discover_platforms()
DEFAULT = load_mappings(MAPPINGS, ["default"])


def a_group(**settings: Any) -> Group:
    """Give a group that takes products both ways."""
    own: dict[str, Any] = {
        "key": "main",
        "endpoint": "https://sm.example",
        "client_id": "client",
        "api_key": "invented",
        "api_secret": "invented",
        "owner": "owner@shop.example",
        "location": "main_shop",
        "products": frozenset({"feed", "catalog"}),
    }
    return Group(**own | settings)


class World:
    """Delivers to one shop and knows what SALESmanago holds then."""

    def __init__(
        self,
        shop: Shop,
        group: Group | None = None,
        mappings: Mapping[str, Any] | None = None,
        platforms: Platforms = PLATFORMS,
    ) -> None:
        self.shop = shop
        self.group = group or a_group(currency=shop.currency, location=shop.location)
        directory = Directory(groups={self.group.key: self.group}, shops={shop.key: shop})
        self.translator = Translator(directory, platforms, mappings or DEFAULT)
        self.now = NOW
        self.resources: dict[tuple[str, str, str], Resource] = {}
        self.links: dict[EventKey, EventLink] = {}
        self.catalog: dict[str, CatalogItem] = {}
        self.digests: dict[str, str | None] = {}
        self.aliases: dict[str, str] = {}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.events: dict[EventKey, dict[str, Any]] = {}
        self.products: dict[str, dict[str, Any]] = {}
        self.commands: list[Command] = []
        self.held: list[Delivery] = []
        self._numbers = itertools.count(1)

    # What the store's memory gives.

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        return self.resources.get((shop, kind, resource_id))

    def events_of(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        found = (
            link
            for key, link in self.links.items()
            if (key.shop, key.kind, key.resource_id) == (shop, kind, resource_id)
        )
        return sorted(found, key=lambda link: link.key.slot)

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        return [item for item in self.catalog.values() if item.source_id == source_id]

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        return self.catalog.get(product_id)

    def contact_digest(self, group: str, email: str) -> str | None:
        return self.digests.get(self._address(email))

    # What happens.

    def deliver(self, topic: str, body: Any, at: datetime | None = None) -> Translation:
        """Deliver a body (parsed or raw); ``at`` is when it was triggered and received."""
        raw = body if isinstance(body, bytes) else jsontext.dumps(body).encode()
        delivery = Delivery(
            id=next(self._numbers),
            platform=self.shop.platform,
            group=self.group.key,
            shop=self.shop.key,
            topic=topic,
            headers={},
            body=raw,
            received_at=at or self.now,
            triggered_at=at,
        )
        return self._translate(delivery)

    def wait(self, until: datetime) -> None:
        """Let time pass, and look again at what is held."""
        self.now = until
        held, self.held = self.held, []
        for delivery in held:
            self._translate(delivery)

    def fork(self) -> World:
        """Give a world of its own in which all that has happened so far happened too."""
        twin = World.__new__(World)
        twin.__dict__.update(self.__dict__)
        for name in ("resources", "links", "catalog", "digests", "aliases", "products", "commands", "held"):
            setattr(twin, name, copy(getattr(self, name)))
        twin.contacts, twin.events = deepcopy(self.contacts), deepcopy(self.events)
        return twin

    def _translate(self, delivery: Delivery) -> Translation:
        translation = self.translator.translate(delivery, _MemoryView(self), self.now)
        if translation.state is DeliveryState.HELD:
            self.held.append(delivery)
        self.keep(translation)
        return translation

    def keep(self, translation: Translation) -> None:
        """Remember and carry out what a translation means."""
        for wish in translation.privacy:
            if isinstance(wish, Erasure):
                self._forget(wish)
        for resource in translation.resources:
            # Facts and bodies go through JSON, as in the store.
            facts = jsontext.loads(jsontext.dumps(resource.facts))
            self.resources[resource.shop, resource.kind, resource.id] = replace(resource, facts=facts)
        for item in translation.items:
            known = self.catalog.get(item.product_id)
            fields = jsontext.loads(jsontext.dumps(item.fields))
            self.catalog[item.product_id] = replace(item, fields=fields, digest=known.digest if known else None)
        for command in () if translation.dry_run else translation.commands:
            self._carry_out(command)

    def _forget(self, erasure: Erasure) -> None:
        person, erased_at = erasure.person, (erasure.until - EPOCH) // timedelta(microseconds=1)
        for key, each in self.resources.items():
            named = {"customer": person.accounts, "order": person.orders, "cart": ()}.get(each.kind)
            if named is None or (each.since is not None and each.since > erasure.until):
                continue
            if each.email in person.addresses or (each.shop, each.account) in person.accounts or key[::2] in named:
                lasting = {name: value for name, value in each.facts.items() if name in LASTING_FACTS}
                self.resources[key] = Resource(*key, facts=lasting | {ERASED_AT: erased_at})

    def _carry_out(self, command: Command) -> None:
        self.commands.append(command)
        if command.kind is CommandKind.CONTACT_UPSERT:
            self._upsert(command)
        elif command.kind is CommandKind.CONTACT_DELETE:
            address = self._address(command.subject.email)
            self.contacts.pop(address, None)
            self.digests[address] = None
            self.aliases = {old: new for old, new in self.aliases.items() if self._address(new) != address}
            self.events = {key: event for key, event in self.events.items() if event["contact"] != address}
        elif command.kind is CommandKind.EVENT_PUT:
            digest = jsontext.digest(command.payload)
            event_id = self.links[command.event].event_id if command.event in self.links else str(len(self.links) + 1)
            self.links[command.event] = EventLink(command.event, digest, event_id, None)
            address = self._address(command.subject.email)
            assert address in self.contacts, "an event for a contact SALESmanago does not have"
            if command.event in self.events:
                address = self.events[command.event]["contact"]  # an update does not move it
            self.events[command.event] = {**command.payload["contactEvent"], "contact": address}
        elif command.kind is CommandKind.EVENT_DELETE:
            self.links[command.event] = replace(self.links[command.event], digest=None)
            self.events.pop(command.event, None)
        else:
            product_id = command.payload["productId"]
            self.products[product_id] = dict(command.payload)
            if product_id in self.catalog:
                digest = jsontext.digest(command.payload)
                self.catalog[product_id] = replace(self.catalog[product_id], digest=digest)

    def _upsert(self, command: Command) -> None:
        payload = dict(command.payload)
        address = payload["contact"]["email"].lower()
        assert address not in self.aliases, "an upsert under an address the contact no longer has"
        card = self.contacts.setdefault(address, {"tags": set(), "opted": {}, "properties": {}})
        card.update(_flat(payload))
        card["tags"] = (card["tags"] | set(payload.get("tags", ()))) - set(payload.get("removeTags", ()))
        card["properties"] |= payload.get("properties", {})
        for flag in ("forceOptIn", "forceOptOut", "forcePhoneOptIn", "forcePhoneOptOut"):
            if payload[flag]:
                card["opted"]["phone" if "Phone" in flag else "email"] = flag.endswith("In")
        if new_email := payload.get("newEmail"):
            new = new_email.lower()
            assert new not in self.contacts, "two cards cannot be merged"
            self.contacts[new] = card | {"email": new_email}
            del self.contacts[address]
            self.aliases[address] = new
            self.aliases.pop(new, None)
            for event in self.events.values():
                if event["contact"] == address:
                    event["contact"] = new
            address = new
        self.digests[address] = jsontext.digest(payload)

    def _address(self, email: str) -> str:
        address = email.lower()
        while address in self.aliases:
            address = self.aliases[address]
        return address

    # What is there in the end.

    def told(self, *slots: str) -> dict[str, list[tuple[Any, ...]]]:
        """Give the events by contact: (type, externalId, value, date), oldest first."""
        by_contact: dict[str, list[tuple[Any, ...]]] = {}
        for event in self.events.values():
            if not slots or event["contactExtEventType"] in slots:
                shown = (event["contactExtEventType"], event.get("externalId"), event.get("value"), event["date"])
                by_contact.setdefault(event["contact"], []).append(shown)
        return {contact: sorted(events, key=lambda each: (each[3], each)) for contact, events in by_contact.items()}

    def state(self, *, carts: bool = True) -> dict[str, Any]:
        """Give all SALESmanago holds, in a form that compares; without carts where these are not to be compared."""
        return {
            "contacts": self.contacts,
            "events": {
                key: event for key, event in self.events.items() if carts or event["contactExtEventType"] != "CART"
            },
            "products": {key: each for key, each in self.products.items() if each["active"]},
            "feed": {key: item.fields for key, item in self.catalog.items() if item.active},
        }

    def everything(self) -> str:
        """Give a digest of all that is remembered here and held there; equal where nothing differs."""
        remembered = [
            [
                *key,
                each.email,
                each.account,
                each.topic,
                str((each.updated_at, each.since)),
                body_of(each),
                each.facts,
            ]
            for key, each in self.resources.items()
        ]
        links = [[*astuple(key), link.digest, link.event_id is not None] for key, link in self.links.items()]
        events = [[*astuple(key), event] for key, event in self.events.items()]
        catalog = [[key, item.source_id, item.fields, item.active, item.digest] for key, item in self.catalog.items()]
        contacts = [[key, {**card, "tags": sorted(card["tags"])}] for key, card in self.contacts.items()]
        parts = (remembered, links, events, catalog, contacts, [*self.digests.items()], [*self.aliases.items()])
        return jsontext.digest([sorted(map(jsontext.digest, part)) for part in parts] + [self.products])


def body_of(resource: Resource) -> Any:
    return None if resource.body is None else jsontext.loads(resource.body)


class _MemoryView:
    """The world as translation reads it."""

    def __init__(self, world: World) -> None:
        self.resource = world.resource
        self.events = world.events_of
        self.items = world.items
        self.item = world.item
        self.contact_digest = world.contact_digest
        self.pseudonym = partial(pseudonym, b"invented")


def _flat(payload: Mapping[str, Any]) -> dict[str, Any]:
    contact = dict(payload["contact"])
    address = contact.pop("address", {})
    own = ("birthday", "province", "lang")
    return {**contact, **address, **{key: payload[key] for key in own if key in payload}}
