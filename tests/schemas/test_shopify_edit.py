from decimal import Decimal

import pytest

from relay.changes import ARRIVED_ALONE, Piece
from relay.errors import PayloadInvalid
from schemas.shopify import read_edit, read_order
from tests.support.shopify import a_shop, sample

SHOP = a_shop()
PLACED, LATER = "2026-04-07T10:00:00Z", "2026-04-08T10:00:00Z"
EDIT = {"id": 1, "order_id": 1}


def line(id_, price, quantity=1, current=None, **keys):
    now = {} if current is None else {"current_quantity": current}
    return {"id": id_, "product_id": id_ * 10, "price": price, "quantity": quantity} | now | keys


def refund(*lines, money=None, at=LATER):
    """A refund of lines, each given as (line id, quantity, subtotal), with or without money."""
    paid = [{"kind": "refund", "status": "success", "amount": money, "currency": "EUR"}] if money else []
    goods = [{"line_item_id": id_, "quantity": count, "subtotal": subtotal} for id_, count, subtotal in lines]
    return {"id": 9, "created_at": at, "transactions": paid, "refund_line_items": goods}


def order(*lines, total, now, sub, now_sub=None, **keys):
    body = {
        "id": 1,
        "currency": "EUR",
        "created_at": PLACED,
        "total_price": total,
        "current_total_price": now,
        "subtotal_price": sub,
        "current_subtotal_price": now_sub,
        "line_items": list(lines),
        "refunds": [],
        "taxes_included": True,
    }
    return read_order(body | keys, SHOP)


def shown(order):
    return order.total, [(line.id, line.quantity, line.total) for line in order.lines]


def test_an_edit_is_a_piece_of_its_order():
    body = sample("orders_edited__one-out-one-in-2026")
    assert read_edit(body, SHOP) == Piece("order", "6100000000031", "order_edits", "9900000000031", body["order_edit"])


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, r"order_edit: Missing or empty\."),
        ({"order_edit": None}, r"order_edit: Missing or empty\."),
        ({"order_edit": {"id": 1}}, r"order_edit\.order_id: Missing or empty\."),
        ({"order_edit": {"order_id": 1}}, r"order_edit\.id: Missing or empty\."),
        ([], "not a JSON object"),
    ],
)
def test_an_edit_of_nothing_is_refused(body, fault):
    with pytest.raises(PayloadInvalid, match=fault):
        read_edit(body, SHOP)


def test_edited_order_is_what_it_became():
    read = read_order(sample("orders_updated__edited-2026"), SHOP)
    assert shown(read) == (
        Decimal("145.00"),
        [("1510000000031", 2, Decimal("120.00")), ("1510000000033", 1, Decimal("15.00"))],
    )
    assert sum(line.total for line in read.lines) + read.shipping_total == read.total


def test_exchange_is_the_dearer_coat_and_no_refund():
    read = read_order(sample("orders_updated__exchange-2026"), SHOP)
    assert shown(read) == (Decimal("125.00"), [("1510000000042", 1, Decimal("120.00"))])
    assert read.refunds == ()


def test_line_that_has_fewer_pieces_than_its_refunds_explain_was_edited():
    read = order(line(1, "10.00", 3, 1), total="30.00", now="10.00", sub="30.00")
    assert shown(read) == (Decimal("10.00"), [("1", 1, Decimal("10.00"))])


def test_line_that_was_refunded_is_not_edited():
    read = order(
        line(1, "10.00", 3, 1), total="30.00", now="10.00", sub="30.00", refunds=[refund((1, 2, "20.00"), money="20")]
    )
    assert shown(read) == (Decimal("30.00"), [("1", 3, Decimal("30.00"))])


def test_refund_of_an_edited_order_is_not_taken_off_what_was_ordered():
    read = order(
        line(1, "10.00", 3, 1),
        line(2, "5.00", 1, 0),
        total="35.00",
        now="10.00",
        sub="35.00",
        refunds=[refund((1, 1, "10.00"), money="10.00")],
    )
    assert shown(read) == (Decimal("20.00"), [("1", 2, Decimal("20.00"))])
    assert [refund.amount for refund in read.refunds] == [Decimal("10.00")]


def test_added_lines_show_by_the_subtotal_of_the_beginning():
    read = order(
        line(1, "10.00", 1, 1), line(2, "5.00", 2, 2), total="13.00", now="23.00", sub="10.00", now_sub="20.00"
    )
    assert shown(read) == (Decimal("23.00"), [("1", 1, Decimal("10.00")), ("2", 2, Decimal("10.00"))])


