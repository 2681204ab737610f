"""Shopify's refunds: as an order lists them, and as one arrives by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import cast

from relay.changes import Piece
from relay.commerce import Line, Refund, ResourceKind
from relay.shops import Shop
from schemas.fields import (
    Flag,
    Id,
    LenientSchema,
    Money,
    NestedList,
    NestedObject,
    Number,
    Text,
    Timestamp,
    Values,
    load,
)
from schemas.shopify_line import AmountSetSchema, LineSchema, read_lines, shop_amount, side_of


class TransactionSchema(LenientSchema):
    """A movement of money within a refund."""

    kind = Text()
    status = Text()
    amount = Money()
    currency = Text()


class RefundLineSchema(LenientSchema):
    """Goods given back. ``line_item`` repeats the order's line, since a refund that arrives by itself has no others."""

    line_item_id = Id()
    line_item = NestedObject(LineSchema)
    quantity = Number()
    subtotal = Money()
    subtotal_set = NestedObject(AmountSetSchema)
    total_tax = Money()
    total_tax_set = NestedObject(AmountSetSchema)


class AdjustmentSchema(LenientSchema):
    """What a refund takes back beside goods, below zero: shipping, or an amount that goods do not explain."""

    kind = Text()
    amount = Money()
    amount_set = NestedObject(AmountSetSchema)
    tax_amount = Money()
    tax_amount_set = NestedObject(AmountSetSchema)


class RefundSchema(LenientSchema):
    """A refund, which can be of goods, of money, or of both."""

    id = Id(required=True)
    created_at = Timestamp()
    processed_at = Timestamp()
    note = Text()
    transactions = NestedList(TransactionSchema)
    refund_line_items = NestedList(RefundLineSchema)
    order_adjustments = NestedList(AdjustmentSchema)
    arrived_alone = Flag()  # ours, see relay/changes.py


class LoneRefundSchema(RefundSchema):
    """A refund as the subject of a delivery."""

    order_id = Id(required=True)


_LONE_REFUND = LoneRefundSchema()


def read_refund(body: object, shop: Shop) -> Piece:
    """Read the body of refunds/create; raises PayloadInvalid."""
    values = load(_LONE_REFUND, body)
    return Piece(ResourceKind.ORDER, values["order_id"], "refunds", values["id"], cast(dict[str, object], body))


def refunds_of(order: Values) -> tuple[Refund, ...]:
    """Give an order's refunds that moved money. One without a successful transaction only put goods back in stock.

    Money that comes back as a gift card or store credit is a transaction like any other, and so is its refund: the
    purchase is undone, whatever the buyer gets for it. A pending transaction is none yet.
    """
    return tuple(
        Refund(
            id=values["id"],
            amount=amount,
            at=values["processed_at"] or values["created_at"],
            reason=values["note"],
            lines=tuple(_lines(values, order)),
        )
        for values in order["refunds"]
        if (amount := money_back(values, order)) > 0
    )


def money_back(refund: Values, order: Values) -> Decimal:
    """Give the sum of a refund's successful transactions, in the order's currency."""
    paid = [one for one in refund["transactions"] if one["kind"] == "refund" and one["status"] == "success"]
    abroad = [one["amount"] or Decimal(0) for one in paid if _is_foreign(one, order)]
    # The parts of a refund state both currencies, to the cent; the order's rate comes near it only.
    if abroad and len(abroad) == len(paid) and sum(abroad) == _parts(refund, order, "presentment_money"):
        exact = _parts(refund, order, "shop_money")
        if exact is not None:
            return exact
    return sum((_transaction_amount(one, order) for one in paid), Decimal(0))


def _is_foreign(transaction: Values, order: Values) -> bool:
    """Tell whether a transaction is in the currency of the buyer and that is not the order's."""
    currency = transaction["currency"]
    return currency not in (None, order["currency"]) and currency == order["presentment_currency"]


def _transaction_amount(transaction: Values, order: Values) -> Decimal:
    """Give a transaction's amount in the order's currency, at the order's own rate when the buyer paid in another."""
    amount: Decimal = transaction["amount"] or Decimal(0)
    if not _is_foreign(transaction, order):
        return amount
    total = shop_amount(order, "total_price")
    shown = side_of(order["total_price_set"], "presentment_money")
    return amount * total / shown if total is not None and shown else amount


def _parts(refund: Values, order: Values, side: str) -> Decimal | None:
    """Add up what goods, shipping and the rest come to in one of the two currencies; None where one does not say."""
    names = ("subtotal_set",) if order["taxes_included"] else ("subtotal_set", "total_tax_set")
    goods = [side_of(item[name], side) for item in refund["refund_line_items"] for name in names]
    others = [
        side_of(one[name], side) for one in refund["order_adjustments"] for name in ("amount_set", "tax_amount_set")
    ]
    stated = [amount for amount in goods if amount is not None] + [-amount for amount in others if amount is not None]
    return sum(stated, Decimal(0)) if len(stated) == len(goods) + len(others) else None


def _lines(refund: Values, order: Values) -> Iterator[Line]:
    """Give what was given back: none for a refund of shipping, or of an amount that no goods explain."""
    known = {item["id"]: item for item in order["line_items"]}
    for given_back in refund["refund_line_items"]:
        item = known.get(given_back["line_item_id"]) or given_back["line_item"]
        if item is not None:
            (line,) = read_lines([item])
            quantity = line.quantity if given_back["quantity"] is None else given_back["quantity"]
            yield replace(line, quantity=quantity, total=shop_amount(given_back, "subtotal"))
