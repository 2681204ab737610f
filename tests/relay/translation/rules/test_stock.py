"""Stock that is counted apart from its product: remembered by place, and added up where it is younger than the body."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relay.deliveries import DeliveryState
from tests.support.every_order import Step, assert_order_makes_no_difference, lived
from tests.support.shopify import a_shop, sample
from tests.support.world import World, a_group

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SHOP = a_shop()
BY_VARIANT = a_shop(product_id="variant")


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def variant(number: int, stock: int | None, policy: str = "deny") -> dict[str, Any]:
    return {
        "id": number,
        "inventory_item_id": number + 1000,
        "inventory_quantity": stock,
        "inventory_policy": policy,
        "price": "10.00",
    }


def product(hours: float, *variants: dict[str, Any], **keys: Any) -> Step:
    body = {
        "id": 1,
        "title": "Mug",
        "handle": "mug",
        "product_type": "Mugs",
        "published_at": START.isoformat(),
        "updated_at": at(hours).isoformat(),
        "variants": list(variants),
    }
    return "products/update", body | keys, at(hours)


def level(hours: float, number: int, available: int | None, place: int = 1, told: float | None = None) -> Step:
    body = {
        "inventory_item_id": number + 1000,
        "location_id": place,
        "available": available,
        "updated_at": at(hours).isoformat(),
    }
    return "inventory_levels/update", body, at(hours if told is None else told)


def stock(world: World, product_id: str = "1") -> tuple[Any, Any]:
    """Give quantity and availability in the catalogue, which knows no negative numbers; the feed agrees."""
    sold = world.products[product_id]
    assert max(world.catalog[product_id].fields["stock_available"], 0) == sold["quantity"]
    return sold["quantity"], sold["available"]


def test_count_younger_than_the_body_counts_whichever_arrives_first() -> None:
    assert stock(assert_order_makes_no_difference([product(0, variant(5, 9)), level(1, 5, 4)], SHOP)) == (4, True)


def test_body_younger_than_the_count_counts() -> None:
    assert stock(assert_order_makes_no_difference([level(0, 5, 4), product(1, variant(5, 9))], SHOP)) == (9, True)


def test_of_one_second_the_body_counts_because_it_knows_all_places() -> None:
    assert stock(assert_order_makes_no_difference([level(1, 5, 4), product(1, variant(5, 9))], SHOP)) == (9, True)


def test_count_of_none_left_takes_it_off_sale() -> None:
    assert stock(assert_order_makes_no_difference([product(0, variant(5, 9)), level(1, 5, 0)], SHOP)) == (0, False)


def test_variant_that_sells_without_stock_goes_on_selling() -> None:
    life = [product(0, variant(5, 9, "continue")), level(1, 5, -1)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (0, True)


def test_new_count_of_one_place_replaces_the_old() -> None:
    life = [product(0, variant(5, 9)), level(1, 5, 4), level(2, 5, 3), level(3, 5, 7)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (7, True)


def test_places_add_up() -> None:
    life = [product(0, variant(5, 9)), level(1, 5, 4, place=1), level(2, 5, 3, place=2)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (7, True)


def test_count_older_than_the_body_joins_in_once_another_is_younger() -> None:
    life = [level(0, 5, 4, place=1), product(1, variant(5, 9)), level(2, 5, 3, place=2)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (7, True)


def test_place_where_nobody_counts_adds_nothing() -> None:
    life = [product(0, variant(5, 9)), level(1, 5, None, place=1), level(2, 5, 3, place=2)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (3, True)
    uncounted = [product(0, variant(5, 9)), level(1, 5, None)]
    assert stock(assert_order_makes_no_difference(uncounted, SHOP)) == (9, True)


def test_of_two_counts_of_one_second_the_one_triggered_later_counts() -> None:
    life = [product(0, variant(5, 9)), level(1, 5, 4, told=1.0001), level(1, 5, 6, told=1.0002)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (6, True)


def test_of_two_counts_of_one_moment_the_smaller_counts() -> None:
    life = [product(0, variant(5, 9)), level(1, 5, 4), level(1, 5, 6)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (4, True)


def test_count_without_a_date_is_as_old_as_its_delivery() -> None:
    topic, body, when = level(1, 5, 4)
    assert stock(lived([product(0, variant(5, 9)), (topic, body | {"updated_at": None}, when)], SHOP)) == (4, True)


def test_only_the_counted_variant_changes() -> None:
    life = [product(0, variant(5, 9), variant(6, 2)), level(1, 5, 0)]
    world = assert_order_makes_no_difference(life, BY_VARIANT)
    assert (stock(world, "5"), stock(world, "6")) == ((0, False), (2, True))
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (2, True)


def test_product_is_sold_out_when_the_last_of_its_variants_is() -> None:
    life = [product(0, variant(5, 9), variant(6, 2)), level(1, 5, 0), level(2, 6, 0)]
    assert stock(assert_order_makes_no_difference(life, SHOP)) == (0, False)


def test_variant_that_is_not_counted_stays_so() -> None:
    uncounted = variant(5, 0) | {"inventory_management": None}
    world = assert_order_makes_no_difference([product(0, uncounted), level(1, 5, 3)], SHOP)
    assert (world.products["1"].get("quantity"), world.products["1"]["available"]) == (None, True)


def test_sum_that_does_not_cover_all_variants_stays_unknown() -> None:
    more = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{number}"} for number in (5, 6)]
    life = [product(0, variant(5, 9), variant_gids=more), level(1, 5, 0)]
    world = assert_order_makes_no_difference(life, SHOP)
    assert world.products["1"].get("quantity") is None
    assert "stock_available" not in world.catalog["1"].fields


def test_variant_that_comes_later_finds_its_count() -> None:
    life = [product(0, variant(5, 9)), level(1, 6, 4), product(0.5, variant(5, 9), variant(6, 1))]
    assert stock(assert_order_makes_no_difference(life, BY_VARIANT), "6") == (4, True)


def test_count_of_a_variant_nobody_knows_is_remembered() -> None:
    world = World(SHOP)
    translation = world.deliver(*level(1, 5, 4))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "unknown-inventory-item")
    assert (translation.resource_kind, translation.resource_id) == ("inventory", "1005")
    world.deliver(*product(0, variant(5, 9)))
    assert stock(world) == (4, True)


@pytest.mark.parametrize("body", [{}, {"location_id": 1, "available": 3}, {"inventory_item_id": None}])
def test_body_that_names_nothing_is_ignored(body: dict[str, Any]) -> None:
    translation = World(SHOP).deliver("inventory_levels/update", body, START)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "no-inventory-item")
    assert (translation.resource_kind, translation.resources) == (None, ())


def test_group_that_takes_no_products_remembers_no_stock() -> None:
    world = World(SHOP, a_group(products=frozenset()))
    translation = world.deliver(*level(1, 5, 4))
    assert (translation.reason, translation.resources) == ("products-not-configured", ())


def test_count_of_a_deleted_product_brings_nothing_back() -> None:
    life = [product(0, variant(5, 9)), ("products/delete", {"id": 1}, at(1)), level(2, 5, 4)]
    assert assert_order_makes_no_difference(life, SHOP).state()["products"] == {}


def test_same_count_again_asks_for_nothing() -> None:
    world = lived([product(0, variant(5, 9)), level(1, 5, 4)], SHOP)
    asked = len(world.commands)
    assert world.deliver(*level(1, 5, 4)).reason == "no-change"
    assert len(world.commands) == asked


def test_samples_of_one_shirt_end_the_same_in_every_order() -> None:
    life: list[Step] = [
        ("products/create", sample("products_create__variants-2026"), datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (
            "inventory_levels/update",
            sample("inventory_levels_update__warehouse-2026"),
            datetime(2026, 3, 2, 11, tzinfo=UTC),
        ),
        (
            "inventory_levels/update",
            sample("inventory_levels_update__not-counted-2026"),
            datetime(2026, 3, 2, 11, tzinfo=UTC),
        ),
    ]
    world = assert_order_makes_no_difference(life, BY_VARIANT)
    assert [stock(world, id_) for id_ in ("4500000000001", "4500000000022")] == [(5, True), (0, True)]
