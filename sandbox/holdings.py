"""What one account holds: contacts with their events, catalogues with their products. Every look-up is by key."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


def new_id() -> str:
    """Make an id in SALESmanago's form, a random UUID."""
    return str(uuid.uuid4())


@dataclass(slots=True)
class Contact:
    """One contact card. ``fields`` are its flat texts; times are milliseconds since 1970."""

    contact_id: str
    email: str
    owner: str
    created_on: int
    modified_on: int
    opted_out: bool = True
    opted_out_phone: bool = True
    confirmation_mails: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    tags: dict[str, dict[str, int]] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    dictionary_properties: dict[str, Any] = field(default_factory=dict)
    consents: dict[str, Any] = field(default_factory=dict)
    event_ids: dict[str, None] = field(default_factory=dict)  # a set that remembers the order

    def as_dict(self) -> dict[str, Any]:
        """Give the card without its events, ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "event_ids"}


@dataclass(slots=True)
class Event:
    """One external event. ``fields`` are contactEvent's own, with ``date`` in milliseconds and ``value`` a Decimal."""

    event_id: str
    contact_id: str
    created_on: int
    modified_on: int
    fields: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Give the event with its own fields flat beside its ids."""
        return {"event_id": self.event_id, "created_on": self.created_on, "modified_on": self.modified_on} | self.fields


_EVENT_OWN = ("event_id", "created_on", "modified_on")


@dataclass(slots=True)
class Catalog:
    """One product catalogue; ``products`` by product id, as sent."""

    catalog_id: str
    name: str
    currency: str
    location: str
    default: bool = False
    products: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """One asynchronous request. It is done at once; ``asked`` counts how often its state was asked for."""

    request_id: int
    asked: int = 0


class Holdings:
    """Everything one account holds."""

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.events: dict[str, Event] = {}
        self.catalogs: dict[str, Catalog] = {}
        self.jobs: dict[int, Job] = {}
        self.deleted: list[dict[str, Any]] = []
        self._id_by_email: dict[str, str] = {}
        self._ids_by_external_id: dict[str, dict[str, None]] = {}

    def contact_by_email(self, email: str) -> Contact | None:
        """Find a card by address, whatever its case."""
        contact_id = self._id_by_email.get(email.lower())
        return None if contact_id is None else self.contacts[contact_id]

    def add_contact(self, contact: Contact) -> None:
        """Keep a new card."""
        self.contacts[contact.contact_id] = contact
        self._id_by_email[contact.email.lower()] = contact.contact_id

    def move_contact(self, contact: Contact, email: str) -> None:
        """Give a card another address; the old one is free afterwards."""
        del self._id_by_email[contact.email.lower()]
        contact.email = email
        self._id_by_email[email.lower()] = contact.contact_id

    def remove_contact(self, contact: Contact) -> None:
        """Drop a card with its events."""
        for event_id in list(contact.event_ids):
            self.remove_event(self.events[event_id])
        del self._id_by_email[contact.email.lower()]
        del self.contacts[contact.contact_id]

    def put_event(self, event: Event) -> None:
        """Keep an event, new or changed."""
        known = self.events.get(event.event_id)
        if known is not None:
            self._forget_external_id(known)
        self.events[event.event_id] = event
        self.contacts[event.contact_id].event_ids[event.event_id] = None
        if external_id := event.fields.get("externalId"):
            self._ids_by_external_id.setdefault(external_id, {})[event.event_id] = None

    def remove_event(self, event: Event) -> None:
        """Drop one event."""
        self._forget_external_id(event)
        del self.contacts[event.contact_id].event_ids[event.event_id]
        del self.events[event.event_id]

    def events_by_external_id(self, external_id: str) -> list[Event]:
        """Find the events that carry this external id, in the order they came."""
        return [self.events[event_id] for event_id in self._ids_by_external_id.get(external_id, ())]

    def events_of(self, contact: Contact) -> Iterator[Event]:
        """Walk through a card's events in the order they came."""
        return (self.events[event_id] for event_id in contact.event_ids)

    def _forget_external_id(self, event: Event) -> None:
        if external_id := event.fields.get("externalId"):
            ids = self._ids_by_external_id[external_id]
            ids.pop(event.event_id, None)
            if not ids:
                del self._ids_by_external_id[external_id]

    def as_dict(self) -> dict[str, Any]:
        """Give everything held, ready for JSON; ``restore`` takes it back."""
        return {"contacts": self.cards(self.contacts), **self.without_contacts()}

    def cards(self, contact_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Give these contacts with their events, ready for JSON; those that are gone are left out."""
        found = filter(None, map(self.contacts.get, contact_ids))
        return [
            contact.as_dict() | {"events": [event.as_dict() for event in self.events_of(contact)]} for contact in found
        ]

    def without_contacts(self) -> dict[str, Any]:
        """Give everything but the contacts, ready for JSON."""
        return {
            "catalogs": [
                {name: getattr(catalog, name) for name in Catalog.__slots__}
                | {"products": list(catalog.products.values())}
                for catalog in self.catalogs.values()
            ],
            "jobs": [{"request_id": job.request_id, "asked": job.asked} for job in self.jobs.values()],
            "deleted": self.deleted,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take back what ``as_dict`` gave, or a part of it."""
        for card in kept.get("contacts", ()):
            contact = Contact(**{name: value for name, value in card.items() if name != "events"})
            self.add_contact(contact)
            for entry in card["events"]:
                own = {name: entry[name] for name in _EVENT_OWN}
                fields = {name: value for name, value in entry.items() if name not in own}
                self.put_event(Event(contact_id=contact.contact_id, fields=fields, **own))
        for entry in kept.get("catalogs", ()):
            products = {product["productId"]: product for product in entry["products"]}
            self.catalogs[entry["catalog_id"]] = Catalog(**entry | {"products": products})
        self.jobs |= {entry["request_id"]: Job(**entry) for entry in kept.get("jobs", ())}
        self.deleted += kept.get("deleted", ())
