"""Shopify's bodies, rendered from the movements of an order: what each API version says of them, and no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.ledger.books import CENTS, DIGITS, NOTHING, Cause, Life, Movement, What

_GOODS = (What.GOODS, What.DISCOUNT)
_TAXES = (What.TAX, What.SHIPPING_TAX)
_RATES = {"EUR": Decimal("1.1"), "JPY": Decimal("0.0066"), "KWD": Decimal("3.25")}  # dollars for one of the shop's own


class Moment:
    """An order as the shop sees it after one of its steps."""

    def __init__(self, life: Life, step: int) -> None:
        self.life = life
        self.at = life.steps[step].at
        self.state = life.steps[step].state
        self.moves = [move for move in life.movements if move.step <= step]
        is_new = life.steps[step].at >= life.version_changes_at
        self.version = life.version[1] if is_new else life.version[0]

    def sum(self, *whats: What, causes: Iterable[Cause] = Cause, line: int | None = None) -> Decimal:
        """Add up movements; without ``whats`` all of them."""
        wanted = set(causes)
        found = (
            move.amount
            for move in self.moves
            if move.cause in wanted and (not whats or move.what in whats) and line in (None, move.line)
        )
        return sum(found, NOTHING)

    def pieces(self, line: int, *, ordered: bool) -> int:
        """Count the pieces of a line that were ever ordered, or that are left."""
        found = (move.pieces for move in self.moves if move.line == line)
        return sum(each for each in found if each > 0 or not ordered)

    def time(self, at: datetime | None) -> str | None:
        """Write a time the way Shopify does, in the shop's zone."""
        return at and at.astimezone(ZoneInfo(self.life.shop.zone)).isoformat(timespec="seconds")

    def text(self, amount: Decimal) -> str:
        """Write an amount with the decimals of the order's currency."""
        return f"{amount:.{DIGITS[self.life.currency]}f}"

    @property
    def shown_in(self) -> str:
        """The buyer's currency: dollars for every fourth order."""
        return self.life.currency if self.life.number % 4 else "USD"

    def both(self, amount: Decimal) -> dict[str, Any]:
        """Write an amount in the shop's currency and in the buyer's."""
        shop = {"amount": self.text(amount), "currency_code": self.life.currency}
        if self.shown_in == self.life.currency:
            return {"shop_money": shop, "presentment_money": shop}
        dollars = (amount * _RATES[self.life.currency]).quantize(CENTS, ROUND_HALF_UP)
        return {"shop_money": shop, "presentment_money": {"amount": f"{dollars:.2f}", "currency_code": "USD"}}


def order(life: Life, step: int) -> dict[str, Any]:
    """Render the body of orders/create, orders/updated and the like."""
    now = Moment(life, step)
    state, sale = now.state, (Cause.SALE,)
    body: dict[str, Any] = {
        "id": life.id,
        "name": f"#{life.number}",
        "order_number": life.number,
        "email": life.email or "",
        "contact_email": life.email,
        "token": f"t{life.id:031d}",
        "checkout_token": f"{life.id:032d}" if state.get("token") else None,
        "cart_token": None,
        "created_at": now.time(state["placed"]),
        "processed_at": now.time(state["placed"]),
        "updated_at": now.time(now.at),
        "cancelled_at": now.time(state.get("cancelled")),
        # Set on orders that stand, too.
        "cancel_reason": "other" if life.number % 9 == 0 or state.get("cancelled") else None,
        "financial_status": state["status"],
        "fulfillment_status": None,
        "currency": life.currency,
        "presentment_currency": now.shown_in,
        "taxes_included": life.shop.taxes_included,
        "test": state.get("test", False),
        "total_price": now.text(now.sum(causes=sale)),
        "subtotal_price": now.text(now.sum(*_GOODS, causes=sale)),
        "total_tax": now.text(now.sum(*_TAXES, causes=sale)),
        "total_discounts": now.text(-now.sum(What.DISCOUNT, causes=sale)),
        "total_tip_received": now.text(now.sum(What.TIP, causes=sale)),
        "total_price_set": now.both(now.sum(causes=sale)),
        "total_shipping_price_set": now.both(now.sum(What.SHIPPING, causes=sale)),
        "customer": _customer(life),
        "line_items": [_line(now, index) for index in range(len(life.lines)) if now.pieces(index, ordered=True)],
        "shipping_lines": [{"id": 1, "title": "Parcel", "price": now.text(now.sum(What.SHIPPING, causes=sale))}],
        "discount_codes": [],
        "payment_gateway_names": ["gift_card", "shopify_payments"] if life.number % 7 == 0 else ["shopify_payments"],
        "source_name": "web",
        "tags": "",
        "note": None,
        "refunds": refunds(now),
    }
    if now.version >= "2023-07":
        body["current_total_price"] = now.text(now.sum())
        body["current_total_price_set"] = now.both(now.sum())
        body["current_subtotal_price"] = now.text(now.sum(*_GOODS))
    if now.version < "2026-04":
        body["checkout_id"] = life.id + 7
    return body


