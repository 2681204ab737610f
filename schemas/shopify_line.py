"""What Shopify's orders and checkouts share: amounts in two currencies, and lines."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from marshmallow import fields

from relay.commerce import Line
from schemas.fields import Id, LenientSchema, Money, NestedList, NestedObject, Number, Text, Values


class AmountSchema(LenientSchema):
    """An amount in one currency, which the names around it tell."""

    amount = Money()


class AmountSetSchema(LenientSchema):
    """One amount in the shop's currency and in the one the buyer saw. Bodies before about 2019 have none."""

    shop_money = NestedObject(AmountSchema)
    presentment_money = NestedObject(AmountSchema)


class DiscountSchema(LenientSchema):
    """A line's share of a discount, given on the line or on the whole order."""

    amount = Money()
    amount_set = NestedObject(AmountSetSchema)


class LineSchema(LenientSchema):
    """A line of an order or checkout. The latter has ``key``, ``line_price`` and no ``*_set``."""

    id = Id()
    key = Text()
    product_id = Id()
    variant_id = Id()
    sku = Text()
    name = Text()
    title = Text()
    variant_title = Text()
    quantity = Number()
    current_quantity = Number()
    price = Money()
    price_set = NestedObject(AmountSetSchema)
    line_price = Money()
    total_discount = Money()
    discount_allocations = NestedList(DiscountSchema)
    # Left without a default, because the mere presence of this key (null or not) marks a tip.
    tip_payment_gateway = fields.Raw(allow_none=True)


def read_lines(items: Iterable[Values]) -> tuple[Line, ...]:
    """Give the lines of an order or checkout, each in the currency of its scalar amounts."""
    return tuple(_line(item) for item in items)


def is_tip(item: Values) -> bool:
    """Tell whether a line is no product but a tip."""
    return "tip_payment_gateway" in item


def _line(item: Values) -> Line:
    quantity = Decimal(1) if item["quantity"] is None else item["quantity"]
    unit_price = shop_amount(item, "price")
    full_price = item["line_price"]
    if full_price is None and unit_price is not None:
        full_price = unit_price * quantity
    tip = is_tip(item)
    return Line(
        id=item["id"] or item["key"],
        product_id=None if tip else item["product_id"],
        variant_id=None if tip else item["variant_id"],
        sku=item["sku"],
        name=item["name"] or _line_name(item),
        quantity=quantity,
        unit_price=unit_price,
        total=None if full_price is None else full_price - _discount(item),
    )


def _discount(item: Values) -> Decimal:
    """Give what is taken off a line. Allocations hold the line's own discounts too, so the two are never added."""
    if not item["discount_allocations"]:
        return item["total_discount"] or Decimal(0)
    return sum((shop_amount(one, "amount") or Decimal(0) for one in item["discount_allocations"]), Decimal(0))


def _line_name(item: Values) -> str | None:
    """Build the name checkouts do not send, the way orders spell it."""
    variant = item["variant_title"]
    return f"{item['title']} - {variant}" if item["title"] and variant else item["title"]


def shop_amount(values: Values, name: str) -> Decimal | None:
    """Give the scalar amount, or the shop's side of its ``_set`` where the body has only that."""
    scalar: Decimal | None = values.get(name)
    return side_of(values[f"{name}_set"], "shop_money") if scalar is None else scalar


def side_of(amounts: Values | None, side: str) -> Decimal | None:
    """Give one side of a ``_set``, ``shop_money`` or ``presentment_money``."""
    stated = (amounts or {}).get(side)
    amount: Decimal | None = stated["amount"] if stated else None
    return amount
