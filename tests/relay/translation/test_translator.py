from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from relay import jsontext
from relay.commands import CommandKind
from relay.deliveries import Delivery, DeliveryState, Translation
from relay.errors import MappingFailed, PayloadInvalid, TranslationError
from relay.memory import EmptyMemory
from relay.shops import Directory, Shop
from relay.translation.loading import load_mappings
from relay.translation.translator import Translator
from tests.support import shopify, woocommerce
from tests.support.lives import after, shopify_account, shopify_checkout, shopify_order, woo_order
from tests.support.world import DEFAULT, NOW, PLATFORMS, a_group

SHOPIFY, WOO = shopify.a_shop(), woocommerce.a_shop()


def translator(*shops: Shop, mappings: Any = DEFAULT, **settings: Any) -> Translator:
    group = a_group(location=shops[0].location, currency=shops[0].currency)
    directory = Directory(groups={"main": group}, shops={shop.key: shop for shop in shops})
    return Translator(directory, PLATFORMS, mappings, **settings)


def delivery(topic: str, body: Any, shop: Shop = SHOPIFY, at: datetime = NOW) -> Delivery:
    raw = body if isinstance(body, bytes) else jsontext.dumps(body).encode()
    return Delivery(1, shop.platform, "main", shop.key, topic, {}, raw, received_at=at)


def translated(topic: str, body: Any, shop: Shop = SHOPIFY, **settings: Any) -> Translation:
    return translator(shop, **settings).translate(delivery(topic, body, shop), EmptyMemory(), NOW)


def test_a_delivery_that_was_opened_ahead_means_the_same() -> None:
    sent = delivery("orders/create", shopify_order(after(0)))
    ours = translator(SHOPIFY)
    opened = ours.opened(sent)
    assert opened is not None
    assert ours.translate(sent, EmptyMemory(), NOW, opened) == ours.translate(sent, EmptyMemory(), NOW)


@pytest.mark.parametrize(
    ("topic", "body", "shop"),
    [
        ("orders/create", b"{broken", SHOPIFY.key),
        ("orders/create", {"id": None}, SHOPIFY.key),
        ("nobody/knows", {}, SHOPIFY.key),
        ("orders/create", shopify_order(after(0)), "gone"),
    ],
)
def test_what_cannot_be_opened_ahead_is_left_to_its_translation(topic: str, body: Any, shop: str) -> None:
    assert translator(SHOPIFY).opened(replace(delivery(topic, body), shop=shop)) is None


def test_an_order_becomes_a_contact_and_its_purchase() -> None:
    translation = translated("orders/create", shopify_order(after(0)))
    assert (translation.state, translation.reason) == (DeliveryState.TRANSLATED, None)
    assert [(command.kind, command.event and command.event.slot) for command in translation.commands] == [
        (CommandKind.CONTACT_UPSERT, None),
        (CommandKind.EVENT_PUT, "PURCHASE"),
    ]
    assert translation.warnings == ()
    assert not translation.dry_run


@pytest.mark.parametrize(
    ("topic", "shop", "reason"),
    [
        ("carts/create", SHOPIFY, "topic-ignored: a cart names no buyer; the checkout made from it does"),
        ("bulk_operations/finish", SHOPIFY, "topic-unknown"),
        ("orders/create", WOO, "topic-unknown"),
        ("action.woocommerce_add_to_cart", WOO, "topic-unknown"),
        ("unknown", WOO, "topic-unknown"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"no JSON", b"{}"])
def test_a_topic_that_means_nothing_is_ignored_whatever_is_in_it(
    topic: str, shop: Shop, reason: str, body: bytes
) -> None:
    translation = translated(topic, body, shop)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, reason)
    assert (translation.commands, translation.resources, translation.resource_id) == ((), (), None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is empty."),
        (b" \n", "The body is empty."),
        (b"<order/>", "The body is not JSON. In Shopify, choose JSON as the webhook's format."),
        (b'{"id": NaN}', "The body is not JSON. In Shopify, choose JSON as the webhook's format."),
        (b"\xff\xfe", "The body is not JSON. In Shopify, choose JSON as the webhook's format."),
        (b"[" * 100_000, "The body is not JSON. In Shopify, choose JSON as the webhook's format."),
        (b"[]", "The body is not a JSON object."),
        (b"null", "The body is not a JSON object."),
        (b"{}", "The body does not fit its topic. id: Missing or empty."),
        (b'{"id": 1, "total_price": "x"}', "The body does not fit its topic. total_price: Not a readable amount."),
    ],
)
def test_a_body_that_cannot_be_read_is_a_dead_letter_that_says_why(body: bytes, message: str) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        translated("orders/create", body)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("order.updated", "woocommerce_rest_shop_order_invalid_id"),
        ("customer.created", "woocommerce_rest_invalid_id"),
        ("product.updated", "woocommerce_rest_cannot_view"),
        ("order.deleted", "rest_no_route"),
    ],
)
def test_an_error_of_the_shop_is_ignored_with_its_code(topic: str, code: str) -> None:
    translation = translated(topic, {"code": code, "message": "Nie ma", "data": {"status": 404}}, WOO)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, f"platform-error:{code}")
    assert translation.resources == ()