def _customer(life: Life) -> dict[str, Any] | None:
    if life.account is None:
        return None
    return {"id": life.account, "email": life.email, "first_name": "Kim", "last_name": f"Buyer {life.account}"}


def _line(now: Moment, index: int) -> dict[str, Any]:
    line = now.life.lines[index]
    off = -sum((move.amount for move in now.moves if move.what is What.DISCOUNT and _is_given(move, index)), NOTHING)
    body = {
        "id": line.id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "title": line.title,
        "name": line.title,
        "price": now.text(line.price),
        "price_set": now.both(line.price),
        "quantity": now.pieces(index, ordered=True),
        "total_discount": now.text(NOTHING),
        "discount_allocations": [{"amount": now.text(off), "amount_set": now.both(off)}] if off else [],
        "gift_card": line.is_gift_card,
        "properties": [],
    }
    if line.is_tip:
        body["tip_payment_gateway"] = None
    if now.version >= "2024-01":
        body["current_quantity"] = now.pieces(index, ordered=False)
    return body


def _is_given(move: Movement, index: int) -> bool:
    """Tell whether a movement is a discount given on a line, not one that goes with pieces taken off it."""
    return move.line == index and move.amount < 0


def refunds(now: Moment) -> list[dict[str, Any]]:
    """Render what Shopify calls refunds: of money, of goods, and what edits and cancellations take off an order."""
    booked: dict[str, list[Movement]] = {}
    as_refunds = {ref for ref, is_refund in now.state.get("edits", ()) if is_refund}
    for move in now.moves:
        removes = move.cause is Cause.EDIT and move.ref in as_refunds and _takes_away(now, move)
        if move.ref and (move.cause in (Cause.REFUND, Cause.RESTOCK, Cause.UNDOING) or removes):
            booked.setdefault(move.ref, []).append(move)
    listed = [_refund(now, ref, moves) for ref, moves in booked.items()]
    if attempt := now.state.get("attempt"):
        ref, amount, status = attempt
        body = _frame(now, ref, now.at)
        body["order_adjustments"] = [_adjustment(now, "refund_discrepancy", -amount, NOTHING)]
        listed.append(body | {"transactions": _transactions(now, body, amount, status)})
    return listed


def _takes_away(now: Moment, move: Movement) -> bool:
    """Tell whether a movement of an edit belongs to what it took away."""
    same = [each for each in now.moves if each.ref == move.ref and each.line == move.line]
    return any(each.pieces < 0 for each in same)


def _refund(now: Moment, ref: str, moves: list[Movement]) -> dict[str, Any]:
    body = _frame(now, ref, now.life.steps[moves[0].step].at)
    lines = sorted({move.line for move in moves if move.line is not None and move.pieces})
    body["refund_line_items"] = [_refund_line(now, index, moves) for index in lines]
    shipping = sum((move.amount for move in moves if move.what is What.SHIPPING), NOTHING)
    tax = sum((move.amount for move in moves if move.what is What.SHIPPING_TAX), NOTHING)
    if now.life.shop.taxes_included:
        tax = _tax_in(now, shipping)
        shipping -= tax
    other = sum((move.amount for move in moves if move.what is What.MONEY), NOTHING)
    for kind, amount, tax_amount in (("shipping_refund", shipping, tax), ("refund_discrepancy", other, NOTHING)):
        if amount:
            body["order_adjustments"].append(_adjustment(now, kind, amount, tax_amount))
    paid = -sum((move.amount for move in moves if move.cause is Cause.REFUND), NOTHING)
    return body | {"transactions": _transactions(now, body, paid, "success")}


def _refund_line(now: Moment, index: int, moves: list[Movement]) -> dict[str, Any]:
    def part(*whats: What) -> Decimal:
        return -sum((move.amount for move in moves if move.line == index and move.what in whats), NOTHING)

    subtotal = part(*_GOODS, What.TIP)
    tax = part(What.TAX)
    if now.life.shop.taxes_included:  # said for information; the subtotal holds it
        tax = _tax_in(now, subtotal)
    return {
        "id": now.life.lines[index].id + 900_000,
        "line_item_id": now.life.lines[index].id,
        "line_item": _line(now, index),
        "quantity": -sum(move.pieces for move in moves if move.line == index),
        "restock_type": "return",
        "subtotal": float(subtotal),  # numbers here, texts everywhere else
        "total_tax": float(tax),
        "subtotal_set": now.both(subtotal),
        "total_tax_set": now.both(tax),
    }


