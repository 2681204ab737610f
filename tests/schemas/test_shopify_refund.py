from datetime import UTC, datetime
from decimal import Decimal

import pytest

from relay.changes import Piece
from relay.errors import PayloadInvalid
from schemas.shopify import read_order, read_refund
from tests.support.shopify import a_shop, sample

SHOP = a_shop()
MONEY = {"kind": "refund", "status": "success", "amount": "5.00", "currency": "EUR"}
CUP = {"id": 7, "product_id": 70, "variant_id": 71, "sku": "CUP", "name": "Cup - blue", "price": "5.00", "quantity": 3}


def refunds(*refunds, **keys):
    return read_order({"id": 1, "currency": "EUR", "line_items": [CUP], "refunds": list(refunds)} | keys, SHOP).refunds


def refund(*lines, **keys):
    (read,) = refunds({"id": 9, "transactions": [MONEY], "refund_line_items": list(lines)} | keys)
    return read


def test_a_refund_that_arrives_by_itself_is_a_piece_of_its_order():
    body = sample("refunds_create__one-candle-2025")
    assert read_refund(body, SHOP) == Piece("order", "6100000000001", "refunds", "8500000000011", body)


def test_a_refund_says_the_same_by_itself_and_within_its_order():
    order = sample("orders_create__three-lines-2025")
    lone = read_order(order | {"refunds": [sample("refunds_create__one-candle-2025")]}, SHOP).refunds
    nested = read_order(sample("orders_updated__three-lines-refunded-2025"), SHOP).refunds
    assert lone == nested
    assert lone[0].amount == Decimal("8.55")
    assert lone[0].at == datetime(2025, 6, 20, 8, 15, tzinfo=UTC)


def test_lines_given_back_are_those_of_the_order_in_their_own_number():
    (candle,) = read_order(sample("orders_updated__three-lines-refunded-2025"), SHOP).refunds[0].lines
    assert (candle.id, candle.product_id, candle.variant_id) == ("1510000000003", "7700000000003", "4500000000003")
    assert (candle.name, candle.sku) == ("Candle - Pine", None)
    assert (candle.quantity, candle.unit_price, candle.total) == (1, Decimal("9.50"), Decimal("8.55"))


def test_line_the_order_does_not_list_is_read_from_the_refund():
    nested = {"line_item_id": 8, "quantity": 2, "line_item": {"id": 8, "product_id": 80, "name": "Bowl", "quantity": 4}}
    (bowl,) = refund(nested).lines
    assert (bowl.id, bowl.product_id, bowl.name, bowl.quantity) == ("8", "80", "Bowl", 2)


def test_the_orders_own_line_comes_before_the_repeated_one():
    (cup,) = refund({"line_item_id": 7, "quantity": 1, "line_item": {"id": 7, "name": "An older name"}}).lines
    assert cup.name == "Cup - blue"


def test_line_nobody_describes_is_left_out():
    assert refund({"line_item_id": 8, "quantity": 1}).lines == ()


def test_subtotal_may_be_text_number_or_only_a_set():
    both = {"shop_money": {"amount": "4.50"}, "presentment_money": {"amount": "5.10"}}
    lines = [
        {"line_item_id": 7, "subtotal": "4.50"},
        {"line_item_id": 7, "subtotal": Decimal("4.5")},
        {"line_item_id": 7, "subtotal_set": both},
    ]
    assert [line.total for line in refund(*lines).lines] == [Decimal("4.50")] * 3
    assert refund({"line_item_id": 7}).lines[0].total is None


def test_refund_of_shipping_or_of_an_amount_has_no_lines():
    (credit,) = refunds(sample("refunds_create__shipping-as-store-credit-2026"))
    assert (credit.amount, credit.lines) == (Decimal("14.06"), ())
    discrepancy = [{"kind": "refund_discrepancy", "amount": "-5.00"}]
    assert refund(order_adjustments=discrepancy).lines == ()


@pytest.mark.parametrize("gateway", ["gift_card", "shopify_store_credit", "manual", "shopify_payments", None])
def test_money_went_back_whatever_form_it_took(gateway):
    assert refunds({"id": 9, "transactions": [MONEY | {"gateway": gateway}]})[0].amount == Decimal("5.00")


def test_refund_partly_to_a_gift_card_is_the_sum():
    (read,) = refunds({"id": 9, "transactions": [MONEY, MONEY | {"gateway": "gift_card", "amount": "2.50"}]})
    assert read.amount == Decimal("7.50")


def both(euros, dollars):
    return {"shop_money": {"amount": euros}, "presentment_money": {"amount": dollars}}


GOODS = {
    "line_item_id": 7,
    "quantity": 1,
    "subtotal_set": both("10.00", "11.51"),
    "total_tax_set": both("2.00", "2.30"),
}
SHIPPING = {"kind": "shipping_refund", "amount_set": both("-4.00", "-4.60"), "tax_amount_set": both("-1.00", "-1.15")}


@pytest.mark.parametrize(
    ("included", "dollars", "parts", "euros"),
    [
        (True, "17.26", {}, "15.00"),
        (False, "19.56", {}, "17.00"),
        # The parts do not explain the money: the order's own rate has to do, 1.1 dollars for a euro.
        (True, "16.50", {}, "15.00"),
        (True, "11.00", {"refund_line_items": [], "order_adjustments": []}, "10.00"),
        (True, "17.60", {"refund_line_items": [GOODS | {"subtotal_set": None}]}, "16.00"),
    ],
)
def test_money_that_goes_back_in_the_buyers_currency_is_what_its_parts_are_in_the_shops(
    included, dollars, parts, euros
):
    paid = {"id": 9, "transactions": [MONEY | {"amount": dollars, "currency": "USD"}]}
    keys = {"presentment_currency": "USD", "total_price": "100.00", "total_price_set": both("100.00", "110.00")}
    whole = paid | {"refund_line_items": [GOODS], "order_adjustments": [SHIPPING]} | parts
    (read,) = refunds(whole, taxes_included=included, **keys)
    assert read.amount == Decimal(euros)


def test_pending_money_counts_once_it_is_there():
    goods = [{"line_item_id": 7, "quantity": 1}]
    pending = {"id": 9, "transactions": [MONEY | {"status": "pending"}], "refund_line_items": goods}
    assert refunds(pending) == ()
    assert refunds(pending | {"transactions": [MONEY]})[0].amount == Decimal("5.00")


def test_goods_without_money_are_no_refund():
    assert refunds({"id": 9, "transactions": [], "refund_line_items": [{"line_item_id": 7, "quantity": 1}]}) == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": None}, r"id: Missing or empty\."),
        ({"order_id": None}, r"order_id: Missing or empty\."),
        ({"created_at": "yesterday"}, r"created_at: Not a readable time\."),
        ({"transactions": [{"amount": "much"}]}, r"transactions\.0\.amount: Not a readable amount\."),
        ({"refund_line_items": [{"quantity": "some"}]}, r"refund_line_items\.0\.quantity: Not a readable number\."),
    ],
)
def test_a_refund_that_cannot_be_read_is_refused_before_it_becomes_a_piece(change, fault):
    with pytest.raises(PayloadInvalid, match=fault):
        read_refund(sample("refunds_create__one-candle-2025") | change, SHOP)


@pytest.mark.parametrize("body", [[], None, "refund"])
def test_what_is_no_object_is_refused(body):
    with pytest.raises(PayloadInvalid, match="not a JSON object"):
        read_refund(body, SHOP)
