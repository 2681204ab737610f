"""The Shopify platform by itself: what its headers say, what tells a repeat, and which topics are known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.shopify import IGNORED, NO_TOPIC, PLATFORM, STATUSES, TOPICS, headers_of, identify, verify
from relay.commerce import OrderStatus, ResourceKind
from relay.errors import SignatureMismatch
from relay.platforms import Sending
from relay.signatures import sign
from tests.support.shopify import a_shop

BODY = b'{"id":1001}'
AT = datetime(2026, 11, 24, 9, 59, 58, 123456, tzinfo=UTC)
CLASSIC = {
    "x-shopify-topic": "orders/create",
    "x-shopify-shop-domain": "nordljus.myshopify.com",
    "x-shopify-webhook-id": "b-1",
    "x-shopify-event-id": "e-1",
    "x-shopify-api-version": "2026-04",
    "x-shopify-triggered-at": "2026-11-24T09:59:58.123456Z",
}
NEW = {name.removeprefix("x-"): value for name, value in CLASSIC.items()}

# Every topic of the reference, with the resource its body is about; None where it is known and left alone.
TABLE: dict[str, ResourceKind | None] = {
    **dict.fromkeys(
        [f"orders/{event}" for event in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")],
        ResourceKind.ORDER,
    ),
    **dict.fromkeys(["checkouts/create", "checkouts/update"], ResourceKind.CART),
    **dict.fromkeys(["customers/create", "customers/update", "customers/delete"], ResourceKind.CUSTOMER),
    **dict.fromkeys(["products/create", "products/update", "products/delete"], ResourceKind.PRODUCT),
    "refunds/create": ResourceKind.ORDER,
    "carts/create": None,
    "carts/update": None,
    "checkouts/delete": None,
}
# What the reference lists beside those; which of them is translated may change.
LISTED = [
    "orders/edited",
    "orders/delete",
    "draft_orders/create",
    "draft_orders/update",
    "draft_orders/delete",
    "customers/enable",
    "customers/disable",
    "customers/merge",
    "customers_email_marketing_consent/update",
    "customers_marketing_consent/update",
    "customer.tags_added",
    "customer.tags_removed",
    "customer.joined_segment",
    "customer.left_segment",
    "customers/purchasing_summary",
    "inventory_levels/update",
    "variants/out_of_stock",
    "variants/in_stock",
    "collections/create",
    "collections/update",
    "collections/delete",
    "app/uninstalled",
    "customers/data_request",
    "customers/redact",
    "shop/redact",
]


def dedupe(body: bytes = BODY, **changes: str | None) -> str:
    """Give what tells a repeat of a classic delivery; None as a change leaves that header out."""
    changed = {f"x-shopify-{name.replace('_', '-')}": value for name, value in changes.items()}
    headers = {name: value for name, value in (CLASSIC | changed).items() if value is not None}
    return identify(body, headers, a_shop()).dedupe


@pytest.mark.parametrize("headers", [CLASSIC, NEW], ids=["classic", "new"])
def test_headers_of_either_family_say_the_same(headers: dict[str, str]) -> None:
    identity = identify(BODY, headers, a_shop())
    assert (identity.topic, identity.delivery_id, identity.event_id) == ("orders/create", "b-1", "e-1")
    assert (identity.api_version, identity.triggered_at) == ("2026-04", AT)
    assert identity.webhook_id is None
    assert identity.dedupe == identify(BODY, CLASSIC, a_shop()).dedupe


def test_headers_that_are_missing_or_empty_are_no_reason_to_refuse() -> None:
    for headers in ({}, dict.fromkeys(CLASSIC, ""), dict.fromkeys(CLASSIC, "  ")):
        identity = identify(BODY, headers, a_shop())
        assert identity.topic == NO_TOPIC
        assert (identity.delivery_id, identity.event_id, identity.api_version) == (None, None, None)
        assert identity.triggered_at is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T09:59:58.123456789Z", AT),
        ("2026-11-24T10:59:58.123456+01:00", AT),
        ("2026-11-24T09:59:58Z", AT.replace(microsecond=0)),
        ("yesterday", None),
        ("2026-13-45T00:00:00Z", None),
        ("0", None),
    ],
)
def test_time_is_read_as_utc_and_an_odd_one_left_out(text: str, expected: datetime | None) -> None:
    assert identify(BODY, CLASSIC | {"x-shopify-triggered-at": text}, a_shop()).triggered_at == expected


def test_topic_may_have_any_case() -> None:
    assert identify(BODY, CLASSIC | {"x-shopify-topic": " Orders/CREATE "}, a_shop()).topic == "orders/create"


def test_webhook_id_alone_tells_a_repeat() -> None:
    same = dedupe(b"{}", topic="orders/updated", triggered_at="2026-01-01T00:00:00Z", event_id="e-2")
    assert same == dedupe()
    assert dedupe(webhook_id="b-2") != dedupe()


def test_without_webhook_id_topic_time_and_body_tell_a_repeat() -> None:
    """Captures of 2020 have none."""
    first = dedupe(webhook_id=None)
    assert dedupe(webhook_id=None, event_id="e-2", api_version="2020-01") == first
    others = [
        dedupe(b'{"id":1002}', webhook_id=None),
        dedupe(webhook_id=None, topic="orders/updated"),
        dedupe(webhook_id=None, triggered_at="2026-11-24T10:00:00Z"),
        dedupe(webhook_id=None, triggered_at=None),
        dedupe(),
    ]
    assert len({first, *others}) == 6


def test_parts_of_a_repeat_do_not_run_into_each_other() -> None:
    """A topic's end must not pass for the beginning of the time, nor the time's for the body's."""
    first = dedupe(b"12", webhook_id=None, topic="t", triggered_at="1")
    assert first != dedupe(b"2", webhook_id=None, topic="t", triggered_at="11")
    assert first != dedupe(b"12", webhook_id=None, topic="t1", triggered_at="")


