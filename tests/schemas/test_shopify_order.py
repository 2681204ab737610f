from datetime import UTC, datetime
from decimal import Decimal

import pytest

from relay.errors import PayloadInvalid
from schemas.shopify import read_order
from tests.support.shopify import a_shop, sample

SHOP = a_shop()


def order(**keys):
    return read_order({"id": 1} | keys, SHOP)


def refunded(*transactions, **keys):
    body = {"total_price": "60.33", "currency": "EUR", "refunds": [{"id": 9, "transactions": list(transactions)}]}
    return order(**(body | keys)).refunds


def test_an_order_is_read_whole():
    read = read_order(sample("orders_create__three-lines-2025"), SHOP)
    assert (read.id, read.number, read.status, read.currency) == ("6100000000001", "#1042", "paid", "EUR")
    assert (read.total, read.shipping_total) == (Decimal("239.33"), Decimal("14.06"))
    assert (read.tax_total, read.discount_total) == (Decimal("47.87"), Decimal("25.03"))
    assert (read.coupons, read.shipping_methods) == (("MIDSOMMAR",), ("Home delivery",))
    assert (read.payment_method, read.source, read.language) == ("shopify_payments", "web", "sv")
    assert (read.tags, read.note) == (("newsletter", "summer"), "Ring the bell twice.")
    assert read.checkout_token == "5f1c0de0000000000000000000000001"
    assert read.cart_token == "Z2NwLWV1cm9wZS13ZXN0NDowMUpYEXAMPLECART0001"
    assert read.placed_at == datetime(2025, 6, 14, 17, 20, 29, tzinfo=UTC)
    assert read.created_at == datetime(2025, 6, 14, 17, 20, 30, tzinfo=UTC)
    assert read.updated_at == datetime(2025, 6, 14, 17, 20, 32, tzinfo=UTC)
    assert (read.test, read.cancelled_at, read.refunds) == (False, None, ())


def test_lines_and_shipping_add_up_to_the_total():
    read = read_order(sample("orders_create__three-lines-2025"), SHOP)
    assert sum(line.total for line in read.lines) + read.shipping_total == read.total


@pytest.mark.parametrize("generation", ["legacy-2020", "three-lines-2025", "guest-multi-currency-2026"])
def test_every_generation_of_orders_gives_buyer_total_and_lines(generation):
    read = read_order(sample(f"orders_create__{generation}"), SHOP)
    assert read.customer.email
    assert read.total > 0
    assert all(line.product_id for line in read.lines)


def test_an_id_above_what_floats_hold_keeps_every_digit():
    read = read_order(sample("orders_create__test-button-2026"), SHOP)
    assert (read.id, read.lines[0].product_id) == ("820982911946154508", "788032119674292922")


def test_the_admins_test_order_is_marked_as_one():
    read = read_order(sample("orders_create__test-button-2026"), SHOP)
    assert (read.test, read.status, read.cancelled_at) == (True, "voided", datetime(2022, 1, 1, tzinfo=UTC))


def test_total_is_what_was_ordered_and_not_reduced_by_refunds():
    read = read_order(sample("orders_updated__partial-refund-2023"), SHOP)
    assert read.total == Decimal("598.94")


def test_amounts_are_in_the_shops_currency_and_not_the_buyers():
    read = read_order(sample("orders_create__guest-multi-currency-2026"), SHOP)
    assert (read.currency, read.total, read.shipping_total) == ("EUR", Decimal("60.33"), Decimal("5.00"))


def test_amounts_only_in_sets_are_read_on_the_shops_side():
    both = {"shop_money": {"amount": "60.33"}, "presentment_money": {"amount": "45.85"}}
    assert order(total_price_set=both, total_tax_set=both).total == Decimal("60.33")
    assert order(total_tax_set=both).tax_total == Decimal("60.33")


def test_old_body_without_any_set_is_read():
    body = {key: value for key, value in sample("orders_create__legacy-2020").items() if not key.endswith("_set")}
    read = read_order(body, SHOP)
    assert (read.total, read.currency, read.payment_method) == (Decimal("89.00"), "PLN", "przelewy24")


