"""WooCommerce's bodies, rendered from the movements of an order, in the four shapes that shops still send."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.ledger.books import DIGITS, NOTHING, Cause, Life, What
from tests.support.ledger.shopify import Moment

_SOLD = (Cause.SALE, Cause.EDIT)
_LEGACY_NAMES = {
    "date_created_gmt": "created_at",
    "date_modified_gmt": "updated_at",
    "number": "order_number",
    "billing": "billing_address",
    "discount_total": "total_discount",
    "shipping_total": "total_shipping",
}


def order(life: Life, step: int, late_s: int = 0) -> dict[str, Any]:
    """Render an order; ``late_s`` is how many seconds later it was saved once more without a change."""
    now = Moment(life, step)
    body = _body(now, late_s)
    if now.version == "legacy":
        return {"order": _legacy(body)}
    if now.version == "v1":
        return {key: value for key, value in body.items() if not key.endswith("_gmt") and key != "meta_data"}
    return body


def _body(now: Moment, late_s: int) -> dict[str, Any]:
    life, state = now.life, now.state
    sold = now.sum(causes=_SOLD)
    return {
        "id": life.id,
        "parent_id": 0,
        "number": str(life.id),
        "order_key": f"wc_order_{life.id}",
        "created_via": "checkout",
        "version": "9.9.5",
        "status": "trash" if state.get("trashed") else state["status"],
        "currency": life.currency,
        **_date(now, "created", state["placed"]),
        **_date(now, "modified", datetime.fromtimestamp(now.at.timestamp() + late_s, UTC)),
        **_date(now, "paid", state.get("paid")),
        "total": now.text(sold),
        "total_tax": now.text(now.sum(What.TAX, What.SHIPPING_TAX, causes=_SOLD)),
        "discount_total": now.text(-now.sum(What.DISCOUNT, causes=_SOLD)),
        "shipping_total": now.text(now.sum(What.SHIPPING, causes=_SOLD)),
        "prices_include_tax": life.number % 2 == 0,  # totals of lines are without tax either way
        "customer_id": life.account or 0,
        "billing": {"first_name": "Kim", "last_name": "Buyer", "email": life.email or "", "country": "PL"},
        "shipping": {"first_name": "", "last_name": "", "country": ""},
        "payment_method": "bacs",
        "payment_method_title": "Bank &ndash; transfer",
        "customer_note": "",
        "line_items": [_line(now, index) for index in range(len(life.lines)) if _is_listed(now, index)],
        "shipping_lines": [{"method_title": "Parcel", "total": now.text(now.sum(What.SHIPPING, causes=_SOLD))}],
        "fee_lines": [{"name": "Tip", "total": now.text(now.sum(What.TIP, causes=_SOLD))}],
        "coupon_lines": [],
        "refunds": _refunds(now),
        "meta_data": [{"id": 1, "key": "_plugin", "value": {"any": ["thing"]}}],
        "currency_symbol": "¤",
    }


def _is_listed(now: Moment, index: int) -> bool:
    return now.pieces(index, ordered=True) > 0 and not now.life.lines[index].is_tip


def _date(now: Moment, name: str, at: datetime | None) -> dict[str, str | None]:
    """Write a date twice: the shop's wall time, and UTC that does not say so."""
    if at is None:
        return {f"date_{name}": None, f"date_{name}_gmt": None}
    local = at.astimezone(ZoneInfo(now.life.shop.zone))
    return {f"date_{name}": _naive(local), f"date_{name}_gmt": _naive(at.astimezone(UTC))}


def _naive(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


def _line(now: Moment, index: int) -> dict[str, Any]:
    line = now.life.lines[index]
    quantity = now.pieces(index, ordered=True)
    total = now.sum(What.GOODS, What.DISCOUNT, causes=_SOLD, line=index)
    return {
        "id": line.id,
        "name": line.title,
        "product_id": line.product_id or 0,
        "variation_id": line.variant_id or 0,
        "quantity": quantity,
        "subtotal": now.text(now.sum(What.GOODS, causes=_SOLD, line=index)),
        "total": now.text(total),
        "total_tax": now.text(now.sum(What.TAX, causes=_SOLD, line=index)),
        "sku": line.sku,
        "price": float(total) / quantity,  # with all the noise of a float
        "meta_data": [],
    }


def _refunds(now: Moment) -> list[dict[str, Any]]:
    """List the refunds, newest first, with nothing but an amount below zero."""
    amounts: dict[str, Decimal] = {}
    for move in now.moves:
        if move.cause is Cause.REFUND:
            amounts[move.ref] = amounts.get(move.ref, NOTHING) + move.amount
    word = "refund" if now.version in ("v1", "v2") else "reason"
    listed = [{"id": int(ref), word: "", "total": now.text(amount)} for ref, amount in amounts.items() if amount]
    if now.state.get("empty_refund"):
        listed.insert(0, {"id": 0, word: "", "total": f"-{0:.{DIGITS[now.life.currency]}f}"})
    return listed[::-1]


def _legacy(body: dict[str, Any]) -> dict[str, Any]:
    """Give the shape of the legacy API: other names, times that say Z, and nothing of refunds or payment dates."""
    renamed = {_LEGACY_NAMES.get(key, key): value for key, value in body.items() if key not in _NOT_LEGACY}
    for name in ("created_at", "updated_at"):
        renamed[name] += "Z"
    renamed["payment_details"] = {"method_id": "bacs", "method_title": "Bank", "paid": body["date_paid"] is not None}
    renamed["customer"] = {"id": body["customer_id"], "email": body["billing"]["email"]}
    return renamed


_NOT_LEGACY = frozenset(
    {"refunds", "meta_data", "date_created", "date_modified", "date_paid", "date_paid_gmt", "payment_method"}
    | {"payment_method_title", "customer_note", "parent_id", "version", "created_via"}
)


def bodies(life: Life, step: int, topic: str) -> list[dict[str, Any]]:
    """Give the bodies that one topic sends at a step: often several updates for one change."""
    if topic == "order.deleted":
        return [{"id": life.id}]
    if topic == "order.updated":
        return [order(life, step, late_s) for late_s in range(1 + life.number % 3)]
    return [order(life, step)]
