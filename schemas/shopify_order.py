"""Shopify's orders as records, in the shop's currency."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from relay.commerce import Order
from relay.shops import Shop
from schemas.fields import (
    Flag,
    Id,
    LenientSchema,
    Money,
    NestedList,
    NestedObject,
    Text,
    TextList,
    Timestamp,
    Values,
    load,
)
from schemas.shopify_customer import BuyerSchema, buyer
from schemas.shopify_edit import ordered
from schemas.shopify_line import AmountSetSchema, LineSchema, shop_amount
from schemas.shopify_refund import RefundSchema, refunds_of
from schemas.text import given, language

# The word for an order whose body tells no financial_status. Shopify's own name for an order that stands.
OPEN = "open"


class ShippingSchema(LenientSchema):
    """A way of shipping that was chosen, or taken back by an edit."""

    title = Text()
    price = Money()
    is_removed = Flag()


class DiscountCodeSchema(LenientSchema):
    """A code the buyer entered."""

    code = Text()


class OrderSchema(BuyerSchema):
    """An order. Amounts are in ``currency``, the shop's.

    What is called ``current_...`` follows edits and refunds, everything else is as it was when the order was placed.
    """

    id = Id(required=True)
    name = Text()
    order_number = Text()
    token = Text()
    financial_status = Text()
    currency = Text()
    presentment_currency = Text()
    total_price = Money()
    total_price_set = NestedObject(AmountSetSchema)
    current_total_price = Money()
    current_total_price_set = NestedObject(AmountSetSchema)
    subtotal_price = Money()
    subtotal_price_set = NestedObject(AmountSetSchema)
    current_subtotal_price = Money()
    current_subtotal_price_set = NestedObject(AmountSetSchema)
    taxes_included = Flag()
    total_shipping_price_set = NestedObject(AmountSetSchema)
    total_tax = Money()
    total_tax_set = NestedObject(AmountSetSchema)
    total_discounts = Money()
    total_discounts_set = NestedObject(AmountSetSchema)
    line_items = NestedList(LineSchema)
    refunds = NestedList(RefundSchema)
    order_edits = NestedList(LenientSchema)
    shipping_lines = NestedList(ShippingSchema)
    discount_codes = NestedList(DiscountCodeSchema)
    payment_gateway_names = TextList()
    gateway = Text()
    note = Text()
    source_name = Text()
    tags = TextList()
    checkout_token = Text()
    cart_token = Text()
    test = Flag()
    created_at = Timestamp()
    updated_at = Timestamp()
    processed_at = Timestamp()
    cancelled_at = Timestamp()


_ORDER = OrderSchema()


def read_order(body: object, shop: Shop) -> Order:
    """Read the body of any topic that carries a whole order; raises PayloadInvalid.

    ``status`` is the financial status, in lower case. A cancelled order is told by ``cancelled_at`` alone, since
    ``cancel_reason`` can be set on orders that stand. Total and lines follow edits; tax, shipping and discounts are
    those of the beginning.
    """
    values = load(_ORDER, body)
    total, lines = ordered(values, refunds_known=isinstance(body, dict) and "refunds" in body)
    shipping = [one for one in values["shipping_lines"] if not one["is_removed"]]
    return Order(
        id=values["id"],
        number=values["name"] or values["order_number"],
        key=values["token"],
        customer=buyer(values),
        status=(values["financial_status"] or OPEN).lower(),
        currency=values["currency"] or shop.currency,
        total=total,
        shipping_total=_shipping_total(values, shipping),
        tax_total=shop_amount(values, "total_tax"),
        discount_total=shop_amount(values, "total_discounts"),
        lines=lines,
        refunds=refunds_of(values),
        payment_method=", ".join(values["payment_gateway_names"]) or values["gateway"],
        shipping_methods=given(one["title"] for one in shipping),
        coupons=given(one["code"] for one in values["discount_codes"]),
        note=values["note"],
        source=values["source_name"],
        language=language(values["customer_locale"]),
        tags=values["tags"],
        checkout_token=values["checkout_token"],
        cart_token=values["cart_token"],
        test=bool(values["test"]),
        created_at=values["created_at"],
        updated_at=values["updated_at"],
        placed_at=values["processed_at"] or values["created_at"],
        cancelled_at=values["cancelled_at"],
    )


def _shipping_total(order: Values, shipping: Iterable[Values]) -> Decimal | None:
    stated = shop_amount(order, "total_shipping_price")
    prices = [one["price"] for one in shipping if one["price"] is not None]
    return sum(prices, Decimal(0)) if stated is None and prices else stated
