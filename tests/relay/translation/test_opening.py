from __future__ import annotations

from typing import Any

import pytest

from relay import jsontext
from relay.errors import PayloadInvalid
from relay.memory import Outlook
from relay.translation.opening import Opened, opened
from tests.support import shopify
from tests.support.lives import after, shopify_account, shopify_checkout, shopify_order
from tests.support.world import PLATFORMS

SHOP = shopify.a_shop()
PERSON = (SHOP.group, "maja.lund@example.com")


def read(topic: str, body: Any) -> Opened:
    return opened(jsontext.dumps(body).encode(), PLATFORMS["shopify"].topics[topic], SHOP)


def test_an_order_looks_itself_its_checkout_and_its_buyer_up() -> None:
    body = shopify_order(after(0))
    own, account = (SHOP.key, "order", str(body["id"])), (SHOP.key, "customer", str(body["customer"]["id"]))
    cart = (SHOP.key, "cart", body["checkout_token"])
    assert read("orders/create", body).outlook == Outlook((own, cart, account), (own,), (PERSON,))


def test_a_checkout_looks_itself_and_its_buyer_up() -> None:
    body = shopify_checkout(after(0))
    own, account = (SHOP.key, "cart", body["token"]), (SHOP.key, "customer", str(body["customer"]["id"]))
    assert read("checkouts/create", body).outlook == Outlook((own, account), (own,), (PERSON,))


def test_an_account_looks_itself_and_its_contact_up() -> None:
    body = shopify_account(after(0), "Maja.Lund@example.com")
    account = (SHOP.key, "customer", str(body["id"]))
    assert read("customers/update", body).outlook == Outlook((account,), (), (PERSON,))


def test_nobody_is_looked_up_where_a_body_names_nobody() -> None:
    body = shopify_order(after(0), customer=None, email=None, contact_email=None, checkout_token=None)
    own = (SHOP.key, "order", str(body["id"]))
    assert read("orders/create", body).outlook == Outlook((own,), (own,))


def test_nothing_is_foreseen_of_other_records() -> None:
    assert read("orders/delete", {"id": 1}).outlook == Outlook()


def test_lines_know_what_salesmanago_knows_their_products_by() -> None:
    lines = read("orders/create", shopify_order(after(0))).record.lines
    assert lines
    assert [line.catalog_id for line in lines] == [line.product_id for line in lines]


@pytest.mark.parametrize("body", [b"", b" \n", b"{", b"\xff", b"[1]", b'{"id": null}'])
def test_a_body_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadInvalid):
        opened(body, PLATFORMS["shopify"].topics["orders/create"], SHOP)