@pytest.mark.parametrize(
    "amounts",
    [
        {"sub": "20.00", "now_sub": "20.00"},  # the lines and the subtotal agree
        {"sub": "10.00", "now_sub": "17.00"},  # something else is odd about this order
        {"sub": "25.00", "now_sub": "20.00"},  # a discount that no line carries
        {"sub": None, "now_sub": "20.00"},
        {"sub": "10.00", "now_sub": None},
    ],
)
def test_without_evidence_an_order_is_what_it_was(amounts):
    read = order(line(1, "10.00", 1, 1), line(2, "5.00", 2, 2), total="13.00", now="23.00", **amounts)
    assert read.total == Decimal("13.00")
    assert len(read.lines) == 2


def test_line_without_a_price_proves_no_addition():
    read = order(line(1, "10.00", 1, 1), line(2, None), total="13.00", now="23.00", sub="5.00", now_sub="10.00")
    assert read.total == Decimal("13.00")


def test_tip_is_no_added_line():
    tip = line(2, "3.00", 1, 1, tip_payment_gateway=None)
    read = order(line(1, "10.00", 1, 1), tip, total="13.00", now="12.00", sub="10.00", now_sub="13.00")
    assert read.total == Decimal("13.00")


def test_the_edit_itself_is_evidence_where_lines_show_nothing():
    amounts = {"total": "30.00", "now": "27.00", "sub": "30.00"}
    assert order(line(1, "10.00", 3, 3), **amounts).total == Decimal("30.00")
    assert order(line(1, "10.00", 3, 3), **amounts, order_edits=[EDIT]).total == Decimal("27.00")


def test_piece_taken_off_by_an_edit_that_shopify_books_as_a_refund_without_money():
    read = order(
        line(1, "10.00", 3, 2),
        total="30.00",
        now="20.00",
        sub="30.00",
        refunds=[refund((1, 1, "10.00"))],
        order_edits=[EDIT],
    )
    assert shown(read) == (Decimal("20.00"), [("1", 2, Decimal("20.00"))])


def test_piece_put_back_in_stock_without_an_edit_changes_nothing():
    read = order(line(1, "10.00", 3, 2), total="30.00", now="20.00", sub="30.00", refunds=[refund((1, 1, "10.00"))])
    assert shown(read) == (Decimal("30.00"), [("1", 3, Decimal("30.00"))])


def test_discount_goes_with_the_pieces_that_were_taken_off():
    allocated = [{"amount": "19.20"}]
    read = order(line(1, "48.00", 2, 1, discount_allocations=allocated), total="76.80", now="38.40", sub="76.80")
    assert shown(read) == (Decimal("38.40"), [("1", 1, Decimal("38.40"))])


def test_share_of_an_odd_discount_is_rounded_to_the_currency():
    allocated = [{"amount": "1.00"}]
    read = order(line(1, "10.00", 3, 2, discount_allocations=allocated), total="29.00", now="19.33", sub="29.00")
    assert read.lines[0].total == Decimal("19.33")


def test_edited_order_that_is_cancelled_keeps_what_had_been_ordered():
    """Nothing was paid, so what the cancellation takes off is a refund without money."""
    read = order(
        line(1, "10.00", 3, 0),
        line(2, "5.00", 1, 0),
        total="35.00",
        now="0.00",
        sub="35.00",
        refunds=[refund((1, 3, "30.00"), at="2026-04-08T09:59:59Z")],
        cancelled_at=LATER,
    )
    assert shown(read) == (Decimal("30.00"), [("1", 3, Decimal("30.00"))])
    assert read.refunds == ()


def test_exchange_before_a_cancellation_is_no_part_of_it():
    read = order(
        line(1, "10.00", 1, 0),
        line(2, "12.00", 1, 0),
        total="10.00",
        now="0.00",
        sub="10.00",
        now_sub="0.00",
        refunds=[refund((1, 1, "10.00"), at=PLACED), refund((2, 1, "12.00"), money="12.00")],
        cancelled_at=LATER,
    )
    assert shown(read) == (Decimal("12.00"), [("2", 1, Decimal("12.00"))])


def test_shipping_that_a_cancellation_takes_back_belongs_to_what_had_been_ordered():
    taken = refund((1, 3, "30.00"))
    shipping = {"kind": "shipping_refund", "amount": "-4.00", "tax_amount": "-1.00"}
    taken["order_adjustments"] = [shipping, {"kind": "refund_discrepancy", "amount": "-7.00", "tax_amount": "0.00"}]
    read = order(
        line(1, "10.00", 3, 0),
        line(2, "5.00", 1, 0),
        total="40.00",
        now="0.00",
        sub="35.00",
        refunds=[taken],
        cancelled_at=LATER,
    )
    assert read.total == Decimal("35.00")


