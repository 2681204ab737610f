"""The Shopify platform: header names, signature, and which record each topic's body is.

A topic that is neither below nor in ``IGNORED`` is one Shopify added later; the engine ignores it as unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from relay.clock import iso
from relay.commerce import OrderStatus, ResourceKind
from relay.errors import SignatureMismatch
from relay.platforms import Headers, Identity, Platform, Sending, Topic
from relay.shops import Shop
from relay.signatures import sign, verify_hmac
from schemas.shopify import (
    read_checkout,
    read_customer,
    read_customer_deletion,
    read_edit,
    read_email_consent,
    read_level,
    read_merge,
    read_order,
    read_order_deletion,
    read_product,
    read_product_deletion,
    read_refund,
    read_sms_consent,
    read_tags_added,
    read_tags_removed,
)
from schemas.shopify_order import OPEN
from schemas.shopify_privacy import read_customer_redaction, read_data_request, read_shop_redaction
from schemas.text import utc_time

# Shopify's classic webhooks prefix their headers, its newer events do not; one delivery has one of the two families.
_FAMILIES = ("shopify-", "x-shopify-")

# Stands for a missing topic header: the delivery is signed and therefore kept, but nobody can say what it is.
NO_TOPIC = "unknown"

_ORDER = Topic(ResourceKind.ORDER, read_order)
_CHECKOUT = Topic(ResourceKind.CART, read_checkout)
_CUSTOMER = Topic(ResourceKind.CUSTOMER, read_customer)
_PRODUCT = Topic(ResourceKind.PRODUCT, read_product)

# The two topics about fulfilment carry the whole order, so they are one more chance to learn what another delivery
# should have told.
TOPICS = {
    "orders/create": _ORDER,
    "orders/updated": _ORDER,
    "orders/paid": _ORDER,
    "orders/cancelled": _ORDER,
    "orders/fulfilled": _ORDER,
    "orders/partially_fulfilled": _ORDER,
    "orders/edited": Topic(ResourceKind.ORDER, read_edit),
    "orders/delete": Topic(ResourceKind.ORDER, read_order_deletion),
    "refunds/create": Topic(ResourceKind.ORDER, read_refund),
    "checkouts/create": _CHECKOUT,
    "checkouts/update": _CHECKOUT,
    "customers/create": _CUSTOMER,
    "customers/update": _CUSTOMER,
    "customers/delete": Topic(ResourceKind.CUSTOMER, read_customer_deletion),
    "customers/merge": Topic(ResourceKind.CUSTOMER, read_merge),
    "customers_email_marketing_consent/update": Topic(ResourceKind.CUSTOMER, read_email_consent),
    "customers_marketing_consent/update": Topic(ResourceKind.CUSTOMER, read_sms_consent),
    "customer.tags_added": Topic(ResourceKind.CUSTOMER, read_tags_added),
    "customer.tags_removed": Topic(ResourceKind.CUSTOMER, read_tags_removed),
    "products/create": _PRODUCT,
    "products/update": _PRODUCT,
    "products/delete": Topic(ResourceKind.PRODUCT, read_product_deletion),
    "inventory_levels/update": Topic(ResourceKind.INVENTORY, read_level),
    "customers/data_request": Topic(ResourceKind.CUSTOMER, read_data_request),
    "customers/redact": Topic(ResourceKind.CUSTOMER, read_customer_redaction),
    "shop/redact": Topic(ResourceKind.CUSTOMER, read_shop_redaction),
}

_NOT_A_PURCHASE = "a draft order is a quote; the order made from it arrives by itself"
_NO_BUYER = "a cart names no buyer; the checkout made from it does"
_NO_PRODUCTS = "a collection arrives without its products"
_ONE_VARIANT = "products/update carries the whole product"
_ACCOUNT_STATE = "tells about the shop account's login, not about the person"
_SEGMENT = "Shopify's segments have no counterpart in SALESmanago"

IGNORED = {
    "draft_orders/create": _NOT_A_PURCHASE,
    "draft_orders/update": _NOT_A_PURCHASE,
    "draft_orders/delete": _NOT_A_PURCHASE,
    "checkouts/delete": "carries no checkout token, so it names no cart",
    "carts/create": _NO_BUYER,
    "carts/update": _NO_BUYER,
    "customers/enable": _ACCOUNT_STATE,
    "customers/disable": _ACCOUNT_STATE,
    "customers/purchasing_summary": "SALESmanago adds up purchases from their events",
    "customer.joined_segment": _SEGMENT,
    "customer.left_segment": _SEGMENT,
    "variants/in_stock": _ONE_VARIANT,
    "variants/out_of_stock": _ONE_VARIANT,
    "collections/create": _NO_PRODUCTS,
    "collections/update": _NO_PRODUCTS,
    "collections/delete": _NO_PRODUCTS,
    "app/uninstalled": "the address in it is the merchant's, never a contact; the privacy topics tell what to erase",
}

# Every Shopify order was placed, so the worst its payment can do is not arrive. Cancelling is told by a date, not a
# word: an order voided without one still stands.
# Source: shopify.dev, GraphQL enum OrderDisplayFinancialStatus, spelt in lower case by the REST resource.
STATUSES = {
    OPEN: OrderStatus.PLACED,
    "pending": OrderStatus.PLACED,
    "authorized": OrderStatus.PLACED,
    "expired": OrderStatus.PLACED,
    "partially_paid": OrderStatus.PLACED,
    "voided": OrderStatus.PLACED,
    "paid": OrderStatus.PAID,
    "partially_refunded": OrderStatus.PAID,
    "refunded": OrderStatus.REFUNDED,
}


def verify(body: bytes, headers: Headers, secrets: Sequence[str]) -> None:
    """Check the signature, of test deliveries too: X-Shopify-Test is not signed, so it proves nothing.

    Raises: SignatureMismatch.
    """
    verify_hmac(body, _header(headers, "hmac-sha256"), secrets)


def identify(body: bytes, headers: Headers, shop: Shop) -> Identity:
    """Read what the headers say. A repeat has the same webhook id; one without an id, the same topic, time and body.

    Raises: SignatureMismatch when the headers name a domain that is none of the shop's.
    """
    _check_domain(_header(headers, "shop-domain"), shop)
    topic = (_header(headers, "topic") or NO_TOPIC).lower()
    delivery_id = _header(headers, "webhook-id")
    triggered_at = _header(headers, "triggered-at")
    told_apart_by = (delivery_id.encode(),) if delivery_id else (topic.encode(), (triggered_at or "").encode(), body)
    return Identity(
        topic=topic,
        dedupe=_digest(shop.key.encode(), *told_apart_by),
        delivery_id=delivery_id,
        event_id=_header(headers, "event-id"),
        triggered_at=_time(triggered_at),
        api_version=_header(headers, "api-version"),
    )


def headers_of(sending: Sending) -> dict[str, str]:
    """Give the headers of a classic webhook, as of 2026."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": sending.topic,
        "X-Shopify-Hmac-Sha256": sign(sending.body, sending.shop.secrets[0]),
        "X-Shopify-Shop-Domain": next(iter(sending.shop.domains), ""),
        "X-Shopify-Api-Version": "2026-04",
        "X-Shopify-Webhook-Id": sending.delivery_id,
        "X-Shopify-Event-Id": sending.delivery_id,
        "X-Shopify-Triggered-At": iso(sending.at) or "",
    }


def _header(headers: Headers, name: str) -> str | None:
    for family in _FAMILIES:
        if value := headers.get(family + name, "").strip():
            return value
    return None


def _check_domain(named: str | None, shop: Shop) -> None:
    """Refuse another shop's deliveries: several shops of one app share its secret, so the signature does not tell."""
    known = {domain.lower() for domain in shop.domains}
    if named and known and named.lower() not in known:
        raise SignatureMismatch(
            f"The delivery comes from {named}, but shop {shop.key} is configured with {', '.join(shop.domains)}. "
            "Correct the shop's domain here, or the webhook's URL in Shopify."
        )


def _time(text: str | None) -> datetime | None:
    """Read a time that only informs: an odd one is no reason to lose the delivery."""
    try:
        return utc_time(text) if text else None
    except ValueError:
        return None


def _digest(*parts: bytes) -> str:
    """Give a sha256 hex over ``parts``, each with its length so that no two lists of parts look alike."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8, "big"))
        sha.update(part)
    return sha.hexdigest()


PLATFORM = Platform(
    name="shopify",
    verify=verify,
    identify=identify,
    topics=TOPICS,
    ignored=IGNORED,
    statuses=STATUSES,
    purchase_when="placed",
    headers_of=headers_of,
)
