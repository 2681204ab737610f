"""Deliveries: one inbound request each, as received, and what translation made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from relay.commands import Command, ContactSubject
from relay.memory import CatalogItem, Resource
from relay.privacy import PrivacyWish


class DeliveryState(StrEnum):
    """Where a delivery is in its life."""

    RECEIVED = "received"
    HELD = "held"  # waits, bounded, until due_at
    TRANSLATED = "translated"
    IGNORED = "ignored"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """An inbound request on its way into the store."""

    platform: str  # "shopify", "woocommerce", ..., or "api" for REST calls
    group: str
    shop: str | None  # None for REST calls
    topic: str
    dedupe: str  # sha256 hex; unique in the store
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    delivery_id: str | None = None  # the platform's own id of it
    webhook_id: str | None = None  # the platform's id of the registration, where it has one
    event_id: str | None = None
    triggered_at: datetime | None = None
    api_version: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored delivery, claimed for translation."""

    id: int
    platform: str
    group: str
    shop: str | None
    topic: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    delivery_id: str | None = None
    triggered_at: datetime | None = None
    api_version: str | None = None
    attempts: int = 0  # translations begun before this one
    lease_token: str = ""


@dataclass(frozen=True, slots=True)
class Translation:
    """All that one delivery means: its state, what to send and what to remember, applied in one transaction."""

    state: DeliveryState
    reason: str | None = None  # a slug for IGNORED and HELD ("no-email"), a sentence for DEAD
    commands: tuple[Command, ...] = ()
    resources: tuple[Resource, ...] = ()
    items: tuple[CatalogItem, ...] = ()
    warnings: tuple[str, ...] = ()
    due_at: datetime | None = None  # with HELD: when to look again
    dry_run: bool = False  # the commands are stored to be looked at, never sent
    resource_kind: str | None = None  # what the delivery was about, for search
    resource_id: str | None = None
    privacy: tuple[PrivacyWish, ...] = ()  # whom to forget, the delivery itself too, or to tell about
    erased: bool = False  # it tells about somebody who was forgotten: its own body goes

    @property
    def stands_alone(self) -> bool:
        """Whether it changes more than its own parts tell, so that nothing may be translated meanwhile."""
        return bool(self.privacy) or self.erased

    @property
    def renames(self) -> bool:
        """Whether it changes somebody's address, which decides whom what comes after it is about."""
        subjects = (command.subject for command in self.commands)
        return any(isinstance(subject, ContactSubject) and bool(subject.new_email) for subject in subjects)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The receipt of ``record_delivery``."""

    id: int
    repeated: bool