@pytest.mark.parametrize(
    ("topic", "body", "shop", "about"),
    [
        ("orders/create", shopify_order(after(0)), SHOPIFY, ("order", "6100000000077")),
        ("orders/delete", {"id": 5}, SHOPIFY, ("order", "5")),
        ("checkouts/create", shopify_checkout(after(0)), SHOPIFY, ("cart", "5f1c0de0000000000000000000000077")),
        ("customers/create", shopify_account(after(0), "a@example.com"), SHOPIFY, ("customer", "7200000000009")),
        ("customers/delete", {"id": 7}, SHOPIFY, ("customer", "7")),
        ("products/create", {"id": 9}, SHOPIFY, ("product", "9")),
        ("order.updated", woo_order(after(0), "packed"), WOO, ("order", "1577")),
        ("order.updated", {"code": "x", "data": {"status": 404}}, WOO, (None, None)),
    ],
)
def test_a_delivery_tells_what_it_is_about(topic: str, body: Any, shop: Shop, about: tuple[Any, Any]) -> None:
    translation = translated(topic, body, shop)
    assert (translation.resource_kind, translation.resource_id) == about


@pytest.mark.parametrize("shop", [replace(SHOPIFY, key="gone"), replace(SHOPIFY, key="nordljus", platform="magento")])
def test_a_shop_that_is_not_configured_any_more_is_a_dead_letter(shop: Shop) -> None:
    configured = shop if shop.key == "nordljus" else SHOPIFY
    with pytest.raises(
        TranslationError, match=f"Shop {shop.key} is not configured any more; configure it, then replay"
    ):
        translator(configured).translate(delivery("orders/create", {}, shop), EmptyMemory(), NOW)


def test_a_rest_call_of_a_group_that_is_gone_is_a_dead_letter() -> None:
    call = replace(delivery("contacts.upsert", {}), platform="api", group="gone", shop=None)
    with pytest.raises(TranslationError, match="Group gone is not configured any more"):
        translator(SHOPIFY).translate(call, EmptyMemory(), NOW)


def test_a_dry_run_is_translated_like_any_other() -> None:
    real = translated("orders/create", shopify_order(after(0)))
    dry = translated("orders/create", shopify_order(after(0)), replace(SHOPIFY, dry_run=True))
    assert dry.dry_run
    assert dry.commands == real.commands


def test_test_orders_are_ignored_unless_a_setting_lets_them_through() -> None:
    body = shopify_order(after(0), test=True)
    assert translated("orders/create", body).reason == "test-order"
    assert translated("orders/create", body, test_orders=True).commands


def test_a_mapping_that_fails_is_a_dead_letter_that_names_its_line(tmp_path: Any) -> None:
    (tmp_path / "own.toml").write_text(
        '[contact]\nemail = "{{ customer.email }}"\nname = "{{ order.total / raw.note }}"\n'
    )
    mappings = load_mappings(tmp_path, ["own"])
    with pytest.raises(MappingFailed, match="own.toml:3 contact.name"):
        translated(
            "orders/create", shopify_order(after(0), note="x"), replace(SHOPIFY, mapping="own"), mappings=mappings
        )


def test_explaining_names_the_line_of_each_field_and_the_rule_of_each_command() -> None:
    translation, explained = translator(SHOPIFY).explain(delivery("orders/create", shopify_order(after(0))), NOW)
    assert tuple(each.command for each in explained) == translation.commands
    contact, purchase = explained
    assert (contact.rule, purchase.rule) == ("the buyer of an order", "the order is placed")
    lines = {field.target: field.source and field.source.key for field in contact.fields}
    assert (lines["email"], lines["streetAddress"]) == ("contact.email", "contact.streetAddress")
    assert lines["forceOptIn"] is None, "no line of the mapping, but SALESmanago's shape"
    event = {field.target: (field.value, field.source and field.source.key) for field in purchase.fields}
    assert event["products"] == ("7700000000001,7700000000002", "event.products")
    assert event["contactExtEventType"] == ("PURCHASE", None)


def test_explaining_properties_and_products() -> None:
    product = {"id": 9, "title": "Cup", "variants": [{"id": 1, "price": "5.00"}], "updated_at": after(0).isoformat()}
    _, [explained] = translator(SHOPIFY).explain(delivery("products/create", product), NOW)
    assert explained.rule == "the product is for sale"
    lines = {field.target: field.source and field.source.key for field in explained.fields}
    assert lines["name"] == "product.name"


def test_explaining_raises_what_translating_raises() -> None:
    with pytest.raises(PayloadInvalid):
        translator(SHOPIFY).explain(delivery("orders/create", b""), NOW)


def test_translating_remembers_nothing_by_itself() -> None:
    """The translator holds no state: what it gives is to be stored, and until then it says the same again."""
    shared = translator(SHOPIFY, WOO)
    first = shared.translate(delivery("orders/create", shopify_order(after(0))), EmptyMemory(), NOW)
    second = shared.translate(delivery("orders/create", shopify_order(after(0))), EmptyMemory(), NOW)
    assert first == second
    assert first.resources