def test_number_where_text_belongs_is_an_amount_too():
    assert order(total_price=Decimal("398.0")).total == Decimal("398.0")


def test_order_without_a_currency_is_in_the_shops_own():
    assert order().currency == "EUR"


def test_gateway_of_old_bodies_is_the_payment_method():
    assert order(gateway="paypal", payment_gateway_names=None).payment_method == "paypal"


def test_gift_card_and_other_gateway_are_both_named():
    read = read_order(sample("orders_partially_fulfilled__tip-and-gift-card-2024"), SHOP)
    assert read.payment_method == "gift_card, shopify_payments"


def test_shipping_falls_back_to_the_chosen_lines():
    lines = [{"title": "Post", "price": "4.00"}, {"title": "Courier", "price": "9.00", "is_removed": True}]
    read = order(shipping_lines=lines)
    assert (read.shipping_total, read.shipping_methods) == (Decimal("4.00"), ("Post",))
    assert order().shipping_total is None


def test_several_discount_codes_are_all_coupons():
    assert order(discount_codes=[{"code": "A"}, {"code": ""}, {"code": "B"}]).coupons == ("A", "B")


def test_financial_status_null_is_an_order_that_stands():
    assert (order(financial_status=None).status, order().status) == ("open", "open")
    assert order(financial_status="PAID").status == "paid"


def test_cancel_reason_without_cancelled_at_is_no_cancellation():
    assert read_order(sample("orders_updated__partial-refund-2023"), SHOP).cancelled_at is None


def test_cancellation_has_the_shops_own_date():
    read = read_order(sample("orders_cancelled__voided-2024"), SHOP)
    assert (read.status, read.cancelled_at) == ("voided", datetime(2024, 11, 2, 13, tzinfo=UTC))


def test_imported_order_keeps_its_old_purchase_date():
    read = order(processed_at="2015-01-01T00:00:00Z", created_at="2025-01-01T00:00:00Z")
    assert read.placed_at == datetime(2015, 1, 1, tzinfo=UTC)
    assert order(created_at="2025-01-01T00:00:00Z").placed_at == datetime(2025, 1, 1, tzinfo=UTC)


def test_draft_and_point_of_sale_orders_have_no_cart_or_checkout():
    for name, source in (
        ("orders_paid__b2b-2025", "shopify_draft_order"),
        ("orders_fulfilled__pos-nobody-2025", "pos"),
    ):
        read = read_order(sample(name), SHOP)
        assert (read.source, read.cart_token, read.checkout_token) == (source, None, None)


def test_numeric_source_name_is_text():
    assert order(source_name=1354745).source == "1354745"


def test_name_is_the_number_and_order_number_stands_in():
    assert order(name="#1166X01", order_number=1166).number == "#1166X01"
    assert order(order_number=1166).number == "1166"


def test_refund_is_the_sum_of_its_successful_refund_transactions():
    (refund,) = read_order(sample("orders_updated__partial-refund-2023"), SHOP).refunds
    assert (refund.id, refund.amount, refund.reason) == ("8500000000001", Decimal("209.00"), "it broke during shipping")
    assert refund.at == datetime(2023, 9, 10, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "transaction",
    [
        {"kind": "refund", "status": "failure", "amount": "5"},
        {"kind": "refund", "status": "pending", "amount": "5"},
        {"kind": "void", "status": "success", "amount": "5"},
        {"kind": "refund", "status": "success", "amount": None},
    ],
)
def test_a_transaction_that_moved_no_money_back_is_no_refund(transaction):
    assert refunded(transaction) == ()


def test_refund_transactions_null_are_no_hindrance():
    assert order(refunds=[{"id": 9, "transactions": None, "refund_line_items": None}]).refunds == ()


@pytest.mark.parametrize("amount", ["12.00", Decimal("12.00"), 12])
def test_refund_amount_may_be_text_or_number(amount):
    (refund,) = refunded({"kind": "refund", "status": "success", "amount": amount, "currency": "EUR"})
    assert refund.amount == 12


