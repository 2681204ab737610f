"""What a checkout means: one CART as long as it is no order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from relay.clock import epoch_ms
from relay.commands import CommandKind
from relay.deliveries import DeliveryState, Translation
from tests.support import shopify
from tests.support.lives import (
    START,
    after,
    shopify_account,
    shopify_checkout,
    shopify_lines,
    shopify_order,
    shopify_person,
)
from tests.support.world import World, a_group

MAJA = "maja.lund@example.com"


@pytest.fixture
def world() -> World:
    return World(shopify.a_shop())


def send(world: World, minutes: float, **changes: Any) -> Translation:
    """Deliver the checkout as it was some minutes after START."""
    return world.deliver("checkouts/update", shopify_checkout(after(minutes), **changes), after(minutes))


def carts(world: World) -> list[tuple[str, str]]:
    """Give contact and value of all carts."""
    return [(contact, str(value)) for contact, told in world.told("CART").items() for _, _, value, _ in told]


def test_a_checkout_is_a_cart_at_once(world: World) -> None:
    send(world, 0)
    [cart] = world.events.values()
    assert (cart["contactExtEventType"], str(cart["value"]), cart["date"]) == ("CART", "60.10", epoch_ms(START))
    assert (cart["externalId"], cart["products"]) == (
        "5f1c0de0000000000000000000000077",
        "7700000000001,7700000000002",
    )
    assert cart["description"].startswith("https://nordljus.example/1/checkouts/ac/")
    assert world.contacts[MAJA]["email"] == "Maja.Lund@example.com"


def test_a_checkout_is_changed_in_place_and_keeps_its_date(world: World) -> None:
    send(world, 0, line_items=shopify_lines(1), total_price="40.00")
    send(world, 20)
    send(world, 10, total_price="1.00")  # overtaken
    assert carts(world) == [(MAJA, "60.10")]
    [cart] = world.events.values()
    assert cart["date"] == epoch_ms(START)


def test_a_repeated_checkout_asks_for_nothing(world: World) -> None:
    send(world, 0)
    assert send(world, 0).reason == "no-change"
    assert [command.kind for command in world.commands] == [CommandKind.CONTACT_UPSERT, CommandKind.EVENT_PUT]


def test_a_checkout_of_nobody_waits_until_the_address_is_typed(world: World) -> None:
    anonymous = {"email": None, "customer": None}
    assert send(world, 0, **anonymous).reason == "no-email"
    send(world, 5)
    assert carts(world) == [(MAJA, "60.10")]


def test_a_checkout_waits_for_the_address_of_its_account(world: World) -> None:
    assert send(world, 0, email=None, customer=shopify_person(None)).reason == "no-email"
    world.deliver("customers/create", shopify_account(after(5), "Maja.Lund@example.com"), after(5))
    assert carts(world) == [(MAJA, "60.10")]


def test_an_address_that_is_none_is_no_buyer(world: World) -> None:
    assert send(world, 0, email="maja@", customer=None).reason == "invalid-email"
    assert world.contacts == {}


def test_a_checkout_without_lines_is_no_cart(world: World) -> None:
    translation = send(world, 0, line_items=[])
    assert translation.state is DeliveryState.TRANSLATED
    assert (carts(world), list(world.contacts)) == ([], [MAJA])


def test_an_emptied_checkout_is_taken_back_and_can_come_again(world: World) -> None:
    send(world, 0)
    send(world, 5, line_items=[])
    assert carts(world) == []
    send(world, 9)
    assert carts(world) == [(MAJA, "60.10")]


def test_a_cart_stays_beside_its_purchase_and_does_not_change_any_more(world: World) -> None:
    send(world, 0)
    world.deliver("orders/create", shopify_order(after(10)), after(10))
    assert send(world, 20, total_price="99.00").reason == "order-known"
    assert carts(world) == [(MAJA, "60.10")]


def test_a_checkout_whose_order_is_known_is_not_announced_late(world: World) -> None:
    world.deliver("orders/create", shopify_order(after(10)), after(10))
    assert send(world, 0).reason == "order-known"
    assert carts(world) == []


def test_an_order_of_nobody_ends_its_checkout_all_the_same(world: World) -> None:
    nobody = {"email": "", "contact_email": None, "customer": None}
    world.deliver("orders/create", shopify_order(after(10), **nobody), after(10))
    send(world, 0)
    assert carts(world) == []


def test_what_a_late_checkout_says_of_the_person_is_still_told(world: World) -> None:
    world.deliver("orders/create", shopify_order(after(10), billing_address=None), after(10))
    address = {"company": "Lund AB", "address1": "Storgatan 2"}
    translation = send(world, 0, billing_address=address, customer=None)
    assert (translation.state, translation.reason) == (DeliveryState.TRANSLATED, None)
    assert world.contacts[MAJA]["company"] == "Lund AB"
    assert world.contacts[MAJA]["streetAddress"] == "Hamngatan 1"


@pytest.mark.parametrize("minutes", [0, 9])
def test_a_completed_checkout_is_no_cart_any_more(world: World, minutes: float) -> None:
    assert send(world, minutes, completed_at=after(9).isoformat()).state is DeliveryState.TRANSLATED
    assert carts(world) == []
    send(world, 0, total_price="99.00")
    assert carts(world) == []


def test_of_two_bodies_of_one_second_the_completed_one_counts(world: World) -> None:
    send(world, 0, completed_at=after(0).isoformat())
    for number in range(5):
        send(world, 0, note=f"whatever comes in the same second {number}")
    assert carts(world) == []


def test_a_checkout_dated_by_nothing_is_dated_by_its_delivery(world: World) -> None:
    body = shopify_checkout(after(0), created_at=None, updated_at=None)
    world.deliver("checkouts/create", body, after(7))
    [cart] = world.events.values()
    assert cart["date"] == epoch_ms(after(7))


def test_another_currency_is_told_with_a_warning() -> None:
    world = World(shopify.a_shop(), a_group(currency="EUR", location="nordljus_shop"))
    translation = send(world, 0, presentment_currency="PLN")
    assert translation.warnings == ("The amounts are in PLN, the e-shop nordljus_shop is in EUR.",)


def test_a_cart_follows_the_corrected_address(world: World) -> None:
    send(world, 0, email="typo@example.com", customer=None)
    send(world, 5, customer=None)
    assert carts(world) == [(MAJA, "60.10")]
    assert [command.kind for command in world.commands][-2:] == [CommandKind.EVENT_DELETE, CommandKind.EVENT_PUT]


def test_a_checkout_needs_no_waiting(world: World) -> None:
    world = World(shopify.a_shop(cart_after=timedelta(days=1)))
    send(world, 0)
    assert carts(world) == [(MAJA, "60.10")]
