from decimal import Decimal

import pytest

from schemas.shopify import read_order
from tests.support.shopify import a_shop, sample

SHOP = a_shop()


def line(**keys):
    return read_order({"id": 1, "line_items": [keys]}, SHOP).lines[0]


def test_lines_are_read_whole():
    shirt, lamp, candle = read_order(sample("orders_create__three-lines-2025"), SHOP).lines
    assert (shirt.id, shirt.product_id, shirt.variant_id) == ("1510000000001", "7700000000001", "4500000000001")
    assert (shirt.sku, shirt.name, shirt.quantity) == ("LIN-M-BLU", "Linen shirt - M / Blue", Decimal(2))
    assert [one.unit_price for one in (shirt, lamp, candle)] == [Decimal("49.90"), Decimal("122.00"), Decimal("9.50")]
    assert candle.sku is None


def test_line_totals_take_off_the_share_of_order_discounts():
    lines = read_order(sample("orders_create__three-lines-2025"), SHOP).lines
    assert [one.total for one in lines] == [Decimal("89.82"), Decimal("109.80"), Decimal("25.65")]
    assert sum(one.total for one in lines) == Decimal("225.27")


def test_total_discount_and_its_allocation_are_not_taken_off_twice():
    allocated = [{"amount": "5.00"}]
    assert line(price="199.99", quantity=1, total_discount="5.00", discount_allocations=allocated).total == Decimal(
        "194.99"
    )


def test_total_discount_counts_where_no_allocation_is_given():
    assert line(price="10.00", quantity=2, total_discount="3.00").total == Decimal("17.00")


def test_several_allocations_add_up():
    allocated = [{"amount": "3.20"}, {"amount_set": {"shop_money": {"amount": "5.00"}}}]
    assert line(price="99.00", quantity=1, discount_allocations=allocated).total == Decimal("90.80")


def test_tip_line_has_no_product():
    gift_card, engraving, tip = read_order(sample("orders_partially_fulfilled__tip-and-gift-card-2024"), SHOP).lines
    assert gift_card.product_id == "7700000000009"
    assert (engraving.product_id, engraving.name) == (None, "Engraving")
    assert (tip.product_id, tip.variant_id, tip.total) == (None, None, Decimal("4.87"))


def test_tip_is_told_by_the_mere_presence_of_its_key():
    assert line(product_id=5, tip_payment_gateway=None).product_id is None
    assert line(product_id=5).product_id == "5"


def test_custom_or_deleted_product_leaves_the_line_standing():
    read = line(product_id=None, variant_id=None, product_exists=False, title="Engraving", price="5", quantity=1)
    assert (read.product_id, read.name, read.total) == (None, "Engraving", Decimal(5))


@pytest.mark.parametrize(
    ("given", "read_as"), [(None, None), ("", None), ("2023-01", "2023-01"), ("00123", "00123"), (16476, "16476")]
)
def test_sku_is_text_whatever_it_looks_like(given, read_as):
    assert line(sku=given).sku == read_as


@pytest.mark.parametrize("properties", [None, {}, [], {"a": {"b": 1}}, [{"name": "x", "value": 7}], "text"])
def test_line_properties_of_any_shape_are_no_hindrance(properties):
    assert line(price="2.00", quantity=3, properties=properties).total == Decimal("6.00")


def test_price_only_in_the_set_is_read_on_the_shops_side():
    both = {"shop_money": {"amount": "60.33"}, "presentment_money": {"amount": "45.85"}}
    assert line(price_set=both, quantity=1).unit_price == Decimal("60.33")


def test_scalar_price_is_the_shops_even_when_the_buyer_paid_in_another_currency():
    read = read_order(sample("orders_create__guest-multi-currency-2026"), SHOP).lines[0]
    assert (read.unit_price, read.total) == (Decimal("55.33"), Decimal("55.33"))


@pytest.mark.parametrize(("given", "total"), [("20", "40"), ("0.000", "0.000"), ("600.0", "1200.0")])
def test_decimals_follow_the_currency(given, total):
    assert str(line(price=given, quantity=2).total) == total


def test_ordered_quantity_stays_when_the_current_one_is_less():
    assert line(quantity=3, current_quantity=0).quantity == Decimal(3)


def test_line_without_quantity_is_one_piece():
    assert (line(price="4").quantity, line(price="4").total) == (Decimal(1), Decimal(4))


def test_line_without_price_has_no_total():
    assert (line(title="x").unit_price, line(title="x").total) == (None, None)


@pytest.mark.parametrize(
    ("title", "variant", "name"), [("Shirt", "M", "Shirt - M"), ("Shirt", "", "Shirt"), ("Shirt", None, "Shirt")]
)
def test_name_is_built_where_only_titles_are_given(title, variant, name):
    assert line(title=title, variant_title=variant).name == name
