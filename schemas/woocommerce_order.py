"""WooCommerce's orders as records, checkouts in progress (``checkout-draft``) included."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from relay.commerce import Line, Order, Refund
from relay.shops import Shop
from schemas.fields import (
    Id,
    LenientSchema,
    MarkupText,
    Money,
    NestedList,
    NestedObject,
    Number,
    Text,
    Timestamp,
    Values,
    load,
)
from schemas.text import given, language
from schemas.woocommerce_body import DatedSchema, MetaSchema, changed_at, meta_text, moment
from schemas.woocommerce_customer import AddressSchema, PersonSchema, buyer

# Where translation plugins (WPML, TranslatePress, Weglot) note the language of an order; core does not know it.
_LANGUAGE_META = ("wpml_language", "trp_language", "weglot_language")
# WooCommerce's own precision for amounts that are not yet rounded to the currency.
_FINEST = Decimal("0.000001")


class LineSchema(LenientSchema):
    """A line. Its ``total`` is after discounts and never holds tax, which ``total_tax`` adds.

    ``price`` is left out: it is a float of total / quantity, noise included.
    """

    id = Id()
    name = MarkupText()
    product_id = Id()
    variation_id = Id()
    quantity = Number()
    total = Money()
    sku = Text()


class RefundSchema(LenientSchema):
    """A refund as nested in an order, without a date. v2's documents call the reason ``refund``."""

    id = Id()
    reason = Text()
    refund = Text()
    total = Money()


class ShippingSchema(LenientSchema):
    """A way of shipping that was chosen."""

    method_title = MarkupText()


class CouponSchema(LenientSchema):
    """A coupon that was used."""

    code = Text()


class PaymentSchema(LenientSchema):
    """Legacy v3's word on how an order is paid."""

    method_id = Text()
    method_title = Text()


class OrderSchema(DatedSchema):
    """An order. ``total`` stays what was ordered, whatever is refunded."""

    id = Id(required=True)
    number = Text()
    order_key = Text()
    status = Text()
    currency = Text()
    total = Money()
    shipping_total = Money()
    total_tax = Money()
    discount_total = Money()
    customer_id = Id()
    customer = NestedObject(PersonSchema)  # legacy v3 only
    billing = NestedObject(AddressSchema)
    shipping = NestedObject(AddressSchema)
    line_items = NestedList(LineSchema)
    refunds = NestedList(RefundSchema)
    shipping_lines = NestedList(ShippingSchema)
    coupon_lines = NestedList(CouponSchema)
    payment_method = Text()
    payment_method_title = MarkupText()
    payment_details = NestedObject(PaymentSchema)  # legacy v3 only
    customer_note = Text()
    created_via = Text()
    date_paid = Text()
    date_paid_gmt = Timestamp()
    meta_data = NestedList(MetaSchema)


_ORDER = OrderSchema()


def order(body: object, shop: Shop) -> Order:
    """Read an order; raises PayloadInvalid. Deciding whether it is paid is left to its status and ``paid_at``."""
    values = load(_ORDER, body)
    payment = values["payment_details"] or {}
    spoken = language(meta_text(values["meta_data"], _LANGUAGE_META))
    placed_at = moment(values, "date_created", shop)
    return Order(
        id=values["id"],
        number=values["number"],
        key=values["order_key"],
        customer=buyer(values, spoken),
        status=values["status"],
        currency=values["currency"] or shop.currency,
        total=values["total"],
        shipping_total=values["shipping_total"],
        tax_total=values["total_tax"],
        discount_total=values["discount_total"],
        lines=tuple(_line(item) for item in values["line_items"]),
        refunds=_refunds(values["refunds"]),
        payment_method=values["payment_method"] or payment.get("method_id"),
        payment_title=values["payment_method_title"] or payment.get("method_title"),
        shipping_methods=given(one["method_title"] for one in values["shipping_lines"]),
        coupons=given(one["code"] for one in values["coupon_lines"]),
        note=values["customer_note"],
        source=values["created_via"],
        language=spoken,
        created_at=placed_at,
        updated_at=changed_at(values, shop),
        placed_at=placed_at,
        paid_at=moment(values, "date_paid", shop),
    )


def _line(item: Values) -> Line:
    """Read a line, amounts without tax as WooCommerce states them.

    The children of bundles and composites are lines too: the price is on them or on their parent, never on both, so the
    sum of the totals is right where the number of lines is not.
    """
    quantity = Decimal(1) if item["quantity"] is None else item["quantity"]
    return Line(
        id=item["id"],
        product_id=item["product_id"],
        variant_id=item["variation_id"],
        sku=item["sku"],
        name=item["name"],
        quantity=quantity,
        unit_price=_unit_price(item["total"], quantity),
        total=item["total"],
    )


def _unit_price(total: Decimal | None, quantity: Decimal) -> Decimal | None:
    if total is None or not quantity:
        return None
    price = total / quantity
    digits = price.as_tuple().exponent
    return price.quantize(_FINEST) if isinstance(digits, int) and digits < -6 else price


def _refunds(items: Sequence[Values]) -> tuple[Refund, ...]:
    """Give the refunds that moved money, oldest first, while the body has the newest first.

    One without an id is called by its place.
    """
    refunds = []
    for place, values in enumerate(reversed(items), start=1):
        amount = abs(values["total"] or Decimal(0))
        if amount:
            reason = values["reason"] or values["refund"]
            refunds.append(Refund(id=values["id"] or f"#{place}", amount=amount, reason=reason))
    return tuple(refunds)
