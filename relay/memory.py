"""Memory: what the relay remembers of a shop's resources, and the view of it that translation reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from relay.commands import EventKey
from relay.privacy import pseudonym


@dataclass(frozen=True, slots=True)
class Resource:
    """What is remembered of one customer, order, cart or product of one shop.

    ``body`` is the newest full body seen (with the topic whose schema reads it), so that a delivery that carries only
    an id can still be translated. ``facts`` holds what no single body says: first dates seen, flags that only rise.
    """

    shop: str
    kind: str
    id: str
    updated_at: datetime | None = None  # of the newest body seen
    email: str | None = None  # whom it belongs to
    topic: str | None = None
    body: bytes | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # JSON values
    account: str | None = None  # the shop's customer id of whom it belongs to
    since: datetime | None = None  # the moment it speaks of: an order's date, otherwise its newest body's


ResourceKey: TypeAlias = tuple[str, str, str]
"""Shop, kind and id of a resource."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a translation will most likely read, so that it can be read at once with what others will.

    It is no more than a guess: what it leaves out is read when it is needed, what it names needlessly does no harm.
    """

    resources: tuple[ResourceKey, ...] = ()
    events: tuple[ResourceKey, ...] = ()  # of these resources
    people: tuple[tuple[str, str], ...] = ()  # group, and address in lower case


@dataclass(frozen=True, slots=True)
class EventLink:
    """An event that was asked for: its key, the digest of its newest content and SALESmanago's id once known."""

    key: EventKey
    digest: str | None  # None once a deletion was asked for
    event_id: str | None
    date: datetime | None  # the event's own date, kept stable across updates


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """One product as SALESmanago knows it, in the integration's field names (id, name, price, ...)."""

    group: str
    location: str
    product_id: str
    shop: str | None  # None when it came over the REST API
    source_id: str | None  # the shop's own product id
    fields: Mapping[str, Any]
    active: bool
    updated_at: datetime | None = None
    digest: str | None = None  # of what the catalogue was last asked to take; None when nothing stands there


class Memory(Protocol):
    """Read access to memory inside the transaction that will store the translation."""

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        """Give what is remembered of a resource."""
        ...

    def events(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        """Give all events ever asked for on behalf of a resource."""
        ...

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        """Give the catalogue items made of one of the shop's products."""
        ...

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        """Give one catalogue item by the id SALESmanago knows it by."""
        ...

    def contact_digest(self, group: str, email: str) -> str | None:
        """Give the digest of the contact content last asked for, None when unknown or deleted since."""
        ...

    def pseudonym(self, *parts: str) -> str:
        """Give the name under which memory keeps what must not name anybody: a keyed hash, the same for ever."""
        ...


class EmptyMemory:
    """The memory of a relay that has met nothing yet: for explaining a mapping on a single body."""

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        """Give nothing."""
        return None

    def events(self, shop: str, kind: str, resource_id: str) -> Sequence[EventLink]:
        """Give nothing."""
        return ()

    def items(self, group: str, location: str, shop: str, source_id: str) -> Sequence[CatalogItem]:
        """Give nothing."""
        return ()

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        """Give nothing."""
        return None

    def contact_digest(self, group: str, email: str) -> str | None:
        """Give nothing."""
        return None

    def pseudonym(self, *parts: str) -> str:
        """Give a hash without a key: nothing is kept under it."""
        return pseudonym(b"", *parts)
