"""Order independence: a life of an order, arriving in all 720 orders, with every repeat there can be, ends the same."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial
from typing import Any

import pytest

from relay.clock import epoch_ms
from tests.support import shopify, woocommerce
from tests.support.arrivals import deliver, endings_of
from tests.support.lives import (
    START,
    Life,
    Step,
    after,
    shopify_account,
    shopify_life,
    shopify_order,
    shopify_refund,
    step,
    woo_account,
    woo_billing,
    woo_life,
    woo_order,
    woo_refunds,
    woo_time,
)
from tests.support.world import World

JAN = "jan.lipa@example.com"
MAJA = "maja.lund@example.com"
NEW = "maja.new@example.com"


def as_it_happened(life: Life) -> World:
    world = World(life.shop)
    for one in life.steps:
        deliver(world, one)
    return world


def told(world: World, address: str) -> list[tuple[Any, ...]]:
    """Give the events of a contact: type, value, minutes since START."""
    minutes = 60_000
    return [
        (kind, str(value), (date - epoch_ms(START)) / minutes) for kind, _, value, date in world.told().get(address, [])
    ]


def assert_order_makes_no_difference(life: Life) -> World:
    """Check all orders of arrival; gives the world in which all came as it happened."""
    reference = as_it_happened(life)
    endings = endings_of(World(life.shop), life.steps)
    assert sum(ending.ways for ending in endings) == factorial(len(life.steps))
    for ending in endings:
        assert ending.world.state(carts=False) == reference.state(carts=False)
    return reference


def assert_carts_are_equal_where_the_cart_came_first(life: Life) -> None:
    first, *rest = life.steps
    world = World(life.shop)
    deliver(world, first)
    endings = endings_of(world, rest)
    assert sum(ending.ways for ending in endings) == factorial(len(rest))
    reference = as_it_happened(life)
    assert "CART" in [kind for kind, *_ in reference.told("CART").popitem()[1]]
    for ending in endings:
        assert ending.world.state() == reference.state()


PURCHASE_WHEN = ("placed", "paid")
LIVES = {
    **{f"shopify {when}": shopify_life(purchase_when=when) for when in PURCHASE_WHEN},
    **{f"woocommerce {when}": woo_life(purchase_when=when) for when in PURCHASE_WHEN},
}


@pytest.mark.parametrize("name", LIVES)
def test_all_orders_of_arrival_end_in_the_same(name: str) -> None:
    assert_order_makes_no_difference(LIVES[name])


@pytest.mark.parametrize("name", LIVES)
def test_carts_are_the_same_in_all_orders_in_which_they_came_first(name: str) -> None:
    assert_carts_are_equal_where_the_cart_came_first(LIVES[name])


@pytest.mark.parametrize("name", LIVES)
def test_a_cart_that_comes_after_its_order_is_not_announced(name: str) -> None:
    life = LIVES[name]
    cart, *rest = life.steps
    world = as_it_happened(Life(life.shop, (*rest, cart)))
    assert world.told("CART") == {}


def test_what_a_life_of_shopify_is_told_as() -> None:
    world = as_it_happened(LIVES["shopify placed"])
    assert told(world, MAJA) == [
        ("CART", "60.10", 0),
        ("PURCHASE", "60.10", 10),
        ("RETURN", "10.05", 300),
        ("RETURN", "20.00", 400),
        ("CANCELLATION", "30.05", 500),
    ]
    [card] = world.contacts.values()
    assert (card["email"], card["company"]) == ("Maja.Lund@example.com", "Lund AB")


def test_what_a_life_of_woocommerce_is_told_as() -> None:
    world = as_it_happened(LIVES["woocommerce paid"])
    assert told(world, JAN) == [
        ("CART", "70.00", 0),
        ("PURCHASE", "70.00", 0),
        ("RETURN", "10.00", 300),
        ("RETURN", "25.50", 400),
        ("CANCELLATION", "34.50", 500),
    ]
    [card] = world.contacts.values()
    # A phone number that was blanked later is not unsaid, an address that changed is the new one.
    assert (card["phone"], card["streetAddress"]) == ("+48500000777", "Rynek 8")


def woo(*steps: Step, **settings: Any) -> Life:
    return Life(woocommerce.a_shop(**settings), steps)


def updated(at: float, status: str, **changes: Any) -> Step:
    return step("order.updated", woo_order(after(at), status, **changes), after(at))


def legacy(at: float, status: str) -> Step:
    """Give the order in the shape of WooCommerce's legacy API, which wraps it and has other names."""
    order = {
        "id": 1577,
        "order_number": "1577",
        "status": status,
        "created_at": f"{woo_time(START)}Z",
        "updated_at": f"{woo_time(after(at))}Z",
        "currency": "PLN",
        "total": "70.00",
        "billing_address": woo_billing(),
        "line_items": [],
        "order_key": "wc_order_Invented1577",
    }
    return step("order.updated", {"order": order}, after(at))


