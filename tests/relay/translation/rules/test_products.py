"""What a product means: the items of feed and catalogue it is, and which of them a visitor can buy."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from relay.deliveries import DeliveryState, Translation
from relay.translation.loading import load_mappings
from relay.translation.rules.products import SHARED_ID
from tests.support import shopify, woocommerce
from tests.support.lives import after, shopify_lines, shopify_order, woo_lines, woo_order, woo_time
from tests.support.world import World, a_group

Delivery = tuple[str, dict[str, Any], float]


def woo(products: Sequence[str] = ("feed", "catalog"), **settings: Any) -> World:
    shop = woocommerce.a_shop(**settings)
    return World(shop, a_group(currency="PLN", location=shop.location, products=frozenset(products)))


def product(minutes: float, **changes: Any) -> dict[str, Any]:
    """Give a simple WooCommerce product as it was some minutes after START."""
    body = {
        "id": 2010,
        "name": "Herbata",
        "sku": "LIPA",
        "type": "simple",
        "status": "publish",
        "catalog_visibility": "visible",
        "post_password": "",
        "price": "20.00",
        "permalink": "https://zielnik.example/herbata/",
        "categories": [{"name": "Zioła"}],
        "date_modified_gmt": woo_time(after(minutes)),
    }
    return body | changes


def parent(minutes: float, **changes: Any) -> dict[str, Any]:
    whole = {
        "id": 2100,
        "name": "Mydło",
        "type": "variable",
        "sku": "MYDLO",
        "price": "15.00",
        "variations": [2102, 2103],
    }
    return product(minutes, **whole | {"description": "Ręcznie robione", "brands": [{"name": "Zielnik"}]} | changes)


def variation(minutes: float, number: int = 2102, **changes: Any) -> dict[str, Any]:
    own = {"id": number, "name": "Mydło - Rumianek", "type": "variation", "parent_id": 2100, "sku": f"RUM-{number}"}
    return product(minutes, **own | {"price": "15.00", "categories": [], "variations": []} | changes)


def send(world: World, *deliveries: Delivery) -> Translation:
    for topic, body, minutes in deliveries:
        translation = world.deliver(topic, body, after(minutes))
    return translation


def updated(body: dict[str, Any], minutes: float = 0) -> Delivery:
    return "product.updated", body, minutes


def deleted(number: int, minutes: float) -> Delivery:
    return "product.deleted", {"id": number}, minutes


def for_sale(world: World) -> dict[str, Any]:
    """Give the price of everything the catalogue shows, and check that the feed shows the same."""
    state = world.state()
    assert set(state["feed"]) == set(state["products"])
    return {item_id: str(item["price"]) for item_id, item in state["products"].items()}


def ends(deliveries: Sequence[Delivery], **settings: Any) -> World:
    """Check that all orders of arrival, each delivery repeated, end in the same; gives the world of the given one."""
    expected = woo(**settings)
    send(expected, *deliveries)
    for order in itertools.permutations(deliveries):
        world = woo(**settings)
        send(world, *order)
        before = len(world.commands)
        send(world, *order)
        assert len(world.commands) == before, "a repeat asked for something"
        assert world.state() == expected.state()
    return expected


def test_a_product_is_one_item_for_sale() -> None:
    world = woo()
    assert send(world, updated(product(0))).state is DeliveryState.TRANSLATED
    assert for_sale(world) == {"2010": "20.00"}
    assert world.products["2010"]["mainCategory"] == "Zioła"


def test_a_repeated_product_asks_for_nothing() -> None:
    world = woo()
    send(world, updated(product(0)))
    assert send(world, updated(product(0))).reason == "no-change"
    assert send(world, updated(product(9, total_sales=5, related_ids=[3, 1]))).reason == "no-change"
    assert len(world.commands) == 1


def test_products_that_nobody_wants_are_not_remembered() -> None:
    world = woo(products=())
    translation = send(world, updated(product(0)))
    assert (translation.reason, translation.resources) == ("products-not-configured", ())
    assert send(world, deleted(2010, 5)).reason == "products-not-configured"


def test_a_feed_alone_needs_no_catalogue() -> None:
    world = woo(products=("feed",))
    assert send(world, updated(product(0))).state is DeliveryState.TRANSLATED
    assert (world.commands, list(world.state()["feed"])) == ([], ["2010"])
    assert send(world, updated(product(0))).reason == "no-change"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "draft"},
        {"status": "private"},
        {"status": "pending"},
        {"catalog_visibility": "hidden"},
        {"post_password": "x"},
        {"type": "grouped"},
        {"price": ""},
    ],
)
def test_what_a_visitor_cannot_buy_leaves_feed_and_catalogue_and_comes_back(changes: dict[str, Any]) -> None:
    world = ends([updated(product(0)), updated(product(5, **changes))])
    assert for_sale(world) == {}
    assert (world.products["2010"]["active"], world.products["2010"]["available"]) == (False, False)
    again = ends([updated(product(0)), updated(product(5, **changes)), updated(product(9, price="21.00"))])
    assert for_sale(again) == {"2010": "21.00"}


def test_what_was_never_for_sale_is_never_told() -> None:
    world = woo()
    assert send(world, updated(product(0, status="draft"))).reason == "no-change"
    assert (world.commands, world.products) == ([], {})


def test_a_deleted_product_is_not_for_sale_and_comes_back_when_it_is_restored() -> None:
    life = [updated(product(0)), deleted(2010, 5)]
    assert for_sale(ends(life)) == {}
    assert for_sale(ends([*life, ("product.restored", product(0), 9)])) == {"2010": "20.00"}
    assert for_sale(ends([*life, updated(product(9))])) == {"2010": "20.00"}
    assert for_sale(ends([*life, updated(product(9)), deleted(2010, 12)])) == {}


def test_a_product_without_an_id_or_a_name_is_left_out_with_a_warning() -> None:
    translation = send(woo(), updated(product(0, name="")))
    assert translation.warnings == ("Left out of the catalogue: name: Missing data for required field.",)


def test_a_price_that_is_too_low_for_the_catalogue_takes_the_product_out() -> None:
    world = woo()
    send(world, updated(product(0)), updated(product(5, price="-1.00")))
    assert for_sale(world) == {}


# Products or variations


@pytest.mark.parametrize(
    ("mode", "items"),
    [
        ("product", {"2100": "15.00"}),
        ("variant", {"2102": "15.00", "2103": "16.00"}),
        ("sku", {"RUM-2102": "15.00", "RUM-2103": "16.00"}),
    ],
)
def test_either_products_are_items_or_their_variations(mode: str, items: dict[str, str]) -> None:
    deliveries = [updated(parent(0)), updated(variation(1)), updated(variation(2, 2103, price="16.00"))]
    assert for_sale(ends(deliveries, product_id=mode)) == items


def test_a_variation_takes_from_its_product_what_only_that_says() -> None:
    world = ends([updated(parent(0)), updated(variation(1))], product_id="variant")
    item = world.products["2102"]
    assert (item["mainCategory"], item["systemDetails"]["brand"], item["description"]) == (
        "Zioła",
        "Zielnik",
        "Ręcznie robione",
    )
    send(world, updated(parent(5, categories=[{"name": "Kąpiel"}]), 5))
    assert world.products["2102"]["mainCategory"] == "Kąpiel"


@pytest.mark.parametrize(
    "end", [updated(parent(5, status="draft"), 5), deleted(2100, 5), updated(parent(5, catalog_visibility="hidden"), 5)]
)
def test_variations_go_and_come_with_their_product(end: Delivery) -> None:
    life = [updated(parent(0)), updated(variation(1)), end]
    assert for_sale(ends(life, product_id="variant")) == {}
    assert for_sale(ends([*life, updated(parent(9), 9)], product_id="variant")) == {"2102": "15.00"}


def test_a_product_that_was_deleted_before_it_was_known_takes_its_variations_along() -> None:
    life = [updated(variation(0)), deleted(2100, 5)]
    assert for_sale(ends(life, product_id="variant")) == {}


def test_a_deleted_variation_leaves_alone() -> None:
    life = [updated(parent(0)), updated(variation(1)), updated(variation(1, 2103)), deleted(2102, 5)]
    assert for_sale(ends(life, product_id="variant")) == {"2103": "15.00"}


def test_a_product_without_variations_is_an_item_in_every_mode() -> None:
    for mode, item_id in (("product", "2010"), ("variant", "2010"), ("sku", "LIPA")):
        assert for_sale(ends([updated(product(0))], product_id=mode)) == {item_id: "20.00"}


def test_an_article_without_a_number_is_left_out_with_a_warning() -> None:
    world = woo(product_id="sku")
    translation = send(world, updated(product(0, sku="")))
    assert translation.warnings == ("A product without sku cannot be in the catalogue.",)
    send(world, updated(product(5)), updated(product(9, sku="")))
    assert for_sale(world) == {}


def test_an_article_that_gets_another_number_is_another_item() -> None:
    assert for_sale(ends([updated(product(0)), updated(product(5, sku="LIPA-2"))], product_id="sku")) == {
        "LIPA-2": "20.00"
    }


def test_of_variations_with_one_number_the_first_one_for_sale_is_the_item() -> None:
    """WooCommerce gives a variation without a number of its own that of its product."""
    first, second = variation(1, sku="MYDLO"), variation(2, 2103, sku="MYDLO", price="16.00")
    life = [updated(parent(0)), updated(first), updated(second)]
    world = ends(life, product_id="sku")
    assert for_sale(world) == {"MYDLO": "15.00"}
    assert send(world, updated(second)).warnings == (SHARED_ID,)
    assert for_sale(ends([*life, deleted(2102, 5)], product_id="sku")) == {"MYDLO": "16.00"}
    assert for_sale(ends([*life, updated(variation(5, sku="MYDLO", status="private"))], product_id="sku")) == {
        "MYDLO": "16.00"
    }


def test_of_products_with_one_number_the_first_one_is_the_item() -> None:
    life = [updated(product(0)), updated(product(0, id=2011, price="9.00"))]
    assert for_sale(ends(life, product_id="sku")) == {"LIPA": "20.00"}


def test_variations_within_their_product_are_items_until_they_come_themselves() -> None:
    """v1 sends whole variations inside the product; v3 sends each as a product of its own."""
    inside = {"id": 2102, "price": "14.00", "attributes": [{"name": "Zapach", "option": "Rumianek"}]}
    whole = parent(0, variations=[inside, inside | {"id": 2103}])
    assert for_sale(ends([updated(whole)], product_id="variant")) == {"2102": "14.00", "2103": "14.00"}
    life = [updated(whole), updated(variation(1))]
    assert for_sale(ends(life, product_id="variant")) == {"2102": "15.00", "2103": "14.00"}
    assert for_sale(ends([*life, deleted(2102, 5)], product_id="variant")) == {"2103": "14.00"}


# Shopify


def shopify_product(minutes: float, *variants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {
        "id": 7700000000002,
        "title": "Mug",
        "handle": "mug",
        "status": "active",
        "published_at": after(0).isoformat(),
        "updated_at": after(minutes).isoformat(),
        "variants": list(variants),
    }
    return body | changes


def variant(number: int, price: str, **changes: Any) -> dict[str, Any]:
    return {"id": number, "title": f"No. {number}", "sku": f"MUG-{number}", "price": price} | changes


@pytest.mark.parametrize(
    ("mode", "items"),
    [
        ("product", {"7700000000002": "9.00"}),
        ("variant", {"1": "9.00", "2": "12.00"}),
        ("sku", {"MUG-1": "9.00", "MUG-2": "12.00"}),
    ],
)
def test_a_product_of_shopify_is_one_item_or_one_a_variant(mode: str, items: dict[str, str]) -> None:
    world = World(shopify.a_shop(product_id=mode))
    world.deliver("products/create", shopify_product(0, variant(1, "9.00"), variant(2, "12.00")), after(0))
    assert for_sale(world) == items


def test_a_variant_that_was_removed_is_not_for_sale() -> None:
    world = World(shopify.a_shop(product_id="variant"))
    world.deliver("products/create", shopify_product(0, variant(1, "9.00"), variant(2, "12.00")), after(0))
    world.deliver("products/update", shopify_product(5, variant(2, "12.00")), after(5))
    assert for_sale(world) == {"2": "12.00"}
    world.deliver("products/update", shopify_product(9, variant(1, "8.00"), variant(2, "12.00")), after(9))
    assert for_sale(world) == {"1": "8.00", "2": "12.00"}


def test_variants_with_one_number_are_one_item() -> None:
    world = World(shopify.a_shop(product_id="sku"))
    body = shopify_product(0, variant(1, "9.00", sku="MUG"), variant(2, "12.00", sku="MUG"))
    assert world.deliver("products/create", body, after(0)).warnings == (SHARED_ID,)
    assert world.deliver("products/update", body, after(0)).reason == "no-change"
    assert for_sale(world) == {"MUG": "9.00"}


@pytest.mark.parametrize("changes", [{"status": "draft"}, {"status": "archived"}, {"published_at": None}])
def test_a_product_off_the_online_store_is_not_for_sale(changes: dict[str, Any]) -> None:
    world = World(shopify.a_shop())
    world.deliver("products/create", shopify_product(0, variant(1, "9.00")), after(0))
    world.deliver("products/update", shopify_product(5, variant(1, "9.00"), **changes), after(5))
    assert for_sale(world) == {}


def test_a_deleted_product_of_shopify_is_not_for_sale_whichever_comes_first() -> None:
    for order in itertools.permutations([0, 1]):
        world = World(shopify.a_shop())
        for place in order:
            if place:
                world.deliver("products/delete", {"id": 7700000000002}, after(9))
            else:
                world.deliver("products/create", shopify_product(0, variant(1, "9.00")), after(0))
        assert for_sale(world) == {}


@pytest.mark.parametrize("mode", ["product", "variant", "sku"])
def test_events_name_products_by_the_ids_of_the_catalogue(mode: str) -> None:
    world = World(shopify.a_shop(product_id=mode))
    line = shopify_lines(0, 1)[1]
    mug = variant(line["variant_id"], "10.05", sku=line["sku"])
    world.deliver("products/create", shopify_product(0, mug), after(0))
    world.deliver("orders/create", shopify_order(after(0), line_items=[line]), after(0))
    [event] = world.events.values()
    assert [event["products"]] == list(world.products)

    shop = woo(product_id=mode)
    soap = woo_lines(0, 1)[1]
    send(shop, updated(parent(0, sku=None)), updated(variation(1, sku=soap["sku"])))
    shop.deliver("order.updated", woo_order(after(5), "processing", line_items=[soap]), after(5))
    [event] = shop.events.values()
    assert [event["products"]] == list(shop.state()["products"])


def test_dates_and_amounts_of_a_mapping_are_kept_as_the_feed_takes_them(tmp_path: Any) -> None:
    (tmp_path / "own.toml").write_text(
        '[product]\nid = "{{ product.id }}"\nname = "{{ product.name }}"\nprice = "{{ product.price }}"\n'
        'detail1 = "{{ product.updated_at }}"\n'
    )
    shop = woocommerce.a_shop(mapping="own")
    world = World(shop, a_group(location=shop.location), load_mappings(tmp_path, ["own"]))
    send(world, updated(product(0)))
    [item] = world.catalog.values()
    assert item.fields == {
        "id": "2010",
        "name": "Herbata",
        "price": Decimal("20.00"),
        "detail1": "2026-11-20T09:00:00Z",
    }
    assert send(world, updated(product(0))).reason == "no-change"
