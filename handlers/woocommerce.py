"""The WooCommerce platform: header names, signature, activation ping, and which record each topic's body is.

The engine ignores, as unknown, a topic that is neither below nor in ``IGNORED``: ``action.*`` and what plugins add.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Sequence

from relay import jsontext
from relay.commerce import OrderStatus, ResourceKind
from relay.platforms import Headers, Identity, Platform, Sending, Topic
from relay.shops import Shop
from relay.signatures import sign, verify_hmac
from schemas.woocommerce import (
    read_customer,
    read_customer_deletion,
    read_order,
    read_order_deletion,
    read_product,
    read_product_deletion,
)

SIGNATURE = "x-wc-webhook-signature"

# Stands for a missing topic: WooCommerce sends an empty one when the webhook was deleted while a delivery was queued.
NO_TOPIC = "unknown"

_PING = re.compile(rb"webhook_id=[0-9]+")
_PING_TYPE = "application/x-www-form-urlencoded"

# What WordPress decodes in a stored secret: these five characters only, not every entity HTML knows.
# Source: wp_specialchars_decode with ENT_QUOTES, wp-includes/formatting.php.
_ENTITY = re.compile("&(?:amp|lt|gt|quot|#0*(?:34|38|39|60|62)|#[xX]0*(?:22|26|27));")

_ORDER = Topic(ResourceKind.ORDER, read_order)
_CUSTOMER = Topic(ResourceKind.CUSTOMER, read_customer)
_PRODUCT = Topic(ResourceKind.PRODUCT, read_product)

# WooCommerce's validator takes customer.restored although no core version sends it; a plugin may.
TOPICS = {
    "order.created": _ORDER,
    "order.updated": _ORDER,
    "order.restored": _ORDER,
    "order.deleted": Topic(ResourceKind.ORDER, read_order_deletion),
    "customer.created": _CUSTOMER,
    "customer.updated": _CUSTOMER,
    "customer.restored": _CUSTOMER,
    "customer.deleted": Topic(ResourceKind.CUSTOMER, read_customer_deletion),
    "product.created": _PRODUCT,
    "product.updated": _PRODUCT,
    "product.restored": _PRODUCT,
    "product.published": _PRODUCT,
    "product.deleted": Topic(ResourceKind.PRODUCT, read_product_deletion),
}

_COUPON = "SALESmanago keeps its own coupons; an order names the ones it used"
_SUBSCRIPTION = "a subscription is a contract; each renewal arrives as an order"
_NEVER_SENT = "WooCommerce accepts this topic but is not known to send it; created and updated say the same"

IGNORED = {
    "coupon.created": _COUPON,
    "coupon.updated": _COUPON,
    "coupon.deleted": _COUPON,
    "coupon.restored": _COUPON,
    "coupon.published": _COUPON,
    "subscription.created": _SUBSCRIPTION,
    "subscription.updated": _SUBSCRIPTION,
    "subscription.deleted": _SUBSCRIPTION,
    "subscription.restored": _SUBSCRIPTION,
    "subscription.switched": _SUBSCRIPTION,
    "order.published": _NEVER_SENT,
    "customer.published": _NEVER_SENT,
}

# Orders in the last three words are half-made in the admin. Nobody bought or abandoned anything, so they stay unknown
# and are never announced. A shop's own words (shipped, partially-paid, ...) are unknown until its settings map them.
# Source: wc_get_order_statuses and includes/class-wc-order.php.
STATUSES = {
    "checkout-draft": OrderStatus.DRAFT,
    "pending": OrderStatus.PENDING,
    "failed": OrderStatus.FAILED,
    "on-hold": OrderStatus.PLACED,
    "processing": OrderStatus.PAID,
    "completed": OrderStatus.PAID,
    "cancelled": OrderStatus.CANCELLED,
    "refunded": OrderStatus.REFUNDED,
    "trash": OrderStatus.DELETED,
    "auto-draft": OrderStatus.UNKNOWN,
    "draft": OrderStatus.UNKNOWN,
    "new": OrderStatus.UNKNOWN,
}


# Roles that WordPress and WooCommerce give to people who run the shop.
STAFF = frozenset({"administrator", "editor", "author", "contributor", "shop_manager"})


def verify(body: bytes, headers: Headers, secrets: Sequence[str]) -> None:
    """Check the signature with each secret as configured, with its HTML entities decoded, and encoded once.

    WooCommerce stores secrets HTML-encoded and signs with the decoded text, but before 3.6 it signed with the stored
    one; a secret may have been copied from the screen or from the database.

    Raises: SignatureMismatch.
    """
    spellings = [spelling for secret in secrets for spelling in _spellings(secret)]
    verify_hmac(body, headers.get(SIGNATURE), spellings)


def is_ping(body: bytes, headers: Headers) -> bool:
    """Tell the ping WooCommerce sends when a webhook is saved: unsigned, and nothing but ``webhook_id=<digits>``."""
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return SIGNATURE not in headers and content_type == _PING_TYPE and _PING.fullmatch(body) is not None


def identify(body: bytes, headers: Headers, shop: Shop) -> Identity:
    """Read what the headers say; never refuses.

    A delivery id is made of the webhook and the second, so objects changed in the same second share it, and two deletes
    of one product have the same body; only all of them together tell a repeat. The source header is not looked at:
    it is not signed, and multilingual shops vary it.
    """
    topic, webhook_id, delivery_id = (
        headers.get(f"x-wc-webhook-{name}", "").strip() for name in ("topic", "id", "delivery-id")
    )
    body_digest = hashlib.sha256(body).hexdigest()
    return Identity(
        topic=topic or NO_TOPIC,
        dedupe=jsontext.digest([shop.key, webhook_id, delivery_id, topic, body_digest]),
        delivery_id=delivery_id or None,
        webhook_id=webhook_id or None,
    )


def headers_of(sending: Sending) -> dict[str, str]:
    """Give the headers of WooCommerce's own deliveries, as of 9.9."""
    resource, _, event = sending.topic.partition(".")
    return {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/9.9.5 Hookshot (WordPress/6.8.12)",
        "X-WC-Webhook-Source": f"{sending.shop.url or ''}/",
        "X-WC-Webhook-Topic": sending.topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": sign(sending.body, sending.shop.secrets[0]),
        "X-WC-Webhook-ID": "1",
        "X-WC-Webhook-Delivery-ID": sending.delivery_id,
    }


def _spellings(secret: str) -> Iterator[str]:
    decoded = _ENTITY.sub(lambda entity: html.unescape(entity.group()), secret)
    encoded = html.escape(secret).replace("&#x27;", "&#039;")  # as WordPress spells the apostrophe
    yield from dict.fromkeys((secret, decoded, encoded))


PLATFORM = Platform(
    name="woocommerce",
    verify=verify,
    is_ping=is_ping,
    identify=identify,
    topics=TOPICS,
    ignored=IGNORED,
    statuses=STATUSES,
    purchase_when="paid",
    restoring=frozenset({"order.restored", "product.restored", "customer.restored"}),
    staff=STAFF,
    headers_of=headers_of,
)
