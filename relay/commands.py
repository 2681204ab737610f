"""Commands: instructions for SALESmanago, in our words, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias


class CommandKind(StrEnum):
    """What a command asks for."""

    CONTACT_UPSERT = "contact.upsert"
    CONTACT_DELETE = "contact.delete"
    EVENT_PUT = "event.put"  # add it, or update it when its SALESmanago event id is known
    EVENT_DELETE = "event.delete"
    PRODUCT_UPSERT = "product.upsert"

    @property
    def lane(self) -> Lane:
        """The lane this kind is sent in."""
        return Lane.CATALOG if self is CommandKind.PRODUCT_UPSERT else Lane.CONTACTS


class Lane(StrEnum):
    """The two APIs of a SALESmanago account, each with its own credentials: pausing one must not stop the other."""

    CONTACTS = "contacts"  # API v2: contacts and events
    CATALOG = "catalog"  # API v3: product catalogue


class CommandState(StrEnum):
    """Where a command is in its life."""

    WAITING = "waiting"  # to be sent at due_at or later
    CLAIMED = "claimed"  # a worker holds it until its lease runs out
    DONE = "done"
    SUPERSEDED = "superseded"  # a newer command made it needless before it was sent
    UNCERTAIN = "uncertain"  # sent, answer lost, and SALESmanago's records cannot tell
    DROPPED = "dropped"  # an operator decided against it
    DEAD = "dead"  # given up until somebody acts


@dataclass(frozen=True, slots=True)
class ContactSubject:
    """A command about a person. ``new_email`` is set when the address changes; both then share one contact.

    ``contact_id`` is SALESmanago's id of somebody a REST caller knows by it alone; ``email`` is then empty.
    """

    email: str
    new_email: str | None = None
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProductSubject:
    """A command about one catalogue product of one e-shop."""

    location: str
    product_id: str


Subject: TypeAlias = ContactSubject | ProductSubject


@dataclass(frozen=True, slots=True)
class EventKey:
    """Which event of which shop resource: the link under which its SALESmanago event id is kept for ever."""

    shop: str
    kind: str  # ResourceKind value, or "api"
    resource_id: str
    slot: str  # "PURCHASE", "CART", "CANCELLATION", "RETURN:<refund id>"


@dataclass(frozen=True, slots=True)
class Command:
    """One instruction, as translation produces it.

    ``payload`` is in SALESmanago's own shape, without credentials, owner or ids that only sending can know:
    contact.upsert  the upsert body (contact, tags, properties, force flags ...)
    contact.delete  {"email"}
    event.put       {"contactEvent": {...}} (the address is added when it is sent: it may have changed meanwhile)
    event.delete    {}
    product.upsert  one product object of /v3/product/upsert
    """

    kind: CommandKind
    subject: Subject
    payload: Mapping[str, Any]
    event: EventKey | None = None
    warnings: tuple[str, ...] = ()
    digest: str | None = field(default=None, compare=False)  # of the payload, where whoever made it knows


@dataclass(frozen=True, slots=True)
class StoredCommand:
    """A claimed command with what sending it needs to know."""

    id: int
    delivery_id: int
    group: str
    kind: CommandKind
    subject: str  # "contact:<id>" or "product:<location>:<product id>"
    payload: Mapping[str, Any]
    created_at: datetime
    attempts: int  # attempts begun before this claim
    lease_token: str
    email: str | None = None  # the contact's address of today
    contact_id: str | None = None  # SALESmanago's contact id, once known
    event_id: str | None = None  # SALESmanago's id of the linked event, once known
    location: str | None = None  # of a product
    event: EventKey | None = None  # the event it is about, if the relay keeps a link to it
    answer_lost: bool = False  # an earlier attempt was begun and its outcome is not known
    doubted: bool = False  # whether the event is there is not known: an earlier command about it is uncertain
    rivals: tuple[Mapping[str, Any], ...] = ()  # payloads of others, one of which may be what the lost call carried


class Verdict(StrEnum):
    """How an attempt ended for its command."""

    DONE = "done"
    RETRY = "retry"
    DEAD = "dead"
    UNCERTAIN = "uncertain"
    RELEASED = "released"  # put back untouched; not counted as an attempt
    SUPERSEDED = "superseded"  # a later command of the same call said all that this one says


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ``settle`` writes: one attempt's end and the command's next state."""

    command: StoredCommand
    verdict: Verdict
    message: str | None = None  # the vendor's words, without personal data
    status: int | None = None  # HTTP status
    duration_ms: int = 0
    due_at: datetime | None = None  # with RETRY and RELEASED: when next
    contact_id: str | None = None
    event_id: str | None = None
    problems: tuple[str, ...] = ()  # warnings of a successful call
    answer_lost: bool = False  # with RETRY: the effect of this attempt is unknown
    ends_doubt: bool = False  # what became of earlier uncertain commands about the event has been found out
