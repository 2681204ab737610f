"""Shopify's orders as records, in the shop's currency."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from relay.commerce import Order, Refund
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
from schemas.shopify_line import AmountSetSchema, LineSchema, read_lines, shop_amount, side_of
from schemas.text import language

# The word for an order whose body tells no financial_status. Shopify's own name for an order that stands.
OPEN = "open"


class TransactionSchema(LenientSchema):
    """A movement of money within a refund."""

    kind = Text()
    status = Text()
    amount = Money()
    currency = Text()


class RefundSchema(LenientSchema):
    """A refund as nested in an order."""

    id = Id(required=True)
    created_at = Timestamp()
    processed_at = Timestamp()
    note = Text()
    transactions = NestedList(TransactionSchema)


class ShippingSchema(LenientSchema):
    """A way of shipping that was chosen, or taken back by an edit."""

    title = Text()
    price = Money()
    is_removed = Flag()


class DiscountCodeSchema(LenientSchema):
    """A code the buyer entered."""

    code = Text()


class OrderSchema(BuyerSchema):
    """An order. Amounts are in ``currency``, the shop's; totals are those of creation, not reduced by refunds."""

    id = Id(required=True)
    name = Text()
    order_number = Text()
    token = Text()
    financial_status = Text()
    currency = Text()
    presentment_currency = Text()
    total_price = Money()
    total_price_set = NestedObject(AmountSetSchema)
    total_shipping_price_set = NestedObject(AmountSetSchema)
    total_tax = Money()
    total_tax_set = NestedObject(AmountSetSchema)
    total_discounts = Money()
    total_discounts_set = NestedObject(AmountSetSchema)
    line_items = NestedList(LineSchema)
    refunds = NestedList(RefundSchema)
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
    ``cancel_reason`` can be set on orders that stand.
    """
    values = load(_ORDER, body)
    shipping = [one for one in values["shipping_lines"] if not one["is_removed"]]
    return Order(
        id=values["id"],
        number=values["name"] or values["order_number"],
        key=values["token"],
        customer=buyer(values),
        status=(values["financial_status"] or OPEN).lower(),
        currency=values["currency"] or shop.currency,
        total=shop_amount(values, "total_price"),
        shipping_total=_shipping_total(values, shipping),
        tax_total=shop_amount(values, "total_tax"),
        discount_total=shop_amount(values, "total_discounts"),
        lines=read_lines(values["line_items"]),
        refunds=_refunds(values),
        payment_method=", ".join(values["payment_gateway_names"]) or values["gateway"],
        shipping_methods=_said(one["title"] for one in shipping),
        coupons=_said(one["code"] for one in values["discount_codes"]),
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


def _refunds(order: Values) -> tuple[Refund, ...]:
    """Give the refunds that moved money. One without a successful transaction only put goods back in stock."""
    refunds = []
    for values in order["refunds"]:
        paid = [one for one in values["transactions"] if one["kind"] == "refund" and one["status"] == "success"]
        amount = sum((_transaction_amount(one, order) for one in paid), Decimal(0))
        if amount > 0:
            at = values["processed_at"] or values["created_at"]
            refunds.append(Refund(id=values["id"], amount=amount, at=at, reason=values["note"]))
    return tuple(refunds)


def _transaction_amount(transaction: Values, order: Values) -> Decimal:
    """Give a transaction's amount in the order's currency, at the order's own rate when the buyer paid in another."""
    amount: Decimal = transaction["amount"] or Decimal(0)
    if transaction["currency"] in (None, order["currency"]) or transaction["currency"] != order["presentment_currency"]:
        return amount
    total = shop_amount(order, "total_price")
    shown = side_of(order["total_price_set"], "presentment_money")
    return amount * total / shown if total is not None and shown else amount


def _shipping_total(order: Values, shipping: Iterable[Values]) -> Decimal | None:
    stated = shop_amount(order, "total_shipping_price")
    prices = [one["price"] for one in shipping if one["price"] is not None]
    return sum(prices, Decimal(0)) if stated is None and prices else stated


def _said(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
