"""Random lives of a shop: what it sends while accounts, orders and checkouts come and change, as hypothesis draws it.

An account's sales carry the address the account has at the time, or none. Guests have addresses of their own; in
``shared`` lives they also use those of the account, which then may turn out to be one person after both have a card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.support import shopify, woocommerce
from tests.support.lives import (
    START,
    Life,
    Step,
    shopify_account,
    shopify_checkout,
    shopify_lines,
    shopify_order,
    shopify_person,
    shopify_refund,
    step,
    woo_account,
    woo_billing,
    woo_lines,
    woo_order,
    woo_refunds,
    woo_time,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]

ADDRESSES = ("Ola.Nowak@example.com", "ola@work.example", "o.nowak@post.example")
GUESTS = ("guest.one@example.com", "Guest.Two@example.com")
PHONES = st.sampled_from(["", "+48500000001", "+48500000002", "+48500000003"])
STREETS = st.sampled_from(["", "Polna 1", "Leśna 2"])
# A deletion has no date but that of its delivery, so what happens until then cannot be told from what was before it.
DELETED = timedelta(minutes=1)
AMOUNTS = st.sampled_from(["1.00", "12.345", "19.99", "70.00"])


class _Shop:
    """What every random shop has: a clock, an account that can change its address, and what it has sent."""

    def __init__(self, draw: Draw, *, shared: bool) -> None:
        self.draw = draw
        self.shared = shared
        self.guests = (*GUESTS, *ADDRESSES) if shared else GUESTS
        self.is_stated = False  # whether the account itself has told its address
        self.now = START
        self.sent: list[Step] = []
        self.address = ADDRESSES[0]
        self.has_account = True  # until it is deleted; what the person buys then, they buy as a guest
        self.orders: dict[int, dict[str, Any]] = {}

    def own_address(self) -> str:
        """Give the address that a sale of the account carries.

        One that only sales carry would stand for the account until that speaks; then guests who have it are another
        person or the same, depending on who comes first.
        """
        return self.address if self.is_stated or not self.shared else ""

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def later(self) -> datetime:
        """Let time pass, or none at all: shops date what they send in whole seconds."""
        self.now += timedelta(seconds=self.pick(0, 1, 60, 3600))
        return self.now

    def send(self, topic: str, body: dict[str, Any]) -> None:
        self.sent.append(step(topic, body, self.now))

    def live(self, first: Sequence[Callable[[], None]], moves: Sequence[Callable[[], None]], most: int) -> None:
        self.pick(*first)()
        for _ in range(self.draw(st.integers(1, most))):
            self.later()
            self.pick(*first, *moves)()


class _WooShop(_Shop):
    """A WooCommerce shop."""

    def account(self) -> None:
        if not self.has_account:
            return
        self.address, self.is_stated = self.pick(self.address, *ADDRESSES), True
        billing = woo_billing(email=self.address, phone=self.draw(PHONES), address_1=self.draw(STREETS))
        self.send(
            self.pick("customer.created", "customer.updated"), woo_account(self.now, self.address, billing=billing)
        )

    def deleted_account(self) -> None:
        if self.has_account:
            self.has_account = False
            self.send("customer.deleted", {"id": 31})
            self.now += DELETED

    def new_order(self) -> None:
        number = 1500 + len(self.orders)
        by_account = self.pick(True, False)
        self.orders[number] = {
            "id": number,
            "number": str(number),
            "customer_id": 31 if by_account and self.has_account else 0,
            "billing": woo_billing(email=self.own_address() if by_account else self.pick("", *self.guests)),
            "date_created_gmt": woo_time(self.now),
        }
        self._send(number, self.pick("checkout-draft", "pending", "on-hold", "processing", "shipped"))

    def change(self) -> None:
        if self.orders:
            number = self.pick(*self.orders)
            self._send(
                number, self.pick("pending", "on-hold", "processing", "completed", "cancelled", "refunded", "failed")
            )

    def correct(self) -> None:
        """Change what an order says about its buyer, or what was bought."""
        if self.orders:
            number = self.pick(*self.orders)
            order = self.orders[number]
            email = order["billing"]["email"] or (self.pick("", *GUESTS) if not order["customer_id"] else "")
            order["billing"] = woo_billing(email=email, phone=self.draw(PHONES), address_1=self.draw(STREETS))
            order["line_items"] = woo_lines(self.pick(1, 2), 1)
            order["total"] = self.pick("70.00", "35.00", "47.505")
            self._send(number, order["status"])

    def refund(self) -> None:
        """Give money back, or take the newest refund back."""
        if self.orders:
            number = self.pick(*self.orders)
            order = self.orders[number]
            refunds = list(order.get("refunds", ()))
            taken = refunds[1:] if refunds and self.pick(True, False) else None
            newer = woo_refunds((number * 10 + len(refunds) + 1, self.draw(AMOUNTS)))
            order["refunds"] = [*newer, *refunds] if taken is None else taken
            self._send(number, order["status"])

    def delete(self) -> None:
        if self.orders:
            self.send("order.deleted", {"id": self.pick(*self.orders)})

    def trash_or_restore(self) -> None:
        if self.orders:
            number = self.pick(*self.orders)
            if self.pick(True, False):
                self.send("order.updated", woo_order(self.now, "trash", **_without(self.orders[number], "status")))
            else:
                self.send("order.restored", woo_order(self.now, **self.orders[number]))

    def _send(self, number: int, status: str) -> None:
        order = self.orders[number]
        order["status"] = status
        if status in ("processing", "completed") and self.pick(True, False):
            order.setdefault("date_paid_gmt", woo_time(self.now))
        self.send(self.pick("order.created", "order.updated"), woo_order(self.now, **order))


class _ShopifyShop(_Shop):
    """A Shopify shop."""

    def account(self) -> None:
        if not self.has_account:
            return
        self.address, self.is_stated = self.pick(self.address, *ADDRESSES), True
        consent = {"state": self.pick("subscribed", "unsubscribed"), "consent_updated_at": self.now.isoformat()}
        said = self.pick({}, {"email_marketing_consent": consent}, {"sms_marketing_consent": consent})
        self.send("customers/update", shopify_account(self.now, self.address, phone=self.draw(PHONES), **said))

    def deleted_account(self) -> None:
        if self.has_account:
            self.has_account = False
            self.send("customers/delete", {"id": 7200000000009})
            self.now += DELETED

    def checkout(self) -> None:
        lines = shopify_lines(*self.pick((1,), (1, 2), ()))
        changes = {"completed_at": self.pick(None, None, self.now.isoformat())}
        buyer = self._buyer(True)
        self.send(
            "checkouts/update", shopify_checkout(self.now, token=self._token(), line_items=lines, **buyer, **changes)
        )

    def new_order(self) -> None:
        number = 6100000000100 + len(self.orders)
        self.orders[number] = {
            "id": number,
            "name": f"#{number % 1000}",
            "created_at": self.now.isoformat(),
            "processed_at": self.now.isoformat(),
            "checkout_token": self.pick(None, self._token()),
            **self._buyer(self.pick(True, False)),
        }
        self.change()

    def change(self) -> None:
        if self.orders:
            order = self.orders[self.pick(*self.orders)]
            order["financial_status"] = self.pick(
                "pending", "authorized", "paid", "partially_refunded", "voided", "refunded"
            )
            self._send(order)

    def correct(self) -> None:
        if self.orders:
            order = self.orders[self.pick(*self.orders)]
            order["phone"] = self.draw(PHONES)
            order["note"] = self.pick("", "Ring twice.")
            self._send(order)

    def refund(self) -> None:
        if self.orders:
            order = self.orders[self.pick(*self.orders)]
            refunds = order.get("refunds", [])
            refund = shopify_refund(order["id"] * 10 + len(refunds), self.draw(AMOUNTS), self.now)
            order["refunds"] = [*refunds, refund]
            self._send(order)

    def cancel_or_reopen(self) -> None:
        if self.orders:
            order = self.orders[self.pick(*self.orders)]
            order["cancelled_at"] = None if order.get("cancelled_at") else self.now.isoformat()
            self._send(order)

    def _token(self) -> str:
        """Give the token of the one checkout there is at a time."""
        return f"5f1c0de000000000000000000000007{int(self.has_account)}"

    def _buyer(self, by_account: bool) -> dict[str, Any]:
        if not by_account:
            guest = self.pick("", *self.guests)
            return {"customer": None, "email": guest, "contact_email": guest or None}
        if not self.has_account:
            return {"customer": None, "email": self.address, "contact_email": self.address}
        email = self.pick(self.own_address() or None, None)
        return {"customer": shopify_person(email, self.draw(PHONES)), "email": email or "", "contact_email": email}

    def _send(self, order: dict[str, Any]) -> None:
        self.send(self.pick("orders/create", "orders/updated", "orders/paid"), shopify_order(self.now, **order))


@st.composite
def woo_lives(draw: Draw, most: int = 10, *, shared: bool = False) -> Life:
    """Draw a life of a WooCommerce shop."""
    shop = _WooShop(draw, shared=shared)
    moves = [shop.change, shop.correct, shop.refund, shop.delete, shop.trash_or_restore, shop.deleted_account]
    shop.live([shop.account, shop.new_order], moves, most)
    return Life(woocommerce.a_shop(**_settings(draw)), tuple(shop.sent))


@st.composite
def shopify_lives(draw: Draw, most: int = 10, *, shared: bool = False) -> Life:
    """Draw a life of a Shopify shop."""
    shop = _ShopifyShop(draw, shared=shared)
    moves = [shop.change, shop.correct, shop.refund, shop.cancel_or_reopen, shop.deleted_account]
    shop.live([shop.account, shop.checkout, shop.new_order], moves, most)
    return Life(shopify.a_shop(**_settings(draw)), tuple(shop.sent))


def _settings(draw: Draw) -> dict[str, Any]:
    return {
        "purchase_when": draw(st.sampled_from(["placed", "paid"])),
        "on_customer_delete": draw(st.sampled_from(["ignore", "opt_out", "delete"])),
        "cart_after": timedelta(0),
    }


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}
