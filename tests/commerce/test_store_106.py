"""A real WooCommerce store: its 97 signed deliveries, in their own order, reversed and shuffled, end in the same.

The deliveries are not part of the repository: ``RELAY_SHARED_SAMPLES`` names the folder they are in.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from relay import jsontext
from relay.commands import CommandKind
from relay.shops import Shop
from tests.support.arrivals import deliver, reading_once
from tests.support.lives import Step
from tests.support.world import PLATFORMS, World

SAMPLES = os.environ.get("RELAY_SHARED_SAMPLES")
SHUFFLES = 200

pytestmark = pytest.mark.skipif(not SAMPLES, reason="RELAY_SHARED_SAMPLES names no folder")

# What each order of the store comes to: (type, value), oldest first. It is the same whether placing or paying counts,
# since each order that was placed was paid in the end; the two without a purchase were never more than a cart.
ORDERS = {
    "19": [("CART", "143.43"), ("PURCHASE", "143.43"), ("RETURN", "10.00")],
    "21": [("PURCHASE", "143.43"), ("RETURN", "143.43")],
    "23": [("PURCHASE", "143.43")],  # cancelled, and taken up again
    "24": [("CART", "143.43"), ("PURCHASE", "143.43"), ("CANCELLATION", "143.43")],  # put into the trash
    "25": [("CART", "143.43")],
    "26": [("CART", "143.43")],
    "27": [("CART", "53.44"), ("PURCHASE", "53.44")],
    "28": [("CART", "53.44"), ("PURCHASE", "53.44")],
    "33": [("PURCHASE", "0.00"), ("CANCELLATION", "0.00")],
}
FOR_SALE = {"11", "12", "16", "18"}


@cache
def deliveries() -> tuple[Step, ...]:
    """Give the deliveries as they came, each with the moment it was received; pings are no deliveries."""
    found = []
    for path in sorted(Path(SAMPLES or "").glob("woocommerce-store/*.headers.json")):
        recorded = jsontext.loads(path.read_bytes())
        headers = {name.lower(): value for name, value in recorded["headers"]}
        if topic := headers.get("x-wc-webhook-topic"):
            body = path.with_name(path.name.replace(".headers.json", ".body")).read_bytes()
            found.append(Step(topic, body, datetime.fromtimestamp(float(recorded["received_at"]), UTC)))
    return tuple(found)


def a_shop(**settings: Any) -> Shop:
    own: dict[str, Any] = {
        "key": "store",
        "platform": "woocommerce",
        "group": "main",
        "location": "store_shop",
        "secrets": ("an-invented-secret",),
        "url": "https://store.example",
        "currency": "PLN",
        "purchase_when": "paid",
        "cart_after": timedelta(0),
        "on_customer_delete": "delete",
    }
    return Shop(**(own | settings))


def arrived(steps: Sequence[Step], shop: Shop | None = None) -> World:
    world = World(shop or SHOPS["paid"], platforms=READING_ONCE)
    for step in steps:
        deliver(world, step)
    return world


SHOPS = {when: a_shop(purchase_when=when) for when in ("paid", "placed")}
READING_ONCE = reading_once(PLATFORMS)


def orders(world: World) -> dict[str, list[tuple[str, str]]]:
    """Give the type and value of each order's events, oldest first."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    for key, event in world.events.items():
        told = (event["date"], event["contactExtEventType"], str(event["value"]))
        found.setdefault(key.resource_id, []).append(told)
    return {order: [(kind, value) for _, kind, value in sorted(events)] for order, events in found.items()}


@cache
def in_their_own_order(when: str) -> World:
    return arrived(deliveries(), SHOPS[when])


def test_all_deliveries_are_there() -> None:
    assert len(deliveries()) == 97


@pytest.mark.parametrize("when", SHOPS)
def test_each_order_is_told_as_what_it_came_to(when: str) -> None:
    world = in_their_own_order(when)
    assert orders(world) == ORDERS
    assert {number for number, product in world.products.items() if product["active"]} == FOR_SALE


def test_dates_are_the_shops_own() -> None:
    """An order's date is its creation, that of a refund or of the trash the body that showed it first."""
    told = {(key.resource_id, key.slot): event["date"] for key, event in in_their_own_order("paid").events.items()}
    at = {slot: datetime.fromtimestamp(date / 1000, UTC).strftime("%H:%M:%S") for slot, date in told.items()}
    assert at["19", "PURCHASE"] == "02:01:10"
    assert at["19", "RETURN:20"] == "02:01:15"
    assert at["21", "RETURN:22"] == "02:01:18"
    assert at["23", "PURCHASE"] == "02:01:18"
    assert at["24", "CANCELLATION"] == "02:01:47"


def test_people_are_told_once_each_and_staff_not_at_all() -> None:
    world = in_their_own_order("paid")
    assert len(world.contacts) == 10
    assert "1" not in {card.get("externalId") for card in world.contacts.values()}
    deleted = [command for command in world.commands if command.kind is CommandKind.CONTACT_DELETE]
    assert len(deleted) == 1


def test_a_shop_that_keeps_deleted_accounts_has_one_contact_more() -> None:
    assert len(arrived(deliveries(), a_shop(on_customer_delete="ignore")).contacts) == 11


@pytest.mark.parametrize("when", SHOPS)
def test_reversed_they_end_in_the_same(when: str) -> None:
    assert arrived(deliveries()[::-1], SHOPS[when]).state(carts=False) == in_their_own_order(when).state(carts=False)


@pytest.mark.parametrize("seed", range(0, SHUFFLES, 50))
def test_shuffled_with_repeats_they_end_in_the_same(seed: int) -> None:
    expected = in_their_own_order("paid").state(carts=False)
    for number in range(seed, seed + 50):
        chance = random.Random(number)
        steps = [*deliveries(), *chance.sample(deliveries(), 15)]
        chance.shuffle(steps)
        assert arrived(steps).state(carts=False) == expected, f"shuffle {number}"
