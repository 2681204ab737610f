from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.commerce import Line, Order, OrderStatus, Refund
from relay.translation.order_events import DesiredEvent, OrderLife, desired_events, is_cart
from relay.translation.versions import microseconds

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
LINES = (Line(id="1", product_id="7"),)
PLACED, PAID, CANCELLED = OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.CANCELLED


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def order(**changes: Any) -> Order:
    return Order(
        **({"id": "1", "total": Decimal("70.00"), "lines": LINES, "placed_at": at(0), "updated_at": at(99)} | changes)
    )


def life(**changes: Any) -> OrderLife:
    return OrderLife(**({"placed": True, "paid": True} | changes))


def refund(number: int, amount: str, minutes: int | None = None, **changes: Any) -> Refund:
    return Refund(str(number), Decimal(amount), None if minutes is None else at(minutes), **changes)


def told(events: Sequence[DesiredEvent]) -> list[tuple[str, str | None, int]]:
    """Give slot, value and minutes since START."""
    return [
        (event.slot, None if event.value is None else str(event.value), (event.date - START) // timedelta(minutes=1))
        for event in events
    ]


PURCHASE = ("PURCHASE", "70.00", 0)


@pytest.mark.parametrize(
    ("status", "seen", "when", "expected"),
    [
        (PAID, life(), "paid", [PURCHASE]),
        (PAID, life(), "placed", [PURCHASE]),
        (PLACED, life(paid=False), "placed", [PURCHASE]),
        (PLACED, life(paid=False), "paid", []),
        (PLACED, life(placed=False, paid=True), "placed", [PURCHASE]),
        (OrderStatus.DRAFT, life(placed=False, paid=False), "placed", []),
        (OrderStatus.PENDING, life(), "paid", [PURCHASE]),  # it was paid once
        (OrderStatus.UNKNOWN, life(), "paid", [PURCHASE]),
        (CANCELLED, life(placed=False, paid=False), "placed", []),
        (CANCELLED, life(paid=False, cancelled_at=at(9)), "paid", []),
        (CANCELLED, life(cancelled_at=at(9)), "paid", [PURCHASE, ("CANCELLATION", "70.00", 9)]),
    ],
)
def test_an_order_is_a_purchase_once_it_was_placed_or_paid(
    status: OrderStatus, seen: OrderLife, when: str, expected: list[Any]
) -> None:
    assert told(desired_events(order(), status, seen, when)) == expected


def test_an_order_without_a_date_has_no_events() -> None:
    assert desired_events(order(placed_at=None), PAID, life(), "paid") == []


def test_a_free_order_is_a_purchase_of_nothing() -> None:
    assert told(desired_events(order(total=Decimal(0)), PAID, life(), "paid")) == [("PURCHASE", "0", 0)]


def test_an_order_without_a_total_has_events_without_a_value() -> None:
    found = order(total=None, refunds=(refund(1, "5.00", 3),), cancelled_at=at(4))
    events = [("PURCHASE", None, 0), ("RETURN:1", "5.00", 3), ("CANCELLATION", None, 4)]
    assert told(desired_events(found, PAID, life(), "paid")) == events


@pytest.mark.parametrize(
    ("changes", "status", "seen", "date"),
    [
        ({"cancelled_at": at(5)}, PAID, {}, 5),  # the platform's own date
        ({"cancelled_at": at(5)}, PAID, {"deleted_at": at(9)}, 5),
        ({}, CANCELLED, {"cancelled_at": at(6)}, 6),  # the first body that shows it
        ({}, CANCELLED, {"cancelled_at": at(6), "deleted_at": at(9)}, 6),
        ({}, PAID, {"deleted_at": at(9)}, 9),
        ({}, PAID, {"deleted_at": at(9), "cancelled_at": at(6)}, 9),  # cancelled, re-opened, deleted
        ({}, CANCELLED, {}, 99),
    ],
)
def test_a_cancellation_has_its_own_date(changes: Any, status: OrderStatus, seen: Any, date: int) -> None:
    events = desired_events(order(**changes), status, life(**seen), "paid")
    assert told(events)[1:] == [("CANCELLATION", "70.00", date)]


@pytest.mark.parametrize(
    ("refunds", "dates", "expected"),
    [
        ([refund(1, "10.00", 5)], {}, [("RETURN:1", "10.00", 5)]),
        ([refund(2, "10.00", 8), refund(1, "5.50", 5)], {}, [("RETURN:1", "5.50", 5), ("RETURN:2", "10.00", 8)]),
        ([refund(1, "10.00")], {"1": at(4)}, [("RETURN:1", "10.00", 4)]),  # the first body that shows it
        ([refund(1, "10.00")], {}, [("RETURN:1", "10.00", 99)]),
        # Of one moment: in the order of their numbers, which is not that of their texts.
        ([refund(10, "1.00", 5), refund(9, "2.00", 5)], {}, [("RETURN:9", "2.00", 5), ("RETURN:10", "1.00", 5)]),
        # Together never more than the order.
        ([refund(1, "60.00", 5), refund(2, "60.00", 6)], {}, [("RETURN:1", "60.00", 5), ("RETURN:2", "10.00", 6)]),
        ([refund(1, "70.00", 5), refund(2, "1.00", 6)], {}, [("RETURN:1", "70.00", 5)]),
        # Three decimals: what is told adds up to what was given back.
        (
            [refund(1, "0.335", 5), refund(2, "0.335", 6), refund(3, "0.335", 7)],
            {},
            [("RETURN:1", "0.34", 5), ("RETURN:2", "0.33", 6), ("RETURN:3", "0.34", 7)],
        ),
        ([refund(1, "0.004", 5), refund(2, "0.004", 6)], {}, [("RETURN:2", "0.01", 6)]),
    ],
)
def test_returns(refunds: list[Refund], dates: dict[str, datetime], expected: list[Any]) -> None:
    events = desired_events(order(refunds=tuple(refunds)), PAID, life(refund_dates=dates), "paid")
    assert told(events) == [PURCHASE, *expected]


def test_a_return_has_the_lines_given_back_or_else_those_of_the_order() -> None:
    lines = (Line(id="2", product_id="8"),)
    found = order(refunds=(refund(1, "1.00", 1, lines=lines), refund(2, "1.00", 2)))
    assert [event.lines for event in desired_events(found, PAID, life(), "paid")] == [LINES, lines, LINES]


@pytest.mark.parametrize(
    ("changes", "seen", "expected"),
    [
        ({}, {"refunded_at": at(7)}, [("RETURN:all", "70.00", 7)]),
        ({"refunds": (refund(1, "20.00", 9),)}, {"refunded_at": at(7)}, [("RETURN:1", "20.00", 9)]),
        ({"total": Decimal(0)}, {"refunded_at": at(7)}, []),
    ],
)
def test_a_refunded_order_that_lists_no_refund_got_all_back(changes: Any, seen: Any, expected: list[Any]) -> None:
    events = desired_events(order(**changes), OrderStatus.REFUNDED, life(**seen), "paid")
    assert told(events)[1:] == expected


@pytest.mark.parametrize(
    ("returned", "left"), [([], "70.00"), (["20.00"], "50.00"), (["20.00", "50.00"], "0.00"), (["99.00"], "0.00")]
)
def test_a_cancellation_is_worth_what_was_not_given_back(returned: list[str], left: str) -> None:
    refunds = tuple(refund(number, amount, number) for number, amount in enumerate(returned, 1))
    events = desired_events(order(refunds=refunds, cancelled_at=at(50)), PAID, life(), "paid")
    assert (events[-1].slot, str(events[-1].value)) == ("CANCELLATION", left)


@given(
    st.decimals(0, 100, places=3),
    st.lists(st.tuples(st.decimals("0.001", 60, places=3), st.integers(0, 5)), max_size=6),
    st.booleans(),
)
def test_amounts_add_up_to_the_cent(total: Decimal, given_back: list[tuple[Decimal, int]], is_cancelled: bool) -> None:
    refunds = tuple(Refund(str(place), amount, at(minute)) for place, (amount, minute) in enumerate(given_back))
    found = order(total=total, refunds=refunds, cancelled_at=at(9) if is_cancelled else None)
    events = desired_events(found, PAID, life(), "paid")
    cent = Decimal("0.01")
    returned = sum((event.value or 0 for event in events if event.type == "RETURN"), Decimal(0))
    assert returned <= total.quantize(cent, "ROUND_HALF_UP")
    assert returned == min(sum((amount for amount, _ in given_back), Decimal(0)), total).quantize(cent, "ROUND_HALF_UP")
    cancelled = [event.value for event in events if event.type == "CANCELLATION"]
    assert cancelled == ([total.quantize(cent, "ROUND_HALF_UP") - returned] if is_cancelled else [])


@pytest.mark.parametrize("status", OrderStatus)
def test_what_is_still_a_cart(status: OrderStatus) -> None:
    carts = {OrderStatus.DRAFT, OrderStatus.PENDING, OrderStatus.FAILED}
    assert is_cart(status, OrderLife()) is (status in carts)
    for over in (OrderLife(placed=True), OrderLife(paid=True), OrderLife(deleted_at=at(0))):
        assert not is_cart(status, over)


def test_a_life_is_read_from_facts() -> None:
    facts = {
        "placed": True,
        "paid": True,
        "cancelled": [microseconds(at(8)), microseconds(at(6))],
        "refunded_at": microseconds(at(7)),
        "refund_dates": {"1": microseconds(at(5))},
    }
    expected = OrderLife(True, True, at(6), at(7), {"1": at(5)}, at(9))
    assert OrderLife.of(facts, at(9)) == expected
    assert OrderLife.of({}, None) == replace(OrderLife(), refund_dates={})
