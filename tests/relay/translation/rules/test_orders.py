"""What an order means: each stated rule, by what SALESmanago holds in the end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from relay.clock import epoch_ms
from relay.commands import CommandKind
from relay.deliveries import DeliveryState, Translation
from relay.translation.loading import load_mappings
from tests.support import shopify, woocommerce
from tests.support.lives import (
    START,
    after,
    shopify_lines,
    shopify_order,
    shopify_refund,
    woo_account,
    woo_billing,
    woo_lines,
    woo_order,
    woo_refunds,
    woo_time,
)
from tests.support.world import NOW, World, a_group

JAN, MAJA = "jan.lipa@example.com", "maja.lund@example.com"


def woo(**settings: Any) -> World:
    return World(woocommerce.a_shop(**settings))


def shop(**settings: Any) -> World:
    return World(shopify.a_shop(**settings))


def send(world: World, minutes: float, status: str, **changes: Any) -> Translation:
    """Deliver the WooCommerce order as it was some minutes after START."""
    return world.deliver("order.updated", woo_order(after(minutes), status, **changes), after(minutes))


def events(world: World) -> list[tuple[str, str]]:
    """Give type and value of all events, oldest first."""
    return [(kind, str(value)) for told in world.told().values() for kind, _, value, _ in told]


def event(world: World, kind: str) -> dict[str, Any]:
    [found] = [each for each in world.events.values() if each["contactExtEventType"] == kind]
    return found


@pytest.mark.parametrize("status", ["checkout-draft", "pending", "failed"])
def test_an_unpaid_order_of_woocommerce_is_a_cart(status: str) -> None:
    world = woo()
    send(world, 0, status)
    assert events(world) == [("CART", "70.00")]
    assert event(world, "CART")["date"] == epoch_ms(START)


def test_a_cart_is_changed_in_place() -> None:
    world = woo()
    send(world, 0, "checkout-draft", total="20.00", line_items=woo_lines(1))
    send(world, 5, "checkout-draft")
    send(world, 9, "pending", total="85.00")
    assert events(world) == [("CART", "85.00")]
    assert (event(world, "CART")["products"], event(world, "CART")["date"]) == ("2010,2100", epoch_ms(START))


def test_a_cart_that_was_emptied_is_taken_back_and_can_come_again() -> None:
    world = woo()
    send(world, 0, "checkout-draft")
    send(world, 5, "checkout-draft", line_items=[], total="0.00")
    assert events(world) == []
    send(world, 9, "checkout-draft")
    assert events(world) == [("CART", "70.00")]


def test_an_empty_order_is_nobodys_cart() -> None:
    world = woo()
    send(world, 0, "pending", line_items=[])
    assert events(world) == []
    assert JAN in world.contacts


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_pending_order_is_a_cart_only_after_some_time(status: str) -> None:
    world = woo(cart_after=timedelta(minutes=30))
    created = NOW - timedelta(minutes=10)
    translation = world.deliver("order.created", woo_order(created, status), created)
    assert (translation.state, translation.reason) == (DeliveryState.HELD, "cart-after")
    assert translation.due_at == NOW + timedelta(minutes=20)
    assert (events(world), list(world.contacts)) == ([], [JAN])
    world.wait(NOW + timedelta(minutes=19))
    assert events(world) == []
    world.wait(NOW + timedelta(minutes=20))
    assert events(world) == [("CART", "70.00")]


def test_an_order_paid_in_time_was_never_a_cart() -> None:
    world = woo()
    created = NOW - timedelta(minutes=10)
    world.deliver("order.created", woo_order(created, "pending"), created)
    world.deliver("order.updated", woo_order(NOW, "processing"), NOW)
    world.wait(NOW + timedelta(days=1))
    assert events(world) == [("PURCHASE", "70.00")]


def test_a_change_lets_a_pending_order_wait_again() -> None:
    world = woo()
    created = NOW - timedelta(minutes=10)
    world.deliver("order.created", woo_order(created, "pending"), created)
    world.deliver("order.updated", woo_order(NOW, "pending"), NOW)
    world.wait(NOW + timedelta(minutes=25))
    assert events(world) == []
    world.wait(NOW + timedelta(minutes=30))
    assert events(world) == [("CART", "70.00")]
    assert [command.kind for command in world.commands] == [CommandKind.CONTACT_UPSERT, CommandKind.EVENT_PUT]


def test_a_clock_ahead_of_ours_holds_nothing_for_longer() -> None:
    world = woo()
    ahead = NOW + timedelta(hours=5)
    assert world.deliver("order.created", woo_order(ahead, "pending"), NOW).due_at == NOW + timedelta(minutes=30)


def test_a_draft_is_announced_at_once() -> None:
    world = woo()
    world.deliver("order.updated", woo_order(NOW, "checkout-draft"), NOW)
    assert events(world) == [("CART", "70.00")]


@pytest.mark.parametrize(
    ("status", "paid_at", "when", "is_purchase"),
    [
        ("on-hold", None, "placed", True),
        ("on-hold", None, "paid", False),
        ("processing", None, "paid", True),
        ("completed", None, "paid", True),
        ("on-hold", START, "paid", True),
        ("cancelled", None, "placed", False),
        ("cancelled", START, "paid", True),
        ("refunded", None, "paid", True),
        ("trash", None, "placed", False),
        ("trash", START, "placed", True),
    ],
)
def test_when_an_order_of_woocommerce_is_a_purchase(status: str, paid_at: Any, when: str, is_purchase: bool) -> None:
    world = woo(purchase_when=when)
    send(world, 0, status, date_paid_gmt=paid_at and woo_time(paid_at))
    assert ("PURCHASE" in dict(events(world))) is is_purchase
    assert JAN in world.contacts


@pytest.mark.parametrize(
    ("financial_status", "when", "is_purchase"),
    [
        ("pending", "placed", True),
        ("authorized", "placed", True),
        ("voided", "placed", True),
        (None, "placed", True),
        ("pending", "paid", False),
        ("partially_paid", "paid", False),
        ("paid", "paid", True),
        ("partially_refunded", "paid", True),
        ("refunded", "paid", True),
        ("something new", "placed", False),
    ],
)
def test_when_an_order_of_shopify_is_a_purchase(financial_status: Any, when: str, is_purchase: bool) -> None:
    world = shop(purchase_when=when)
    world.deliver("orders/create", shopify_order(after(0), financial_status=financial_status), after(0))
    assert ("PURCHASE" in dict(events(world))) is is_purchase


def test_a_cancelled_order_seen_for_the_first_time_has_its_purchase_too() -> None:
    world = shop()
    cancelled = {"cancelled_at": after(50).isoformat(), "financial_status": "voided"}
    world.deliver("orders/cancelled", shopify_order(after(60), **cancelled), after(60))
    assert events(world) == [("PURCHASE", "60.10"), ("CANCELLATION", "60.10")]
    assert event(world, "CANCELLATION")["date"] == epoch_ms(after(50))
    assert event(world, "PURCHASE")["date"] == epoch_ms(after(10))


@pytest.mark.parametrize("status", ["shipped", "draft", "auto-draft", "new", "partially-paid"])
def test_a_status_nobody_mapped_is_never_a_purchase(status: str) -> None:
    world = woo(purchase_when="placed")
    translation = send(world, 0, status, date_paid_gmt=woo_time(START))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "unknown-status")
    assert (events(world), world.contacts) == ([], {})


def test_a_status_can_be_mapped_to_one_of_the_platform() -> None:
    world = woo(statuses={"shipped": "completed", "waiting": "on-hold"})
    send(world, 0, "waiting")
    assert events(world) == []
    send(world, 5, "shipped")
    assert events(world) == [("PURCHASE", "70.00")]


def test_a_status_mapped_to_a_word_that_is_none_stays_unknown() -> None:
    assert send(woo(statuses={"shipped": "done"}), 0, "shipped").reason == "unknown-status"


def test_an_order_with_a_known_past_may_take_a_status_nobody_mapped() -> None:
    world = woo()
    send(world, 0, "processing")
    translation = send(world, 5, "shipped", total="75.00")
    assert translation.state is DeliveryState.TRANSLATED
    assert events(world) == [("PURCHASE", "75.00")]


def test_test_orders_are_ignored_and_not_remembered() -> None:
    world = shop()
    translation = world.deliver("orders/create", shopify_order(after(0), test=True), after(0))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "test-order")
    assert (world.contacts, translation.resources) == ({}, ())


@pytest.mark.parametrize(("minutes", "is_told"), [(-1, True), (0, True), (1, False)])
def test_orders_before_a_date_can_be_left_alone(minutes: float, is_told: bool) -> None:
    world = woo(ignore_orders_before=after(minutes))
    translation = send(world, 99, "processing")
    assert bool(events(world)) is is_told
    assert (translation.reason == "before-ignore-orders-before") is not is_told
    assert bool(translation.resources) is is_told


def test_an_order_of_the_point_of_sale_is_an_order_like_any_other() -> None:
    world = shop()
    world.deliver("orders/create", shopify_order(after(0), source_name="pos", checkout_token=None), after(0))
    assert events(world) == [("PURCHASE", "60.10")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"email": "", "contact_email": None, "customer": None, "billing_address": None}, "no-email"),
        ({"email": "maja@", "contact_email": "maja@", "customer": None}, "invalid-email"),
    ],
)
def test_an_order_of_nobody_is_ignored_with_a_reason(changes: dict[str, Any], reason: str) -> None:
    world = shop()
    translation = world.deliver("orders/create", shopify_order(after(0), **changes), after(0))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, reason)
    assert world.contacts == {}
    world.deliver("orders/updated", shopify_order(after(5)), after(5))
    assert events(world) == [("PURCHASE", "60.10")]


def test_a_purchase_has_the_shops_own_date_and_is_kept_up_to_date() -> None:
    world = woo()
    send(world, 30, "processing")
    send(world, 60, "completed", total="90.00", customer_note="leave it at the door")
    send(world, 50, "processing", total="80.00")  # overtaken
    purchase = event(world, "PURCHASE")
    assert (purchase["date"], purchase["value"], purchase["detail4"]) == (
        epoch_ms(START),
        Decimal("90.00"),
        "leave it at the door",
    )


def test_a_stale_body_adds_what_was_missing() -> None:
    world = woo()
    trimmed = {"id": 1577, "status": "completed", "date_modified_gmt": woo_time(after(9)), "total": "75.00"}
    world.deliver("order.updated", trimmed, after(9))
    assert world.contacts == {}
    send(world, 0, "processing")
    assert events(world) == [("PURCHASE", "75.00")]
    assert event(world, "PURCHASE")["products"] == "2010,2100"


def test_an_order_without_any_date_of_its_own_is_dated_by_its_newest_body() -> None:
    world = shop()
    body = shopify_order(after(30), created_at=None, processed_at=None)
    world.deliver("orders/create", body, after(30))
    assert event(world, "PURCHASE")["date"] == epoch_ms(after(30))


def test_a_body_without_a_date_of_its_change_is_as_old_as_its_delivery() -> None:
    world = shop()
    world.deliver("orders/updated", shopify_order(after(30), updated_at=None, total_price="1.00"), after(30))
    world.deliver("orders/updated", shopify_order(after(20), total_price="2.00"), after(40))
    assert events(world) == [("PURCHASE", "1.00")]


def test_refunds_are_returns_and_one_that_was_removed_is_taken_back() -> None:
    world = woo()
    send(world, 0, "processing")
    send(world, 5, "processing", refunds=woo_refunds((1, "5.00"), (2, "6.00")))
    assert events(world) == [("PURCHASE", "70.00"), ("RETURN", "5.00"), ("RETURN", "6.00")]
    send(world, 9, "processing", refunds=woo_refunds((2, "6.00")))
    assert events(world) == [("PURCHASE", "70.00"), ("RETURN", "6.00")]
    assert event(world, "RETURN")["date"] == epoch_ms(after(5))


def test_a_pending_refund_of_shopify_is_none_yet() -> None:
    world = shop()
    refund = shopify_refund(1, "5.00", after(20))
    refund["transactions"][0]["status"] = "pending"
    world.deliver("orders/updated", shopify_order(after(20), financial_status="paid", refunds=[refund]), after(20))
    assert events(world) == [("PURCHASE", "60.10")]


def test_what_is_left_of_a_deleted_order_is_cancelled_and_comes_back_when_it_is_restored() -> None:
    world = woo()
    send(world, 0, "processing", refunds=woo_refunds((1, "10.00")))
    world.deliver("order.deleted", {"id": 1577}, after(20))
    assert events(world) == [("PURCHASE", "70.00"), ("RETURN", "10.00"), ("CANCELLATION", "60.00")]
    assert event(world, "CANCELLATION")["date"] == epoch_ms(after(20))
    world.deliver("order.restored", woo_order(after(0), "processing", refunds=woo_refunds((1, "10.00"))), after(30))
    assert events(world) == [("PURCHASE", "70.00"), ("RETURN", "10.00")]


def test_an_order_in_the_trash_keeps_what_it_had_come_to() -> None:
    """Refunded without a refund listed: the money is still back when the order is put away."""
    world = woo()
    send(world, 0, "processing")
    send(world, 5, "refunded")
    send(world, 9, "trash")
    assert events(world) == [("PURCHASE", "70.00"), ("RETURN", "70.00"), ("CANCELLATION", "0.00")]


def test_a_cart_in_the_trash_stays_what_happened() -> None:
    world = woo()
    send(world, 0, "checkout-draft")
    send(world, 5, "trash")
    world.deliver("order.deleted", {"id": 1577}, after(6))
    assert events(world) == [("CART", "70.00")]


def test_a_late_body_of_a_deleted_cart_announces_nothing() -> None:
    world = woo()
    world.deliver("order.deleted", {"id": 1577}, after(6))
    send(world, 0, "checkout-draft")
    assert events(world) == []


def test_an_order_nobody_knows_can_be_deleted() -> None:
    world = woo()
    translation = world.deliver("order.deleted", {"id": 1577}, after(6))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "unknown-order")
    send(world, 0, "processing")
    assert events(world) == [("PURCHASE", "70.00"), ("CANCELLATION", "70.00")]


def test_of_a_deletion_and_a_body_of_the_same_second_the_body_counts() -> None:
    world = woo()
    send(world, 20, "processing")
    world.deliver("order.deleted", {"id": 1577}, after(20) + timedelta(milliseconds=900))
    assert events(world) == [("PURCHASE", "70.00")]


def test_amounts_of_another_currency_are_told_with_a_warning() -> None:
    world = World(woocommerce.a_shop(), a_group(currency="EUR", location="zielnik_shop"))
    translation = send(world, 0, "processing")
    assert translation.warnings == ("The amounts are in PLN, the e-shop zielnik_shop is in EUR.",)
    assert event(world, "PURCHASE")["detail9"] == "PLN"


def test_a_shop_with_an_e_shop_of_its_own_has_its_own_currency() -> None:
    world = World(woocommerce.a_shop(location="other_shop"), a_group(currency="EUR", location="main_shop"))
    assert send(world, 0, "processing").warnings == ()


def test_long_orders_are_cut_between_two_lines_with_a_warning() -> None:
    lines = [{**woo_lines(1)[0], "id": number, "product_id": 10**9 + number} for number in range(200)]
    world = woo()
    translation = send(world, 0, "processing", line_items=lines)
    purchase = event(world, "PURCHASE")
    ids, names, quantities = (
        purchase[name].split(mark) for name, mark in (("products", ","), ("detail1", ","), ("detail3", "/"))
    )
    assert len(ids) == len(names) == len(quantities) < 200
    assert ids[-1] == str(10**9 + len(ids) - 1)
    assert any("list items were left out" in warning for warning in translation.commands[-1].warnings)


@pytest.mark.parametrize(
    ("product_id", "products", "details"),
    [
        ("product", "2010,2100", ("LIPA,RUM", ",2102")),
        ("variant", "2010,2102", ("2010,2100", "LIPA,RUM")),
        ("sku", "LIPA,RUM", ("2010,2100", ",2102")),
    ],
)
def test_lines_are_told_by_what_the_catalogue_knows_products_by(
    product_id: str, products: str, details: tuple[str, str]
) -> None:
    world = woo(product_id=product_id)
    send(world, 0, "processing")
    purchase = event(world, "PURCHASE")
    assert purchase["products"] == products
    assert (purchase["detail6"], purchase["detail7"]) == details


def test_an_order_by_an_account_that_is_known_is_the_accounts() -> None:
    world = woo()
    world.deliver("customer.created", woo_account(after(0), "Jan@work.example"), after(0))
    send(world, 5, "processing", customer_id=31)
    assert list(world.told("PURCHASE")) == ["jan@work.example"]
    assert world.contacts["jan@work.example"]["email"] == "Jan@work.example"


def test_an_order_waits_for_the_address_of_its_account() -> None:
    world = woo(cart_after=timedelta(minutes=30))
    nobody = {"customer_id": 31, "billing": woo_billing(email="")}
    assert send(world, 0, "processing", **nobody).reason == "no-email"
    pending = woo_order(NOW, "pending", id=1578, date_created_gmt=woo_time(NOW), **nobody)
    assert world.deliver("order.created", pending, NOW).reason == "no-email"
    translation = world.deliver("customer.created", woo_account(after(0), "jan@work.example"), NOW)
    assert (translation.state, translation.due_at) == (DeliveryState.HELD, NOW + timedelta(minutes=30))
    assert events(world) == [("PURCHASE", "70.00")]
    world.wait(NOW + timedelta(minutes=30))
    assert events(world) == [("PURCHASE", "70.00"), ("CART", "70.00")]


def test_the_events_of_an_order_follow_its_corrected_address() -> None:
    world = woo()
    send(world, 0, "processing", refunds=woo_refunds((1, "5.00")), billing=woo_billing(email="typo@example.com"))
    send(world, 5, "processing", refunds=woo_refunds((1, "5.00")))
    assert world.told() == {JAN: world.told()[JAN]}
    assert events(world) == [("PURCHASE", "70.00"), ("RETURN", "5.00")]


def test_a_repeated_order_asks_for_nothing() -> None:
    world = shop()
    body = shopify_order(after(20), financial_status="paid", refunds=[shopify_refund(1, "5.00", after(20))])
    world.deliver("orders/updated", body, after(20))
    before = len(world.commands)
    translation = world.deliver("orders/updated", body, after(20))
    assert (translation.state, translation.reason) == (DeliveryState.TRANSLATED, "no-change")
    assert len(world.commands) == before


def test_a_free_order_is_a_purchase_of_nothing() -> None:
    world = shop()
    world.deliver("orders/create", shopify_order(after(0), total_price="0.00", line_items=shopify_lines(1)), after(0))
    assert events(world) == [("PURCHASE", "0.00")]


def test_what_a_mapping_reads_from_a_body_is_the_word_of_that_body(tmp_path: Any) -> None:
    """Whichever comes first, a newer body that leaves a field blank does not unsay it."""
    lines = ["[contact]", 'email = "{{ customer.email }}"', "[contact.properties]", "vat = \"{{ raw | meta('vat') }}\""]
    (tmp_path / "own.toml").write_text("\n".join(lines))
    mappings = load_mappings(tmp_path, ["own"])
    named, blank = ({"meta_data": [{"key": "vat", "value": number}]} for number in ("PL123", ""))
    for bodies in (((0, named), (5, blank)), ((5, blank), (0, named))):
        world = World(woocommerce.a_shop(mapping="own"), mappings=mappings)
        for minutes, meta in bodies:
            send(world, minutes, "checkout-draft", line_items=[], **meta)
        assert world.contacts[JAN]["properties"] == {"vat": "PL123"}
