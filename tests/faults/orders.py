"""What two shops deliver while orders live, drawn from a seed, and what SALESmanago must hold when all has arrived.

Few deliveries change anything: the others say again what was said, or have topics that the relay leaves alone.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from relay import jsontext
from relay.platforms import Sending
from relay.shops import Shop
from tests.support.lives import (
    shopify_lines,
    shopify_order,
    shopify_person,
    shopify_refund,
    woo_billing,
    woo_lines,
    woo_order,
    woo_refunds,
    woo_time,
)
from tests.support.road import PLATFORMS, SHOPIFY, WOOCOMMERCE

OPEN_ORDERS = 40
ORDERS_PER_BUYER = 4
FIRST_SHOPIFY, FIRST_WOO = 6_100_000_000_000, 1_000_000
LAMP, MUG, TEA = Decimal("40.00"), Decimal("10.05"), Decimal("20.00")
_STEP = timedelta(minutes=10)


class Told(NamedTuple):
    """One event that SALESmanago must hold."""

    kind: str  # PURCHASE, RETURN or CANCELLATION
    location: str
    order: str  # external id
    value: Decimal


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a shop, signed."""

    shop: str
    id: str
    topic: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others: its shop and its platform's id."""
        return self.shop, self.id

    @property
    def digest(self) -> bytes:
        """Stands for the body."""
        return digest_of(self.body)


def digest_of(body: bytes) -> bytes:
    """Give what stands for a body in the books."""
    return hashlib.blake2b(body, digest_size=16).digest()


@dataclass(slots=True)
class Story:
    """One order: what is still to be delivered about it, oldest first, and what it comes to in SALESmanago."""

    shop: Shop
    email: str
    told: list[Told]
    steps: list[tuple[str, bytes]]
    said: list[tuple[str, bytes]] = field(default_factory=list)


class Orders:
    """Gives one delivery after the other, endlessly; after ``finish`` only what the begun orders still have to say."""

    def __init__(self, seed: int, telling: float) -> None:
        """Take the share of deliveries, from 0 to 1, that tell something new."""
        self._random = random.Random(seed)
        self._telling = telling
        self._lock = threading.Lock()
        self._open: list[Story] = []
        self._begun = 0
        self._numbers = iter(range(1, 10**9))
        self._run = f"{seed}"
        self._today = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        self._finishing = False
        self.expected: Counter[Told] = Counter()
        self.emails: set[str] = set()

    def finish(self) -> None:
        """Begin no order any more."""
        with self._lock:
            self._finishing = True

    def next(self) -> Delivery | None:
        """Give the next delivery, None when there is nothing left to say."""
        with self._lock:
            if self._finishing:
                return next(self._last_words(), None)
            while len(self._open) < OPEN_ORDERS:
                self._begin()
            draw = self._random.random()
            if draw < self._telling:
                return self._tell(self._random.choice(self._open))
            story = self._random.choice(self._open)
            if draw < self._telling + (1 - self._telling) * 0.25 and story.said:
                return self._signed(story.shop, *self._random.choice(story.said))
            return self._ignored(story.shop)

    def _last_words(self) -> Iterator[Delivery]:
        if self._open:
            yield self._tell(self._open[0])

    def _begin(self) -> None:
        make = _shopify_story if self._begun % 2 else _woo_story
        number = self._begun // 2
        story = make(number, self._random, self._today + timedelta(seconds=number))
        self._begun += 1
        self._open.append(story)
        self.expected.update(story.told)
        if story.told:
            self.emails.add(story.email)

    def _tell(self, story: Story) -> Delivery:
        step = story.steps.pop(0)
        story.said.append(step)
        if not story.steps:
            self._open.remove(story)
        return self._signed(story.shop, *step)

    def _ignored(self, shop: Shop) -> Delivery:
        topic = "carts/update" if shop is SHOPIFY else "coupon.updated"
        body = {"id": self._random.getrandbits(40), "note": "x" * 400, "updated_at": self._today.isoformat()}
        return self._signed(shop, topic, jsontext.dumps(body).encode())

    def _signed(self, shop: Shop, topic: str, body: bytes) -> Delivery:
        delivery_id = f"{self._run}-{next(self._numbers)}"
        sending = Sending(shop, topic, body, delivery_id, datetime.now(UTC))
        return Delivery(shop.key, delivery_id, topic, PLATFORMS[shop.platform].headers_of(sending), body)


