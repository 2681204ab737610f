"""From lives to deliveries: what each shop sends, how often, and in which order it comes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tests.support.ledger import shopify, woocommerce
from tests.support.ledger.books import Life

_RENDERED = {"shopify": shopify.bodies, "woocommerce": woocommerce.bodies}
# What counts by when it is received: WooCommerce dates no delivery, and these bodies say nothing of when it happened.
_UNDATED = frozenset({"order.deleted", "order.restored"})


@dataclass(frozen=True)
class Sent:
    """A delivery: what it is about, when that happened, and the id under which a retry comes again."""

    shop: str
    topic: str
    body: bytes
    at: datetime
    order: int
    delivery_id: str


def sent_by(lives: Iterable[Life]) -> Iterator[Sent]:
    """Give all that is sent about some lives, in the order in which it happened to each of them."""
    for life in lives:
        for place, step in enumerate(life.steps):
            for topic in step.topics:
                for number, body in enumerate(_RENDERED[life.shop.platform](life, place, topic)):
                    delivery_id = f"{life.number}-{place}-{topic}-{number}"
                    yield Sent(life.shop.key, topic, json.dumps(body).encode(), step.at, life.id, delivery_id)


def shuffled(sent: Iterable[Sent], seed: int = 1) -> list[Sent]:
    """Give deliveries in any order, some twice: tried again under one id, or sent to a second subscription."""
    dice = random.Random(seed)
    deliveries = list(sent)
    for each in dice.sample(deliveries, len(deliveries) // 6):
        is_retry = dice.random() < 0.5
        deliveries.append(each if is_retry else replace(each, delivery_id=f"{each.delivery_id}-again"))
    dice.shuffle(deliveries)
    return deliveries


def in_order_of_receipt(sent: Sequence[Sent]) -> list[Sent]:
    """Let those deliveries that can only be dated by their receipt keep their order among themselves."""
    places: dict[tuple[str, int], list[int]] = {}
    for place, each in enumerate(sent):
        if each.topic in _UNDATED:
            places.setdefault((each.shop, each.order), []).append(place)
    ordered = list(sent)
    for found in places.values():
        for place, each in zip(found, sorted((sent[place] for place in found), key=lambda one: one.at), strict=True):
            ordered[place] = each
    return ordered
