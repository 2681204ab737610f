"""What a shop platform declares. Each module in ``handlers/`` that defines ``PLATFORM`` is one; nothing lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from relay.commerce import OrderStatus, Record, ResourceKind
from relay.shops import Shop

Headers: TypeAlias = Mapping[str, str]
"""Request headers with lower-case names."""

PurchaseWhen: TypeAlias = Literal["placed", "paid"]


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery as the platform itself would send it: what the demo and the tests make up."""

    shop: Shop
    topic: str
    body: bytes
    delivery_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """What a delivery's headers say about it. ``dedupe`` is the sha256 hex under which a repeat is recognised."""

    topic: str
    dedupe: str
    delivery_id: str | None = None
    webhook_id: str | None = None
    event_id: str | None = None
    triggered_at: datetime | None = None
    api_version: str | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that is translated: what it is about, and how its parsed JSON body becomes a record.

    ``read`` takes the parsed body and the shop (for its zone, currency and storefront URL) and raises
    ``PayloadInvalid`` with a message that names the field.
    """

    kind: ResourceKind
    read: Callable[[Any, Shop], Record]


@dataclass(frozen=True, slots=True)
class Platform:
    """A kind of shop software.

    verify     raises SignatureMismatch unless the raw body was signed with one of the shop's secrets
    is_ping    tells an unsigned activation ping, the only unsigned request that is answered 200
    identify   reads topic, ids and times from the headers; raises SignatureMismatch when they name another shop
    topics     topic, spelt the platform's way -> Topic
    ignored    topics known and left alone -> the reason, shown to the operator
    statuses   the platform's order status words -> OrderStatus; a shop's ``statuses`` setting comes before it
    restoring  topics that say a resource is back out of the trash
    staff      account roles whose holders work for the shop, so that they are no contacts
    headers_of the headers with which the platform would send something, signed with the shop's first secret
    """

    name: str
    verify: Callable[[bytes, Headers, Sequence[str]], None]
    identify: Callable[[bytes, Headers, Shop], Identity]
    topics: Mapping[str, Topic]
    is_ping: Callable[[bytes, Headers], bool] = lambda body, headers: False
    ignored: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, OrderStatus] = field(default_factory=dict)
    purchase_when: PurchaseWhen = "placed"
    restoring: frozenset[str] = frozenset()
    staff: frozenset[str] = frozenset()
    headers_of: Callable[[Sending], dict[str, str]] = lambda sending: {}


Platforms: TypeAlias = Mapping[str, Platform]
