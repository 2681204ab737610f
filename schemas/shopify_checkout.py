"""Shopify's checkouts as carts, in the currency the buyer saw."""

from __future__ import annotations

from relay.commerce import Cart
from relay.shops import Shop
from schemas.fields import Money, NestedList, Text, Timestamp, load
from schemas.shopify_customer import BuyerSchema, buyer
from schemas.shopify_line import LineSchema, read_lines
from schemas.text import language


class CheckoutSchema(BuyerSchema):
    """A checkout. ``token`` identifies it, because version 2026-04 removed ``id``."""

    token = Text(required=True)
    cart_token = Text()
    currency = Text()
    presentment_currency = Text()
    total_price = Money()
    line_items = NestedList(LineSchema)
    abandoned_checkout_url = Text()
    note = Text()
    source_name = Text()
    created_at = Timestamp()
    updated_at = Timestamp()
    completed_at = Timestamp()


_CHECKOUT = CheckoutSchema()


def read_checkout(body: object, shop: Shop) -> Cart:
    """Read the body of checkouts/create and checkouts/update; raises PayloadInvalid.

    ``currency`` names the shop's currency while the amounts are in ``presentment_currency``, and there is no
    ``*_set`` to read the shop's amounts from, so the cart stays in the buyer's currency.
    """
    values = load(_CHECKOUT, body)
    return Cart(
        id=values["token"],
        cart_token=values["cart_token"],
        customer=buyer(values),
        currency=values["presentment_currency"] or values["currency"] or shop.currency,
        total=values["total_price"],
        lines=read_lines(values["line_items"]),
        recovery_url=values["abandoned_checkout_url"],
        note=values["note"],
        source=values["source_name"],
        language=language(values["customer_locale"]),
        created_at=values["created_at"],
        updated_at=values["updated_at"],
        completed_at=values["completed_at"],
    )