def _tax_in(now: Moment, amount: Decimal) -> Decimal:
    percent = now.life.shop.tax_percent
    return (amount * percent / (100 + percent)).quantize(now.life.unit, ROUND_HALF_UP)


def _adjustment(now: Moment, kind: str, amount: Decimal, tax: Decimal) -> dict[str, Any]:
    return {
        "id": now.life.id + 3,
        "kind": kind,
        "amount": now.text(amount),
        "tax_amount": now.text(tax),
        "amount_set": now.both(amount),
        "tax_amount_set": now.both(tax),
    }


def _frame(now: Moment, ref: str, at: datetime) -> dict[str, Any]:
    at = now.state.get("begun", {}).get(ref, at)
    return {
        "id": int(ref),
        "created_at": now.time(at),
        "processed_at": now.time(at),
        "note": None,
        "restock": True,
        "transactions": [],
        "refund_line_items": [],
        "order_adjustments": [],
    }


def _transactions(now: Moment, body: dict[str, Any], amount: Decimal, status: str) -> list[dict[str, Any]]:
    """Render how the money of a refund goes back: two ways where a part goes to a gift card.

    To half of the buyers who paid in dollars it goes back in dollars: as many as the refund's parts come to in them.
    """
    if not amount:
        return []
    text, currency, small = now.text(amount), now.life.currency, 3 * now.life.unit
    if now.life.number % 8 == 0:
        amount = _shown(now, body)
        text, currency, small = f"{amount:.2f}", "USD", CENTS
    texts = [text]
    if now.life.number % 7 == 0 and amount > small:
        texts = [str(small), str(amount - small)]
    common = {"kind": "refund", "gateway": "shopify_payments", "status": status, "currency": currency}
    unsettled = {"shop_money": {"amount": "0.0", "currency": now.life.currency}}
    return [
        {"id": body["id"] + place, "amount": one, "total_unsettled_set": unsettled} | common
        for place, one in enumerate(texts, start=5)
    ]


def _shown(now: Moment, body: dict[str, Any]) -> Decimal:
    """Add up what the parts of a refund come to in the buyer's currency."""
    names = ("subtotal_set",) if now.life.shop.taxes_included else ("subtotal_set", "total_tax_set")
    goods = [line[name] for line in body["refund_line_items"] for name in names]
    others = [one[name] for one in body["order_adjustments"] for name in ("amount_set", "tax_amount_set")]
    return _dollars(goods) - _dollars(others)


def _dollars(sets: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(each["presentment_money"]["amount"]) for each in sets), NOTHING)


def checkout(life: Life, step: int) -> dict[str, Any]:
    """Render a checkout; one that became an order is completed."""
    now = Moment(life, step)
    is_order = "placed" in now.state
    body = {
        "token": f"{life.id:032d}",
        "cart_token": None,
        "email": life.email,
        "created_at": now.time(life.steps[0].at),
        "updated_at": now.time(now.at),
        "completed_at": now.time(now.at) if is_order else None,
        "currency": life.currency,
        "presentment_currency": life.currency,
        "total_price": now.text(now.sum()),
        "line_items": [
            {
                "key": f"{line.id}",
                "product_id": line.product_id,
                "variant_id": line.variant_id,
                "title": line.title,
                "quantity": now.pieces(index, ordered=True),
                "price": now.text(line.price),
                "line_price": now.text(line.price * now.pieces(index, ordered=True)),
            }
            for index, line in enumerate(life.lines)
        ],
        "abandoned_checkout_url": "https://shop.example/recover",
    }
    return body if now.version >= "2026-04" else {"id": life.id + 7} | body


def bodies(life: Life, step: int, topic: str) -> list[dict[str, Any]]:
    """Give the bodies that one topic sends at a step."""
    if topic.startswith("checkouts/"):
        return [checkout(life, step)]
    if topic == "orders/delete":
        return [{"id": life.id}]
    if topic == "orders/edited":
        ref, _ = life.steps[step].state["edits"][-1]
        lines = {"additions": [], "removals": []}
        return [{"order_edit": {"id": int(ref), "order_id": life.id, "notify_customer": False, "line_items": lines}}]
    if topic == "refunds/create":
        known = {each["id"] for each in refunds(Moment(life, step - 1))}
        return [each | {"order_id": life.id} for each in refunds(Moment(life, step)) if each["id"] not in known]
    return [order(life, step)]