def _shopify_story(number: int, chance: random.Random, placed: datetime) -> Story:
    order, buyer = FIRST_SHOPIFY + number, number // ORDERS_PER_BUYER
    email = f"nord{buyer}@example.com"
    quantities = chance.randint(1, 3), chance.randint(1, 3)
    total = LAMP * quantities[0] + MUG * quantities[1]
    told = [Told("PURCHASE", SHOPIFY.location, str(order), total)]
    own: dict[str, Any] = {
        "id": order,
        "name": f"#{number}",
        "token": f"d0c{order}",
        "checkout_token": None,
        "cart_token": None,
        "email": email,
        "contact_email": email,
        "customer": shopify_person(email) | {"id": FIRST_SHOPIFY + buyer},
        "created_at": placed.isoformat(),
        "processed_at": placed.isoformat(),
        "total_price": str(total),
        "line_items": shopify_lines(*quantities),
    }
    at, steps = placed, []

    def say(topic: str, **changes: Any) -> None:
        nonlocal at
        own.update(changes)
        steps.append((topic, jsontext.dumps(shopify_order(at, **own)).encode()))
        at += _STEP

    say("orders/create")
    if chance.random() < 0.6:
        say("orders/paid", financial_status="paid")
    refunds: list[dict[str, Any]] = []
    for _ in range(chance.choice((0, 0, 1, 2))):
        refunds = [*refunds, shopify_refund(FIRST_SHOPIFY + number * 2 + len(refunds), str(MUG), at)]
        say("orders/updated", refunds=refunds, financial_status="partially_refunded")
        told.append(Told("RETURN", SHOPIFY.location, str(order), MUG))
    if chance.random() < 0.3:
        say("orders/cancelled", cancelled_at=at.isoformat(), cancel_reason="customer")
        told.append(Told("CANCELLATION", SHOPIFY.location, str(order), total - MUG * len(refunds)))
    return Story(SHOPIFY, email, told, steps)


def _woo_story(number: int, chance: random.Random, placed: datetime) -> Story:
    order = FIRST_WOO + number * 10
    email = f"ziel{number // ORDERS_PER_BUYER}@example.com"
    quantity = chance.randint(1, 5)
    total = TEA * quantity
    told: list[Told] = []
    own: dict[str, Any] = {
        "id": order,
        "number": str(order),
        "order_key": f"wc_order_{order}",
        "date_created_gmt": woo_time(placed),
        "total": str(total),
        "billing": woo_billing(email=email),
        "line_items": woo_lines(quantity),
    }
    at, steps = placed, []

    def say(topic: str, status: str, **changes: Any) -> None:
        nonlocal at
        own.update(changes)
        steps.append((topic, jsontext.dumps(woo_order(at, status, **own)).encode()))
        at += _STEP

    say("order.created", "on-hold")
    if chance.random() < 0.9:
        say("order.updated", "processing", date_paid_gmt=woo_time(at))
        told.append(Told("PURCHASE", WOOCOMMERCE.location, str(order), total))
        returned = Decimal(0)
        if chance.random() < 0.4:
            returned = TEA / 2
            say("order.updated", "completed", refunds=woo_refunds((order + 1, f"{returned:.2f}")))
            told.append(Told("RETURN", WOOCOMMERCE.location, str(order), returned))
        if chance.random() < 0.3:
            say("order.updated", "cancelled")
            told.append(Told("CANCELLATION", WOOCOMMERCE.location, str(order), total - returned))
    return Story(WOOCOMMERCE, email, told, steps)