@pytest.mark.parametrize("currency", [None, "XXX"])
def test_refund_without_a_real_currency_is_in_the_orders(currency):
    (refund,) = refunded({"kind": "refund", "status": "success", "amount": "75.00", "currency": currency})
    assert refund.amount == Decimal("75.00")


def test_refund_in_the_buyers_currency_is_given_at_the_orders_own_rate():
    (refund,) = read_order(sample("orders_updated__foreign-refund-2026"), SHOP).refunds
    assert refund.amount == Decimal("60.33")


def test_refund_in_the_buyers_currency_without_a_rate_is_left_as_it_is():
    transaction = {"kind": "refund", "status": "success", "amount": "66.36", "currency": "USD"}
    (refund,) = refunded(transaction, presentment_currency="USD")
    assert refund.amount == Decimal("66.36")


def test_point_of_sale_order_has_nobody_behind_it():
    read = read_order(sample("orders_fulfilled__pos-nobody-2025"), SHOP)
    assert (read.customer, read.total, read.status) == (None, Decimal("18.00"), "paid")
    assert order(customer=None).customer is None


def test_order_made_from_a_draft_is_an_order_like_any_other():
    read = read_order(sample("orders_paid__b2b-2025"), SHOP)
    assert (read.status, read.total, read.customer.email) == ("paid", Decimal("1250.00"), "inkop@foretag.example")


def test_gift_card_sold_and_tip_are_lines_of_the_purchase():
    read = read_order(sample("orders_partially_fulfilled__tip-and-gift-card-2024"), SHOP)
    card, custom, tip = read.lines
    assert (card.product_id is not None, custom.product_id, tip.product_id) == (True, None, None)
    assert sum(line.total for line in read.lines) == read.total == Decimal("104.87")


@pytest.mark.parametrize("status", ["paid", None])
def test_order_that_costs_nothing_is_an_order_of_nothing(status):
    line = {"id": 1, "price": "20.00", "quantity": 2, "discount_allocations": [{"amount": "40.00"}]}
    read = order(total_price="0.00", total_discounts="40.00", line_items=[line], financial_status=status)
    assert (read.total, read.discount_total, read.lines[0].total) == (0, Decimal("40.00"), 0)
    assert order(total_price="0.00", line_items=[{"id": 1, "price": "0.00"}]).lines[0].total == 0


@pytest.mark.parametrize(
    ("currency", "price", "total", "back"),
    [("JPY", "1200", "2400", "1200"), ("KWD", "1.255", "2.510", "1.255"), ("VND", "20", "40", "20")],
)
def test_amounts_keep_the_decimals_of_their_currency(currency, price, total, back):
    money = {"kind": "refund", "status": "success", "amount": back, "currency": currency}
    read = order(
        currency=currency,
        total_price=total,
        line_items=[{"id": 1, "price": price, "quantity": 2}],
        refunds=[{"id": 9, "transactions": [money]}],
    )
    assert [str(amount) for amount in (read.total, read.lines[0].total, read.refunds[0].amount)] == [total, total, back]


def test_order_of_a_subscription_is_a_purchase_of_its_own():
    plan = {"id": 1, "price": "15.00", "quantity": 1, "selling_plan_allocation": {"selling_plan": {"id": 3}}}
    read = order(source_name="subscription_contract_checkout_one", total_price="15.00", line_items=[plan])
    assert (read.source, read.total, read.lines[0].total) == (
        "subscription_contract_checkout_one",
        Decimal("15.00"),
        Decimal("15.00"),
    )


@pytest.mark.parametrize("unusable", [{}, {"id": None}, {"id": ""}, {"id": []}, {"id": 0}])
def test_an_order_without_a_usable_id_is_refused(unusable):
    with pytest.raises(PayloadInvalid, match=r"id: Missing or empty\."):
        read_order(unusable, SHOP)


def test_an_unreadable_amount_is_refused_with_its_path():
    with pytest.raises(PayloadInvalid, match=r"line_items\.1\.price: Not a readable amount\."):
        order(line_items=[{"price": "1"}, {"price": "one"}])
