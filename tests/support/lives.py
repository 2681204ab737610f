"""Lives of an order, as data: what each platform sends while somebody shops, pays, gets money back and cancels.

The bodies have the documented shape of each platform, reduced to what the relay reads. All people are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from relay import jsontext
from relay.shops import Shop
from tests.support import shopify, woocommerce

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    """One delivery."""

    topic: str
    body: bytes
    at: datetime  # when it was sent


@dataclass(frozen=True)
class Life:
    """A shop and what it sends about one order, in the order in which it happened; the cart comes first."""

    shop: Shop
    steps: tuple[Step, ...]


def after(minutes: float) -> datetime:
    """Give a moment of the lives."""
    return START + timedelta(minutes=minutes)


def step(topic: str, body: dict[str, Any], at: datetime) -> Step:
    """Give a delivery that was sent some seconds after what it tells."""
    return Step(topic, jsontext.dumps(body).encode(), at + timedelta(seconds=5))


# Shopify


def shopify_person(email: str | None = "Maja.Lund@example.com", phone: str | None = "+46700000001") -> dict[str, Any]:
    """Give the customer as orders and checkouts have it since 2025-01: without consent and tags."""
    return {
        "id": 7200000000009,
        "email": email,
        "phone": phone,
        "first_name": "Maja",
        "last_name": "Lund",
        "default_address": {"address1": "Hamngatan 1", "city": "Visby", "zip": "62156", "country_code": "SE"},
    }


def shopify_lines(*quantities: int) -> list[dict[str, Any]]:
    """Give lines of the same two products, a lamp and a mug, in the quantities wanted."""
    goods = ((7700000000001, 4500000000001, "LAMP", "40.00"), (7700000000002, 4500000000002, "MUG", "10.05"))
    return [
        {
            "id": 1500000000001 + place,
            "product_id": product,
            "variant_id": variant,
            "sku": sku,
            "name": sku.title(),
            "quantity": quantity,
            "price": price,
        }
        for place, ((product, variant, sku, price), quantity) in enumerate(zip(goods, quantities, strict=False))
    ]


def shopify_checkout(at: datetime, **changes: Any) -> dict[str, Any]:
    """Give a checkout in progress as it was at a moment."""
    body = {
        "token": "5f1c0de0000000000000000000000077",
        "cart_token": "Z2NwLWV1cm9wZEXAMPLECART0077",
        "email": "Maja.Lund@example.com",
        "customer": shopify_person(),
        "created_at": START.isoformat(),
        "updated_at": at.isoformat(),
        "completed_at": None,
        "currency": "EUR",
        "presentment_currency": "EUR",
        "total_price": "60.10",
        "line_items": shopify_lines(1, 2),
        "abandoned_checkout_url": "https://nordljus.example/1/checkouts/ac/5f1c0de77/recover?key=0",
        "customer_locale": "sv-SE",
    }
    return body | changes


def shopify_order(at: datetime, **changes: Any) -> dict[str, Any]:
    """Give an order as it was at a moment."""
    body = {
        "id": 6100000000077,
        "name": "#1077",
        "token": "d0c0000000000000000000000000077",
        "checkout_token": "5f1c0de0000000000000000000000077",
        "cart_token": "Z2NwLWV1cm9wZEXAMPLECART0077",
        "email": "Maja.Lund@example.com",
        "contact_email": "Maja.Lund@example.com",
        "phone": None,
        "customer": shopify_person(),
        "billing_address": {"first_name": "Maja", "last_name": "Lund", "company": "Lund AB", "phone": "+46700000002"},
        "created_at": after(10).isoformat(),
        "processed_at": after(10).isoformat(),
        "updated_at": at.isoformat(),
        "cancelled_at": None,
        "financial_status": "pending",
        "currency": "EUR",
        "total_price": "60.10",
        "total_tax": "12.02",
        "line_items": shopify_lines(1, 2),
        "refunds": [],
        "shipping_lines": [{"title": "Post", "price": "0.00"}],
        "payment_gateway_names": ["bank_transfer"],
        "customer_locale": "sv-SE",
        "test": False,
    }
    return body | changes


def shopify_refund(refund_id: int, amount: str, at: datetime) -> dict[str, Any]:
    """Give a refund of money as an order lists it."""
    transaction = {"kind": "refund", "status": "success", "amount": amount, "currency": "EUR"}
    dates = {"created_at": at.isoformat(), "processed_at": at.isoformat()}
    return {"id": refund_id, **dates, "note": None, "transactions": [transaction], "refund_line_items": []}


def shopify_account(at: datetime, email: str | None, **changes: Any) -> dict[str, Any]:
    """Give the buyer's account as it was at a moment."""
    return {**shopify_person(email), "created_at": START.isoformat(), "updated_at": at.isoformat(), **changes}