MORE_LIVES: dict[str, tuple[Life, Sequence[tuple[str, str, float]]]] = {
    "cancelled, re-opened and cancelled again: the second time counts": (
        woo(
            updated(0, "on-hold"),
            updated(10, "processing"),
            updated(20, "cancelled"),
            updated(30, "processing"),
            updated(40, "cancelled"),
            updated(50, "cancelled", customer_note="moved abroad"),
        ),
        [("PURCHASE", "70.00", 0), ("CANCELLATION", "70.00", 40)],
    ),
    "cancelled and re-opened for good": (
        woo(updated(0, "processing"), updated(20, "cancelled"), updated(30, "processing")),
        [("PURCHASE", "70.00", 0)],
    ),
    "cancelled, then in the trash: the cancellation keeps its date": (
        woo(
            updated(0, "processing"),
            updated(20, "cancelled"),
            updated(25, "trash"),
            step("order.deleted", {"id": 1577}, after(25)),
        ),
        [("PURCHASE", "70.00", 0), ("CANCELLATION", "70.00", 20)],
    ),
    "re-opened, then deleted: the deletion has its own date": (
        woo(
            updated(0, "processing"),
            updated(20, "cancelled"),
            updated(30, "processing"),
            Step("order.deleted", b'{"id":1577}', after(60)),
        ),
        [("PURCHASE", "70.00", 0), ("CANCELLATION", "70.00", 60)],
    ),
    "deleted, restored, deleted again": (
        woo(
            updated(0, "processing"),
            Step("order.deleted", b'{"id":1577}', after(60)),
            step("order.restored", woo_order(after(0), "processing"), after(70)),
            Step("order.deleted", b'{"id":1577}', after(80)),
        ),
        [("PURCHASE", "70.00", 0), ("CANCELLATION", "70.00", 80)],
    ),
    "deleted and restored": (
        woo(
            updated(0, "processing"),
            Step("order.deleted", b'{"id":1577}', after(60)),
            step("order.restored", woo_order(after(0), "processing"), after(70)),
        ),
        [("PURCHASE", "70.00", 0)],
    ),
    "deleted with legacy wrapping in between": (
        woo(updated(0, "processing"), legacy(30, "cancelled"), updated(20, "completed")),
        [("PURCHASE", "70.00", 0), ("CANCELLATION", "70.00", 30)],
    ),
    "legacy first, today's shape later": (
        woo(legacy(0, "on-hold"), legacy(10, "cancelled"), updated(40, "completed")),
        [("PURCHASE", "70.00", 0)],
    ),
    "all in one second: the body that is further along counts": (
        woo(
            updated(0, "checkout-draft"),
            updated(0, "on-hold"),
            updated(0, "processing"),
            updated(0, "refunded"),
            purchase_when="placed",
        ),
        [("CART", "70.00", 0), ("PURCHASE", "70.00", 0), ("RETURN", "70.00", 0)],
    ),
    "a status nobody mapped in between": (
        woo(updated(0, "on-hold"), updated(10, "packed"), updated(20, "completed"), updated(30, "picked-up")),
        [("PURCHASE", "70.00", 0)],
    ),
    "a status nobody mapped and nothing else": (woo(updated(0, "packed"), updated(9, "picked-up")), []),
    "cancelled before it was paid": (woo(updated(0, "on-hold"), updated(9, "cancelled")), []),
    "cancelled before it was paid, where placing counts": (
        woo(updated(0, "on-hold"), updated(9, "cancelled"), purchase_when="placed"),
        [("PURCHASE", "70.00", 0), ("CANCELLATION", "70.00", 9)],
    ),
    "refunded without refunds, which are listed later": (
        woo(
            updated(0, "processing"),
            updated(10, "refunded"),
            updated(20, "refunded", refunds=woo_refunds((1, "30.00"))),
        ),
        [("PURCHASE", "70.00", 0), ("RETURN", "30.00", 20)],
    ),
    "a refund that was removed": (
        woo(
            updated(0, "processing"),
            updated(10, "processing", refunds=woo_refunds((1, "5.00"), (2, "6.00"))),
            updated(20, "processing", refunds=woo_refunds((2, "6.00"))),
        ),
        [("PURCHASE", "70.00", 0), ("RETURN", "6.00", 10)],
    ),
    "refunds of more than the order, with three decimals": (
        woo(
            updated(0, "processing", total="1.000"),
            updated(10, "processing", total="1.000", refunds=woo_refunds((1, "0.335"))),
            updated(20, "processing", total="1.000", refunds=woo_refunds((1, "0.335"), (2, "0.335"))),
            updated(30, "cancelled", total="1.000", refunds=woo_refunds((1, "0.335"), (2, "0.335"), (3, "9.000"))),
        ),
        [
            ("PURCHASE", "1.00", 0),
            ("RETURN", "0.34", 10),
            ("RETURN", "0.33", 20),
            ("CANCELLATION", "0.00", 30),
            ("RETURN", "0.33", 30),
        ],
    ),
    "an address known late": (
        woo(
            updated(0, "on-hold", billing=woo_billing(email="", phone="+48500000001")),
            updated(10, "processing", billing=woo_billing(email="")),
            updated(20, "completed"),
            updated(30, "completed", billing=woo_billing(email="", phone="")),
        ),
        [("PURCHASE", "70.00", 0)],
    ),
    "an address that is none, corrected": (
        woo(updated(0, "processing", billing=woo_billing(email="jan.lipa@")), updated(20, "processing")),
        [("PURCHASE", "70.00", 0)],
    ),
}


