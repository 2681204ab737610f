from datetime import UTC, datetime
from decimal import Decimal

import pytest

from relay.errors import PayloadInvalid
from schemas.shopify import read_checkout
from tests.support.shopify import a_shop, sample

SHOP = a_shop()


def checkout(**keys):
    return read_checkout({"token": "t"} | keys, SHOP)


def test_a_checkout_is_read_whole():
    read = read_checkout(sample("checkouts_create__known-buyer-2025"), SHOP)
    assert read.id == "5f1c0de0000000000000000000000001"
    assert read.cart_token == "Z2NwLWV1cm9wZS13ZXN0NDowMUpYEXAMPLECART0001"
    assert (read.customer.email, read.customer.name) == ("Hanna@example.com", "Hanna Lindqvist")
    assert (read.currency, read.total, read.source, read.language) == ("EUR", Decimal("221.80"), "web", "sv")
    assert read.recovery_url.endswith("/recover?key=0")
    assert read.created_at == datetime(2025, 6, 14, 17, 10, tzinfo=UTC)
    assert read.updated_at == datetime(2025, 6, 14, 17, 12, 30, tzinfo=UTC)
    assert read.completed_at is None


def test_checkout_lines_have_price_total_and_name():
    shirt, lamp = read_checkout(sample("checkouts_create__known-buyer-2025"), SHOP).lines
    assert (shirt.id, shirt.name, shirt.quantity) == ("4500000000001:aa", "Linen shirt - M / Blue", Decimal(2))
    assert (shirt.unit_price, shirt.total) == (Decimal("49.90"), Decimal("99.80"))
    assert (lamp.id, lamp.name, lamp.product_id) == (None, "Floor lamp", "7700000000002")


def test_checkout_without_id_is_known_by_its_token():
    assert read_checkout(sample("checkouts_update__no-id-2026"), SHOP).id == "5f1c0de0000000000000000000000004"


def test_checkout_amounts_are_in_the_currency_the_buyer_saw():
    read = read_checkout(sample("checkouts_update__anonymous-2024"), SHOP)
    assert (read.currency, read.total, read.lines[0].unit_price) == ("PLN", Decimal("120.00"), Decimal("120.00"))
    assert checkout(currency="EUR").currency == "EUR"
    assert checkout().currency == "EUR"


@pytest.mark.parametrize("address", [None, [], {}, ""])
def test_anonymous_checkout_with_any_kind_of_no_address_names_nobody(address):
    assert checkout(email=None, phone=None, shipping_address=address).customer is None


def test_anonymous_checkout_may_still_have_a_phone_in_its_address():
    read = checkout(email=None, phone=None, shipping_address={"phone": "+4915200000001", "country_code": "DE"})
    assert (read.customer.email, read.customer.phone) == (None, "+4915200000001")


def test_completed_checkout_says_when():
    read = read_checkout(sample("checkouts_update__completed-2023"), SHOP)
    assert read.completed_at == datetime(2023, 6, 14, 17, 20, tzinfo=UTC)


def test_checkout_without_a_customer_object_still_has_a_buyer():
    read = read_checkout(sample("checkouts_update__completed-2023"), SHOP).customer
    assert (read.id, read.email, read.name, read.address.country) == (
        None,
        "jan.przyklad@example.com",
        "Jan Przykład",
        "PL",
    )


def test_emptied_checkout_has_no_lines():
    assert checkout(line_items=[]).lines == ()


@pytest.mark.parametrize("unusable", [{}, {"token": None}, {"token": ""}, {"token": [1]}, {"id": 5}])
def test_a_checkout_without_a_token_is_refused(unusable):
    with pytest.raises(PayloadInvalid, match=r"token: Missing or empty\."):
        read_checkout(unusable, SHOP)
