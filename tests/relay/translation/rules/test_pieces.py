"""Parts of an order that arrive by themselves: remembered, used whenever the order comes, and held for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from relay.deliveries import DeliveryState
from relay.errors import PayloadInvalid
from tests.support.every_order import Step, assert_order_makes_no_difference
from tests.support.shopify import a_shop, sample
from tests.support.world import NOW, World

SHOP = a_shop()
HOUR = timedelta(hours=1)
HANNA = "hanna@example.com"
CREATED: Step = (
    "orders/create",
    sample("orders_create__three-lines-2025"),
    datetime(2025, 6, 14, 17, 20, 33, tzinfo=UTC),
)
REFUND: Step = (
    "refunds/create",
    sample("refunds_create__one-candle-2025"),
    datetime(2025, 6, 20, 8, 15, 1, tzinfo=UTC),
)
UPDATED: Step = (
    "orders/updated",
    sample("orders_updated__three-lines-refunded-2025"),
    datetime(2025, 6, 20, 8, 15, 3, tzinfo=UTC),
)
CREDIT: Step = (
    "refunds/create",
    sample("refunds_create__shipping-as-store-credit-2026"),
    datetime(2026, 1, 12, 8, tzinfo=UTC),
)
INGRID = "ingrid.holm@example.com"
PLACED_AT = datetime(2026, 4, 7, 8, tzinfo=UTC)
EDITED: Step = ("orders/updated", sample("orders_updated__edited-2026"), datetime(2026, 4, 7, 12, 30, 3, tzinfo=UTC))
EDIT: Step = (
    "orders/edited",
    sample("orders_edited__one-out-one-in-2026"),
    datetime(2026, 4, 7, 12, 30, 1, tzinfo=UTC),
)
DELETED: Step = ("orders/delete", sample("orders_delete__2026"), datetime(2026, 4, 9, 8, tzinfo=UTC))


def placed() -> Step:
    """Give the edited order as it was before the edit."""
    body = sample("orders_updated__edited-2026")
    blanket, candle, _ = body["line_items"]
    before = {
        "line_items": [blanket, candle | {"current_quantity": 1}],
        "current_total_price": "139.50",
        "current_subtotal_price": "129.50",
        "updated_at": "2026-04-07T10:00:01+02:00",
    }
    return "orders/create", body | before, PLACED_AT


def values(world: World, email: str) -> dict[str, Decimal]:
    """Give the value of each event of a contact by its type; there is one of each at most."""
    told = world.told().get(email, [])
    assert len({type_ for type_, *_ in told}) == len(told)
    return {type_: value for type_, _, value, _ in told}


def products(world: World, type_: str) -> str:
    (event,) = (event for event in world.events.values() if event["contactExtEventType"] == type_)
    return str(event["products"])


def test_refund_by_itself_is_a_return_like_one_within_the_order() -> None:
    world = assert_order_makes_no_difference([CREATED, REFUND], SHOP)
    assert values(world, HANNA) == {"PURCHASE": Decimal("239.33"), "RETURN": Decimal("8.55")}
    assert products(world, "RETURN") == "7700000000003"


def test_refund_that_the_order_lists_too_is_one_return() -> None:
    world = assert_order_makes_no_difference([CREATED, REFUND, UPDATED], SHOP)
    assert values(world, HANNA) == {"PURCHASE": Decimal("239.33"), "RETURN": Decimal("8.55")}


def test_refunds_add_up_whichever_way_they_arrive() -> None:
    world = assert_order_makes_no_difference([CREATED, REFUND, UPDATED, CREDIT], SHOP)
    returns = sorted(value for type_, _, value, _ in world.told()[HANNA] if type_ == "RETURN")
    assert returns == [Decimal("8.55"), Decimal("14.06")]


def test_piece_of_an_unknown_order_is_held_and_then_ignored() -> None:
    world = World(SHOP)
    received = NOW
    translation = world.deliver(REFUND[0], REFUND[1])
    assert (translation.state, translation.reason) == (DeliveryState.HELD, "order-unknown")
    assert translation.due_at == received + HOUR
    assert (translation.resource_kind, translation.resource_id) == ("order", "6100000000001")
    world.wait(received + HOUR - timedelta(seconds=1))
    assert len(world.held) == 1
    world.wait(received + HOUR)
    assert world.held == []


def test_piece_that_nobody_waited_for_is_ignored_at_once() -> None:
    world = World(SHOP)
    translation = world.deliver(*REFUND)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "order-unknown")


def test_piece_stays_remembered_for_an_order_that_comes_much_later() -> None:
    world = World(SHOP)
    world.deliver(*REFUND)
    world.wait(NOW + timedelta(days=30))
    world.deliver(*CREATED)
    assert values(world, HANNA)["RETURN"] == Decimal("8.55")


def test_piece_that_was_held_asks_for_nothing_once_the_order_has_used_it() -> None:
    world = World(SHOP)
    world.deliver(REFUND[0], REFUND[1])
    world.deliver(CREATED[0], CREATED[1])
    asked = len(world.commands)
    world.wait(NOW + HOUR)
    assert (len(world.commands), world.held) == (asked, [])


def test_piece_of_a_test_order_is_nobodys() -> None:
    world = World(SHOP)
    world.deliver("orders/create", CREATED[1] | {"test": True}, CREATED[2])
    assert world.deliver(*REFUND).reason == "order-unknown"
    assert world.commands == []


def test_pending_refund_waits_for_the_order_to_tell_of_its_success() -> None:
    pending = sample("refunds_create__one-candle-2025")
    pending["transactions"][0]["status"] = "pending"
    life: list[Step] = [CREATED, (REFUND[0], pending, REFUND[2])]
    assert values(assert_order_makes_no_difference(life, SHOP), HANNA) == {"PURCHASE": Decimal("239.33")}
    settled = assert_order_makes_no_difference([*life, UPDATED], SHOP)
    assert values(settled, HANNA)["RETURN"] == Decimal("8.55")


def test_edited_order_is_worth_what_it_became() -> None:
    world = assert_order_makes_no_difference([placed(), EDIT, EDITED], SHOP)
    assert values(world, INGRID) == {"PURCHASE": Decimal("145.00")}
    assert products(world, "PURCHASE") == "7700000000031,7700000000033"


def test_edit_alone_changes_nothing_until_the_order_tells_what_it_came_to() -> None:
    world = assert_order_makes_no_difference([placed(), EDIT], SHOP)
    assert values(world, INGRID) == {"PURCHASE": Decimal("139.50")}


def test_edit_is_the_evidence_where_the_lines_show_none() -> None:
    """A discount was taken off: no line has another number of pieces."""
    topic, body, at = placed()
    later: dict[str, Any] = {"current_total_price": "129.50", "updated_at": "2026-04-07T14:30:02+02:00"}
    cheaper: Step = ("orders/updated", body | later, EDITED[2])
    assert values(assert_order_makes_no_difference([placed(), cheaper], SHOP), INGRID) == {
        "PURCHASE": Decimal("139.50")
    }
    world = assert_order_makes_no_difference([placed(), EDIT, cheaper], SHOP)
    assert values(world, INGRID) == {"PURCHASE": Decimal("129.50")}


def test_exchange_is_a_dearer_purchase_and_no_return() -> None:
    world = World(SHOP)
    world.deliver("orders/updated", sample("orders_updated__exchange-2026"), datetime(2026, 5, 12, 14, tzinfo=UTC))
    assert values(world, "lars.dahl@example.com") == {"PURCHASE": Decimal("125.00")}


def test_deleted_order_is_cancelled_as_it_was_edited() -> None:
    world = assert_order_makes_no_difference([placed(), EDIT, EDITED, DELETED], SHOP)
    assert values(world, INGRID) == {"PURCHASE": Decimal("145.00"), "CANCELLATION": Decimal("145.00")}


def test_deletion_of_an_order_nobody_knows_changes_nothing() -> None:
    world = World(SHOP)
    translation = world.deliver(*DELETED)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "unknown-order")
    assert world.commands == []


@pytest.mark.parametrize(("topic", "body"), [("refunds/create", {"id": 1}), ("orders/edited", {"order_edit": {}})])
def test_piece_without_its_order_is_a_dead_letter_that_says_so(topic: str, body: dict[str, Any]) -> None:
    with pytest.raises(PayloadInvalid, match=r"order_\w+: Missing or empty\."):
        World(SHOP).deliver(topic, body)