@pytest.mark.parametrize("name", MORE_LIVES)
def test_other_lives_end_in_the_same_too(name: str) -> None:
    life, expected = MORE_LIVES[name]
    assert told(assert_order_makes_no_difference(life), JAN) == expected


def test_an_account_brings_its_address_to_orders_that_have_none() -> None:
    nobody = {"email": "", "contact_email": None}
    life = Life(
        shopify.a_shop(),
        (
            step("orders/create", shopify_order(after(10), **nobody, customer={"id": 7200000000009}), after(10)),
            step("customers/create", shopify_account(after(5), "Maja.Lund@example.com"), after(5)),
            step(
                "orders/paid",
                shopify_order(after(20), **nobody, customer={"id": 7200000000009}, financial_status="paid"),
                after(20),
            ),
            step("customers/update", shopify_account(after(30), NEW), after(30)),
            step(
                "orders/updated",
                shopify_order(after(40), **nobody, customer=None, refunds=[shopify_refund(1, "5.00", after(40))]),
                after(40),
            ),
        ),
    )
    world = assert_order_makes_no_difference(life)
    assert told(world, NEW) == [("PURCHASE", "60.10", 10), ("RETURN", "5.00", 40)]
    assert list(world.contacts) == [NEW]


def test_an_account_with_a_new_address_stays_one_contact() -> None:
    life = woo(
        step("customer.created", woo_account(after(0), "Jan.Lipa@example.com"), after(0)),
        updated(10, "processing", customer_id=31),
        step("customer.updated", woo_account(after(20), "Jan@work.example"), after(20)),
        updated(30, "completed", customer_id=31, refunds=woo_refunds((1, "5.00"))),
    )
    world = assert_order_makes_no_difference(life)
    assert [card["email"] for card in world.contacts.values()] == ["Jan@work.example"]
    assert told(world, "jan@work.example") == [("PURCHASE", "70.00", 0), ("RETURN", "5.00", 30)]