def test_shops_do_not_share_repeats() -> None:
    assert identify(BODY, CLASSIC, a_shop(key="twin")).dedupe != dedupe()


@pytest.mark.parametrize("named", ["nordljus.myshopify.com", "Nordljus.MyShopify.com", "nordljus-old.myshopify.com"])
def test_any_of_the_shops_domains_may_be_named(named: str) -> None:
    shop = a_shop(domains=("nordljus.myshopify.com", "nordljus-old.myshopify.com"))
    assert identify(BODY, CLASSIC | {"x-shopify-shop-domain": named}, shop).topic == "orders/create"


@pytest.mark.parametrize("headers", [CLASSIC, NEW], ids=["classic", "new"])
@pytest.mark.parametrize(
    "named", ["twin.myshopify.com", "nordljus.myshopify.com.evil.example", "ordljus.myshopify.com"]
)
def test_another_domain_is_refused_with_what_to_do(headers: dict[str, str], named: str) -> None:
    name = next(name for name in headers if name.endswith("shop-domain"))
    with pytest.raises(SignatureMismatch, match=f"comes from {named}.*nordljus.*Correct the shop's domain"):
        identify(BODY, headers | {name: named}, a_shop())


def test_shop_without_a_domain_takes_every_domain() -> None:
    assert identify(BODY, CLASSIC, a_shop(domains=())).delivery_id == "b-1"


@pytest.mark.parametrize("name", ["x-shopify-hmac-sha256", "shopify-hmac-sha256"])
def test_signature_is_read_from_either_family(name: str) -> None:
    verify(BODY, {name: sign(BODY, "second")}, ["first", "second"])
    with pytest.raises(SignatureMismatch, match="none of the shop's secrets"):
        verify(BODY, {name: sign(BODY, "third")}, ["first", "second"])


@pytest.mark.parametrize("headers", [{}, {"x-shopify-test": "true"}, {"x-shopify-hmac-sha256": ""}])
def test_delivery_without_a_signature_is_refused_test_or_not(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureMismatch, match="missing"):
        verify(BODY, headers, ["first"])


def test_empty_secret_signs_nothing() -> None:
    with pytest.raises(SignatureMismatch):
        verify(BODY, {"x-shopify-hmac-sha256": sign(BODY, "")}, [""])


def test_nothing_unsigned_is_a_ping() -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert not any(PLATFORM.is_ping(body, headers) for body in (b"", b"webhook_id=1", b"{}") for headers in ({}, form))


@pytest.mark.parametrize("topic", TABLE)
def test_topics_of_the_table_are_about_what_it_says(topic: str) -> None:
    known = TOPICS.get(topic)
    assert (known.kind if known else None) == TABLE[topic]
    assert (topic in IGNORED) is (known is None)


@pytest.mark.parametrize("topic", LISTED)
def test_every_topic_of_the_reference_is_translated_or_ignored_with_a_reason(topic: str) -> None:
    assert topic in TOPICS or IGNORED[topic]


def test_orders_were_placed_whatever_became_of_their_payment() -> None:
    words = {"paid": OrderStatus.PAID, "partially_refunded": OrderStatus.PAID, "refunded": OrderStatus.REFUNDED}
    assert {word: status for word, status in STATUSES.items() if status is not OrderStatus.PLACED} == words
    assert PLATFORM.purchase_when == "placed"


def test_honest_headers_are_read_back() -> None:
    shop = a_shop()
    sending = Sending(shop, "products/update", BODY, "b-9", AT)
    headers = {name.lower(): value for name, value in headers_of(sending).items()}
    verify(BODY, headers, shop.secrets)
    identity = identify(BODY, headers, shop)
    told: dict[str, Any] = {"topic": "products/update", "delivery_id": "b-9", "triggered_at": AT}
    assert {name: getattr(identity, name) for name in told} == told