def shopify_life(**settings: Any) -> Life:
    """Checkout, create, paid, partial refund, refund, cancel; a phone number is corrected on the way, then blanked."""
    first, second = (
        shopify_refund(8500000000001, "10.05", after(300)),
        shopify_refund(8500000000002, "20.00", after(400)),
    )
    paid = {"financial_status": "paid", "customer": shopify_person(phone=""), "phone": "+46700000003"}
    refunded = {"financial_status": "partially_refunded", "phone": ""}
    cancelled = {"cancelled_at": after(500).isoformat(), "cancel_reason": "customer"}
    return Life(
        shopify.a_shop(**settings),
        (
            step("checkouts/create", shopify_checkout(after(0)), after(0)),
            step("orders/create", shopify_order(after(10)), after(10)),
            step("orders/paid", shopify_order(after(200), **paid), after(200)),
            step("orders/updated", shopify_order(after(300), refunds=[first], **refunded), after(300)),
            step("orders/updated", shopify_order(after(400), refunds=[first, second], **refunded), after(400)),
            step(
                "orders/cancelled",
                shopify_order(after(500), refunds=[first, second], **cancelled, **refunded),
                after(500),
            ),
        ),
    )


# WooCommerce


def woo_time(at: datetime) -> str:
    """Write a moment the way WooCommerce does."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def woo_billing(**changes: Any) -> dict[str, Any]:
    """Give the buyer."""
    body = {
        "first_name": "Jan",
        "last_name": "Lipa",
        "company": "",
        "address_1": "Rynek 7",
        "address_2": "",
        "city": "Sandomierz",
        "postcode": "27-600",
        "state": "",
        "country": "PL",
        "email": "Jan.Lipa@example.com",
        "phone": "",
    }
    return body | changes


def woo_lines(*quantities: int) -> list[dict[str, Any]]:
    """Give lines of the same two products, a tea and a variation of a soap, in the quantities wanted."""
    goods = ((2010, 0, "LIPA", "Herbata", 20), (2100, 2102, "RUM", "Mydło - Rumianek", 15))
    return [
        {
            "id": 11 + place,
            "name": name,
            "product_id": product,
            "variation_id": variation,
            "sku": sku,
            "quantity": quantity,
            "total": f"{price * quantity}.00",
        }
        for place, ((product, variation, sku, name, price), quantity) in enumerate(zip(goods, quantities, strict=False))
    ]


def woo_order(at: datetime, status: str, **changes: Any) -> dict[str, Any]:
    """Give an order as it was at a moment."""
    body = {
        "id": 1577,
        "number": "1577",
        "order_key": "wc_order_Invented1577",
        "status": status,
        "currency": "PLN",
        "date_created_gmt": woo_time(START),
        "date_modified_gmt": woo_time(at),
        "date_paid_gmt": None,
        "total": "70.00",
        "total_tax": "0.00",
        "shipping_total": "0.00",
        "discount_total": "0.00",
        "customer_id": 0,
        "billing": woo_billing(),
        "shipping": {},
        "line_items": woo_lines(2, 2),
        "shipping_lines": [{"method_title": "Paczkomat"}],
        "coupon_lines": [],
        "refunds": [],
        "payment_method": "bacs",
        "payment_method_title": "Przelew",
        "customer_note": "",
        "created_via": "store-api",
        "meta_data": [],
    }
    return body | changes


def woo_refunds(*refunds: tuple[int, str]) -> list[dict[str, Any]]:
    """Give refunds as an order lists them: the newest first, negative, without a date."""
    return [{"id": refund_id, "reason": "", "total": f"-{amount}"} for refund_id, amount in reversed(refunds)]


def woo_account(at: datetime, email: str, **changes: Any) -> dict[str, Any]:
    """Give the account of the buyer as it was at a moment."""
    body = {
        "id": 31,
        "email": email,
        "role": "customer",
        "first_name": "Jan",
        "last_name": "Lipa",
        "date_created_gmt": woo_time(START),
        "date_modified_gmt": woo_time(at),
        "billing": woo_billing(email=email),
        "shipping": {},
    }
    return body | changes


def woo_life(**settings: Any) -> Life:
    """Checkout, create, paid, partial refund, refund, cancel; the buyer's phone comes, and goes again."""
    paid = {"date_paid_gmt": woo_time(after(200)), "billing": woo_billing(phone="+48500000777")}
    one, two = woo_refunds((1601, "10.00")), woo_refunds((1601, "10.00"), (1602, "25.50"))
    moved = paid | {"billing": woo_billing(phone="", address_1="Rynek 8")}
    draft = woo_order(after(0), "checkout-draft", order_key="", billing=woo_billing(last_name="", address_1=""))
    return Life(
        woocommerce.a_shop(**settings),
        (
            step("order.updated", draft, after(0)),
            step("order.created", woo_order(after(10), "on-hold"), after(10)),
            step("order.updated", woo_order(after(200), "processing", **paid), after(200)),
            step("order.updated", woo_order(after(300), "completed", refunds=one, **paid), after(300)),
            step("order.updated", woo_order(after(400), "completed", refunds=two, **moved), after(400)),
            step("order.updated", woo_order(after(500), "cancelled", refunds=two, **moved), after(500)),
        ),
    )
