"""The WooCommerce platform by itself: signature, ping, what its headers say, and which topics are known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handlers.woocommerce import (
    IGNORED,
    NO_TOPIC,
    PLATFORM,
    SIGNATURE,
    STATUSES,
    TOPICS,
    headers_of,
    identify,
    is_ping,
    verify,
)
from relay.commerce import OrderStatus, ResourceKind
from relay.errors import SignatureMismatch
from relay.platforms import Sending
from relay.shops import Shop
from relay.signatures import sign

BODY = b'{"id":16}'
SHOP = Shop("acme-woo", "woocommerce", "main", "acme_woo", ("s3cr3t",), url="https://woo.acme.example")
HEADERS = {
    "x-wc-webhook-source": "https://woo.acme.example/",
    "x-wc-webhook-topic": "order.updated",
    "x-wc-webhook-resource": "order",
    "x-wc-webhook-event": "updated",
    "x-wc-webhook-id": "7",
    "x-wc-webhook-delivery-id": "0123456789abcdef0123456789abcdef",
}
FORM = {"content-type": "application/x-www-form-urlencoded"}
KINDS = {"order": ResourceKind.ORDER, "customer": ResourceKind.CUSTOMER, "product": ResourceKind.PRODUCT}

# Every topic the validator of the newest core takes, and those of the Subscriptions plugin.
CORE = [
    f"{resource}.{event}"
    for resource in ("order", "customer", "product", "coupon")
    for event in ("created", "updated", "deleted", "restored", "published")
]
PLUGIN = [f"subscription.{event}" for event in ("created", "updated", "deleted", "restored", "switched")]


def dedupe(body: bytes = BODY, shop: Shop = SHOP, **changes: str) -> str:
    changed = {f"x-wc-webhook-{name.replace('_', '-')}": value for name, value in changes.items()}
    return identify(body, HEADERS | changed, shop).dedupe


def test_headers_say_topic_and_ids() -> None:
    identity = identify(BODY, HEADERS, SHOP)
    assert (identity.topic, identity.webhook_id) == ("order.updated", "7")
    assert identity.delivery_id == HEADERS["x-wc-webhook-delivery-id"]
    assert (identity.event_id, identity.triggered_at, identity.api_version) == (None, None, None)


@pytest.mark.parametrize("headers", [{}, dict.fromkeys(HEADERS, ""), dict.fromkeys(HEADERS, " ")])
def test_headers_that_are_missing_or_empty_are_no_reason_to_refuse(headers: dict[str, str]) -> None:
    identity = identify(BODY, headers, SHOP)
    assert (identity.topic, identity.webhook_id, identity.delivery_id) == (NO_TOPIC, None, None)


def test_delivery_of_a_webhook_that_was_deleted_meanwhile_is_told_by_its_ids() -> None:
    gone = {"x-wc-webhook-topic": "", "x-wc-webhook-resource": "", "x-wc-webhook-event": "", "x-wc-webhook-id": "0"}
    identity = identify(BODY, HEADERS | gone, SHOP)
    assert (identity.topic, identity.webhook_id) == (NO_TOPIC, "0")


def test_repeat_is_told_by_shop_webhook_delivery_topic_and_body_together() -> None:
    other_shop = Shop("other", "woocommerce", "main", "other", ("s3cr3t",))
    made = {
        dedupe(),
        dedupe(b'{"id":17}'),
        dedupe(topic="order.deleted"),
        dedupe(id="8"),
        dedupe(delivery_id="f" * 32),
        dedupe(shop=other_shop),
    }
    assert len(made) == 6
    assert dedupe() in made


def test_source_is_not_part_of_a_repeat_nor_a_reason_to_refuse() -> None:
    """Multilingual shops vary it."""
    assert dedupe(source="https://elsewhere.example/de/") == dedupe()


@pytest.mark.parametrize(
    ("configured", "key"),
    [
        ("s3cr3t", "s3cr3t"),
        ("a&lt;b&amp;c&quot;d&#039;e", "a<b&c\"d'e"),  # copied from the database
        ("a&#x27;b&#39;c&#0038;d", "a'b'c&d"),
        ("a<b&c\"d'e", "a<b&c\"d'e"),  # copied from the screen
        ("a<b&c\"d'e", "a&lt;b&amp;c&quot;d&#039;e"),  # the same, before 3.6
        ("a&eacute;b", "a&eacute;b"),  # not one that WordPress decodes
        ("&amp;lt;", "&lt;"),  # decoded once, not twice
        ("zażółć gęślą", "zażółć gęślą"),
    ],
)
def test_secret_may_have_been_copied_from_the_screen_or_the_database(configured: str, key: str) -> None:
    verify(BODY, {SIGNATURE: sign(BODY, key)}, ["another", configured])


@pytest.mark.parametrize(
    ("configured", "key"),
    [("a&eacute;b", "aéb"), ("&amp;lt;", "<"), ("s3cr3t", "S3CR3T"), ("", ""), ("s3cr3t ", "s3cr3t")],
)
def test_other_spellings_of_a_secret_do_not_match(configured: str, key: str) -> None:
    with pytest.raises(SignatureMismatch, match="none of the shop's secrets"):
        verify(BODY, {SIGNATURE: sign(BODY, key)}, [configured])


def test_signature_with_an_empty_secret_is_refused_although_woocommerce_sends_it() -> None:
    with pytest.raises(SignatureMismatch):
        verify(BODY, {SIGNATURE: "pn3i72nqzFmn9DgQTR9TQ9bidAHgNsIK5rY6jJRF5xE="}, ["", "s3cr3t"])


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"webhook_id=1", FORM, True),
        (b"webhook_id=12345678", {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}, True),
        (b"webhook_id=1", {"content-type": "Application/X-WWW-Form-Urlencoded"}, True),
        (b"webhook_id=1", FORM | {"authorization": "Basic x"}, True),
        (b"webhook_id=1", FORM | {SIGNATURE: "x"}, False),
        (b"webhook_id=1", FORM | {SIGNATURE: ""}, False),
        (b"webhook_id=1", {"content-type": "application/json"}, False),
        (b"webhook_id=1", {}, False),
        (b"webhook_id=", FORM, False),
        (b"webhook_id=-1", FORM, False),
        (b"webhook_id=1 ", FORM, False),
        (b"webhook_id=1\n", FORM, False),
        (b"webhook_id=1&topic=order.created", FORM, False),
        (b"id=1&webhook_id=1", FORM, False),
        ("webhook_id=١".encode(), FORM, False),
        (b"WEBHOOK_ID=1", FORM, False),
        (b"", FORM, False),
        (b'{"webhook_id":1}', FORM, False),
    ],
)
def test_ping_is_unsigned_and_nothing_but_the_webhooks_number(
    body: bytes, headers: dict[str, str], expected: bool
) -> None:
    assert is_ping(body, headers) is expected


@pytest.mark.parametrize("topic", [*CORE, *PLUGIN])
def test_every_topic_of_the_reference_is_translated_or_ignored_with_a_reason(topic: str) -> None:
    assert (topic in TOPICS) is not (topic in IGNORED)
    assert topic in TOPICS or IGNORED[topic]


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_are_about_what_they_are_called(topic: str) -> None:
    assert TOPICS[topic].kind == KINDS[topic.partition(".")[0]]


@pytest.mark.parametrize("topic", ["order.refunded", "action.woocommerce_add_to_cart", "cart.updated", NO_TOPIC, ""])
def test_other_topics_are_unknown(topic: str) -> None:
    assert topic not in TOPICS
    assert topic not in IGNORED


def test_only_statuses_that_were_paid_count_as_a_purchase() -> None:
    paid = {word for word, status in STATUSES.items() if status in (OrderStatus.PAID, OrderStatus.REFUNDED)}
    assert paid == {"processing", "completed", "refunded"}
    assert PLATFORM.purchase_when == "paid"


def test_honest_headers_are_read_back() -> None:
    sending = Sending(SHOP, "product.deleted", BODY, "d-9", datetime(2026, 11, 24, tzinfo=UTC))
    headers = {name.lower(): value for name, value in headers_of(sending).items()}
    verify(BODY, headers, SHOP.secrets)
    assert not is_ping(BODY, headers)
    identity = identify(BODY, headers, SHOP)
    assert (identity.topic, identity.delivery_id, identity.webhook_id) == ("product.deleted", "d-9", "1")
    assert (headers["x-wc-webhook-resource"], headers["x-wc-webhook-event"]) == ("product", "deleted")
