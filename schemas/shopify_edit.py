"""What Shopify's orders amount to once they were edited: lines added or taken away, exchanges among them.

``total_price`` stays what it was when the order was placed. ``current_total_price`` follows edits, but refunds too, so
it can only be used where something else than it tells that the order was edited: the edit's own delivery, a line with
fewer pieces than its refunds explain, or more lines than the subtotal of the beginning is made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from relay.changes import Piece
from relay.commerce import Line, ResourceKind
from relay.errors import PayloadInvalid
from relay.shops import Shop
from schemas.fields import Id, LenientSchema, NestedObject, Values, load
from schemas.shopify_line import is_tip, read_lines, shop_amount
from schemas.shopify_refund import money_back

EDITS = "order_edits"
"""The key under which edits stand in an order's body. Shopify has none: they only arrive by themselves."""

# Parts of one happening carry dates a little apart: what a cancellation takes off the order is booked as a refund just
# before the order counts as cancelled, and a refund just before or after the order counts as changed.
_A_MOMENT = timedelta(minutes=1)
_SHIPPING = "shipping_refund"
_NOTHING = Decimal(0)


class EditSchema(LenientSchema):
    """An edit. It names lines and by how many pieces each changed, but no prices."""

    id = Id(required=True)
    order_id = Id(required=True)


class EditDeliverySchema(LenientSchema):
    """The only body of Shopify's that wraps its resource."""

    order_edit = NestedObject(EditSchema)


_EDIT_DELIVERY = EditDeliverySchema()


def read_edit(body: Any, shop: Shop) -> Piece:
    """Read the body of orders/edited; raises PayloadInvalid."""
    edit = load(_EDIT_DELIVERY, body)["order_edit"]
    if edit is None:
        raise PayloadInvalid("The body does not fit its topic. order_edit: Missing or empty.")
    return Piece(ResourceKind.ORDER, edit["order_id"], EDITS, edit["id"], body["order_edit"])


def ordered(order: Values, *, refunds_known: bool) -> tuple[Decimal | None, tuple[Line, ...]]:
    """Give the total and the lines of what was ordered, edits included and refunds not taken off.

    ``refunds_known`` tells whether the body says which refunds there are; without that its lines prove nothing.
    """
    now, as_placed = shop_amount(order, "current_total_price"), read_lines(order["line_items"])
    refunds = [refund for refund in order["refunds"] if _is_told(refund, order)]
    if now is not None and (order[EDITS] or (refunds_known and _shows_edit(order, as_placed, refunds))):
        undone = [refund for refund in refunds if _worth(refund, order)]
        lines = _edited_lines(order, as_placed, undone)
        # A cancelled order of which nothing is left need not have been edited at all.
        if lines or order["cancelled_at"] is None:
            total = sum((_worth(refund, order) for refund in undone), now)
            return total, lines or as_placed
    return shop_amount(order, "total_price"), as_placed


def _is_told(refund: Values, order: Values) -> bool:
    """Tell whether what is called ``current_...`` knows of a refund; one that arrived by itself can be younger."""
    at, changed_at = refund["created_at"] or refund["processed_at"], order["updated_at"]
    return not refund["arrived_alone"] or at is None or changed_at is None or at <= changed_at + _A_MOMENT


def _worth(refund: Values, order: Values) -> Decimal:
    """Give by how much a refund undid the order.

    Goods taken off without money are an edit or an exchange, unless the order was cancelled at that time.
    """
    money = money_back(refund, order)
    at, cancelled_at = refund["processed_at"] or refund["created_at"], order["cancelled_at"]
    if money or at is None or cancelled_at is None or at < cancelled_at - _A_MOMENT:
        return money
    shipping = [one for one in refund["order_adjustments"] if one["kind"] == _SHIPPING]
    return (
        _sum(refund["refund_line_items"], "subtotal")
        + (_NOTHING if order["taxes_included"] else _sum(refund["refund_line_items"], "total_tax"))
        - (_sum(shipping, "amount") + _sum(shipping, "tax_amount"))  # always apart from each other, and below zero
    )


def _edited_lines(order: Values, as_placed: Sequence[Line], undone: Sequence[Values]) -> tuple[Line, ...]:
    given_back = _pieces(undone)
    lines = (
        line if item["current_quantity"] is None else _with(line, item["current_quantity"] + given_back[item["id"]])
        for item, line in zip(order["line_items"], as_placed, strict=True)
    )
    return tuple(line for line in lines if line.quantity > 0)


def _with(line: Line, quantity: Decimal) -> Line:
    """Give a line with another quantity, its total in proportion: the discount goes with the pieces."""
    if quantity == line.quantity or not line.quantity:
        return line
    total = line.total and (line.total * quantity / line.quantity).quantize(line.total, ROUND_HALF_UP)
    return replace(line, quantity=quantity, total=total)


def _shows_edit(order: Values, as_placed: Sequence[Line], refunds: Sequence[Values]) -> bool:
    given_back = _pieces(refunds)
    lines = zip(order["line_items"], as_placed, strict=True)
    left = ((item["current_quantity"], line.quantity - given_back[item["id"]]) for item, line in lines)
    has_less = any(now is not None and now < unreturned for now, unreturned in left)
    return has_less or _shows_addition(order, as_placed, refunds)


def _shows_addition(order: Values, as_placed: Sequence[Line], refunds: Sequence[Values]) -> bool:
    """Tell whether the lines are more than the subtotal at creation, and make the one of today.

    The second half keeps out orders whose amounts do not add up for another reason.
    """
    before, today = shop_amount(order, "subtotal_price"), shop_amount(order, "current_subtotal_price")
    totals = [line.total for item, line in zip(order["line_items"], as_placed, strict=True) if not is_tip(item)]
    if before is None or today is None or None in totals:
        return False
    total = sum((each or _NOTHING for each in totals), _NOTHING)
    given_back = sum((_sum(refund["refund_line_items"], "subtotal") for refund in refunds), _NOTHING)
    return total > before and total - given_back == today


def _pieces(refunds: Iterable[Values]) -> defaultdict[str, Decimal]:
    """Count the pieces that were given back, by line."""
    counts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for refund in refunds:
        for given_back in refund["refund_line_items"]:
            counts[given_back["line_item_id"]] += given_back["quantity"] or 0
    return counts


def _sum(items: Iterable[Values], name: str) -> Decimal:
    return sum((shop_amount(item, name) or _NOTHING for item in items), _NOTHING)
