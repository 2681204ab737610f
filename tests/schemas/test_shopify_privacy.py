"""Shopify's compliance topics as records."""

from __future__ import annotations

from typing import Any

import pytest

from relay.errors import PayloadInvalid
from relay.privacy import CustomerRedaction, DataRequest, ShopRedaction
from schemas.people import read_erasure
from schemas.shopify_privacy import read_customer_redaction, read_data_request, read_shop_redaction
from tests.support.shopify import a_shop

SHOP = a_shop()
PERSON = {"id": 7061234567890, "email": "Ada@example.com", "phone": "+46 70 174 06 05"}


def body(**keys: Any) -> dict[str, Any]:
    return {"shop_id": 954889, "shop_domain": "nordljus.myshopify.com", "customer": PERSON} | keys


def test_redaction_names_the_person_and_their_orders():
    assert read_customer_redaction(body(orders_to_redact=[299938, "280263", 0, None]), SHOP) == CustomerRedaction(
        customer_id="7061234567890",
        email="Ada@example.com",
        phone="+46 70 174 06 05",
        order_ids=("299938", "280263"),
    )


def test_data_request_has_the_number_the_merchant_knows_it_by():
    request = read_data_request(body(orders_requested=[299938], data_request={"id": 9999}), SHOP)

    assert isinstance(request, DataRequest)
    assert (request.request_id, request.order_ids, request.email) == ("9999", ("299938",), "Ada@example.com")


@pytest.mark.parametrize("more", [{}, {"data_request": None}, {"data_request": {}}, {"data_request": []}])
def test_data_request_without_a_number_is_one_too(more):
    assert read_data_request(body(**more), SHOP).request_id is None


@pytest.mark.parametrize("orders", [None, [], {}, "", 0, [None], [{}]])
def test_orders_may_be_missing_in_any_way(orders):
    assert read_customer_redaction(body(orders_to_redact=orders), SHOP).order_ids == ()


@pytest.mark.parametrize("known", [{"id": 7}, {"email": "ada@example.com"}, {"phone": "123"}])
def test_any_name_of_a_person_will_do(known):
    redaction = read_customer_redaction(body(customer=known), SHOP)

    assert [redaction.customer_id, redaction.email, redaction.phone].count(None) == 2


@pytest.mark.parametrize("nobody", [None, {}, [], "", {"id": None, "email": "", "phone": None}, {"id": 0}])
@pytest.mark.parametrize("read", [read_customer_redaction, read_data_request])
def test_nobody_in_particular_is_a_fault(read, nobody):
    with pytest.raises(PayloadInvalid, match="Names nobody"):
        read(body(customer=nobody), SHOP)


def test_shop_redaction_needs_nothing_but_its_shop():
    assert read_shop_redaction({"shop_id": 1}, SHOP) == ShopRedaction()
    with pytest.raises(PayloadInvalid):
        read_shop_redaction([], SHOP)


def test_own_erasures_are_thorough_unless_they_say_otherwise():
    assert read_erasure({"email": "ada@example.com"}) == CustomerRedaction(email="ada@example.com")
    assert read_erasure({"customer_id": "7", "thorough": False}) == CustomerRedaction(customer_id="7", thorough=False)
    with pytest.raises(PayloadInvalid, match="names nobody"):
        read_erasure({"thorough": True})