@pytest.mark.parametrize(("changed_at", "total"), [(PLACED, "10.00"), (LATER, "20.00"), (None, "20.00")])
def test_refund_that_is_younger_than_the_current_amounts_is_not_in_them(changed_at, total):
    """It arrived by itself, and the order as it is since has not."""
    alone = refund((1, 1, "10.00"), money="10.00") | {ARRIVED_ALONE: True}
    amounts = {"total": "30.00", "now": "10.00", "sub": "30.00"}
    read = order(line(1, "10.00", 3, 1), **amounts, refunds=[alone], updated_at=changed_at)
    assert read.total == Decimal(total)
    assert [refund.amount for refund in read.refunds] == [Decimal("10.00")]


def test_refund_that_the_body_lists_is_in_its_amounts_however_young_it_says_it_is():
    """As in Shopify's own documentation, where a refund of 2025 stands in an order that was last changed in 2008."""
    listed = refund((1, 1, "10.00"), money="10.00")
    amounts = {"total": "30.00", "now": "20.00", "sub": "30.00"}
    read = order(line(1, "10.00", 3, 2), **amounts, refunds=[listed], updated_at=PLACED)
    assert (read.total, read.lines[0].quantity) == (Decimal("30.00"), 3)


@pytest.mark.parametrize(("included", "total"), [(True, "30.00"), (False, "36.00")])
def test_tax_comes_on_top_where_prices_are_without(included, total):
    taken = refund((1, 3, "30.00"))
    taken["refund_line_items"][0]["total_tax"] = Decimal("6.0")
    read = order(
        line(1, "10.00", 3, 0),
        line(2, "5.00", 1, 0),
        total="41.00",
        now="0.00",
        sub="35.00",
        refunds=[taken],
        cancelled_at=LATER,
        taxes_included=included,
    )
    assert read.total == Decimal(total)


def test_cancelled_order_of_which_nothing_is_left_was_not_edited():
    amounts = {"total": "10.00", "now": "0.00", "sub": "10.00"}
    read = order(line(1, "10.00", 1, 0), **amounts, order_edits=[EDIT], cancelled_at=LATER)
    assert shown(read) == (Decimal("10.00"), [("1", 1, Decimal("10.00"))])


def test_order_of_which_an_edit_left_nothing_but_the_shipping_is_worth_that():
    read = order(line(1, "10.00", 1, 0), total="14.00", now="4.00", sub="10.00", order_edits=[EDIT])
    assert shown(read) == (Decimal("4.00"), [("1", 1, Decimal("10.00"))])


def test_body_without_its_refunds_proves_nothing():
    body = {"id": 1, "total_price": "30.00", "current_total_price": "10.00", "line_items": [line(1, "10.00", 3, 1)]}
    assert read_order(body, SHOP).total == Decimal("30.00")
    assert read_order(body | {"refunds": []}, SHOP).total == Decimal("10.00")


def test_body_without_current_amounts_is_what_it_was():
    body = {"id": 1, "total_price": "30.00", "refunds": [], "order_edits": [EDIT], "line_items": [line(1, "10.00", 3)]}
    assert read_order(body, SHOP).total == Decimal("30.00")


def test_line_that_does_not_say_how_many_are_left_stays_as_it_was():
    read = order(line(1, "10.00", 3), total="30.00", now="27.00", sub="30.00", order_edits=[EDIT])
    assert shown(read) == (Decimal("27.00"), [("1", 3, Decimal("30.00"))])


def test_edited_order_is_in_the_shops_currency():
    both = {"shop_money": {"amount": "10.00"}, "presentment_money": {"amount": "11.00"}}
    read = order(line(1, "10.00", 3, 1), total="30.00", now=None, sub="30.00", current_total_price_set=both)
    assert read.total == Decimal("10.00")


@pytest.mark.parametrize(
    "name",
    [
        "orders_cancelled__voided-2024",
        "orders_create__legacy-2020",
        "orders_create__three-lines-2025",
        "orders_partially_fulfilled__tip-and-gift-card-2024",
        "orders_updated__foreign-refund-2026",
        "orders_updated__partial-refund-2023",
        "orders_updated__three-lines-refunded-2025",
    ],
)
def test_orders_that_nobody_edited_are_not_taken_for_edited(name):
    body = sample(name)
    read = read_order(body, SHOP)
    assert read.total == Decimal(body["total_price"])
    assert [line.quantity for line in read.lines] == [item["quantity"] for item in body["line_items"]]