def test_an_account_that_takes_its_old_address_again() -> None:
    life = woo(
        step("customer.created", woo_account(after(0), "Jan.Lipa@example.com"), after(0)),
        step("customer.updated", woo_account(after(20), "Jan@work.example"), after(20)),
        step("customer.updated", woo_account(after(40), "jan.lipa@example.com"), after(40)),
        updated(50, "processing", customer_id=31),
    )
    world = assert_order_makes_no_difference(life)
    assert [card["email"] for card in world.contacts.values()] in (["Jan.Lipa@example.com"], ["jan.lipa@example.com"])


def test_what_was_bought_is_with_the_right_contact_even_where_cards_cannot_be_merged() -> None:
    """Where both of an account's addresses have a card before anybody knows that they are one person, one is left."""
    life = woo(
        step("customer.created", woo_account(after(0), "Jan.Lipa@example.com"), after(0)),
        updated(10, "processing", customer_id=31),
        step("customer.updated", woo_account(after(20), "Jan@work.example"), after(20)),
        step(
            "order.updated",
            woo_order(after(30), "processing", id=1578, customer_id=31, billing=woo_billing(email="jan@work.example")),
            after(30),
        ),
        step("order.updated", woo_order(after(40), "processing", id=1579), after(40)),  # a guest, under the old address
    )
    reference = as_it_happened(life)
    assert list(reference.contacts) == ["jan@work.example"]
    endings = endings_of(World(life.shop), life.steps)
    left_behind = 0
    for ending in endings:
        state, expected = ending.world.state(carts=False), reference.state(carts=False)
        assert state["events"] == expected["events"]
        assert state["contacts"]["jan@work.example"] == expected["contacts"]["jan@work.example"]
        assert set(state["contacts"]) <= {"jan@work.example", JAN}
        left_behind += ending.ways * (JAN in state["contacts"])
    assert 0 < left_behind < factorial(5) / 2


def test_a_guest_under_an_old_address_of_an_account_is_the_account() -> None:
    life = woo(
        step("customer.created", woo_account(after(0), "Jan.Lipa@example.com"), after(0)),
        step("customer.updated", woo_account(after(20), "Jan@work.example"), after(20)),
    )
    guest = updated(40, "processing")
    for steps in (life.steps, life.steps[::-1]):
        world = as_it_happened(Life(life.shop, (*steps, guest)))
        assert list(world.contacts) == ["jan@work.example"]
        assert told(world, "jan@work.example") == [("PURCHASE", "70.00", 0)]


@pytest.mark.parametrize("wish", ["ignore", "opt_out", "delete"])
def test_a_deleted_person_who_buys_again(wish: str) -> None:
    again = {"id": 1578, "date_created_gmt": woo_time(after(60)), "total": "35.00"}
    life = woo(
        step("customer.created", woo_account(after(0), "Jan.Lipa@example.com"), after(0)),
        updated(10, "processing", customer_id=31),
        step("customer.deleted", {"id": 31}, after(50)),
        updated(60, "on-hold", **again),
        updated(70, "processing", **again),
        on_customer_delete=wish,
    )
    world = assert_order_makes_no_difference(life)
    bought = [("PURCHASE", "70.00", 0), ("PURCHASE", "35.00", 60)]
    assert told(world, JAN) == (bought[1:] if wish == "delete" else bought)
    assert world.contacts[JAN]["opted"] == ({"email": False, "phone": False} if wish == "opt_out" else {})
