"""Traps of ``docs/traps.md`` that no other test walks into."""

from __future__ import annotations

from datetime import timedelta

from relay.deliveries import DeliveryState
from relay.translation.loading import load_mappings
from tests.support import shopify, woocommerce
from tests.support.lives import after, shopify_order, woo_order
from tests.support.world import World, a_group


def test_bodies_of_the_events_preview_are_left_alone():
    """They hold what the subscription's own query asks for, under topics that are no webhook's."""
    world = World(shopify.a_shop())
    body = {
        "topic": "Product",
        "action": "update",
        "handle": "mug",
        "data": {"product": {"id": "gid://shopify/Product/7"}},
    }
    translation = world.deliver("product", body)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "topic-unknown")
    assert world.commands == []


def test_body_sent_again_under_another_id_changes_nothing():
    """Neither headers nor time are signed, so whoever has a delivery can send it again as if it was new."""
    world = World(shopify.a_shop())
    placed = shopify_order(after(0))
    cancelled = shopify_order(after(60), cancelled_at=after(60).isoformat(), created_at=after(0).isoformat())
    world.deliver("orders/create", placed, after(0))
    world.deliver("orders/cancelled", cancelled, after(60))
    held, asked = world.state(), len(world.commands)
    for days in (1, 2):
        again = world.deliver("orders/create", placed, after(0) + timedelta(days=days))
        assert (again.reason, len(world.commands)) == ("no-change", asked)
    assert world.state() == held


def test_metafields_reach_a_mapping(tmp_path):
    text = (
        'extends = "default"\n[product]\ndetail1 = "{{ raw.metafields[0].value }}"\n'
        '[contact.properties]\nsize = "{{ raw.metafields[0].value }}"\n'
    )
    (tmp_path / "default.toml").write_bytes((woocommerce.FOLDER.parents[2] / "mappings" / "default.toml").read_bytes())
    (tmp_path / "own.toml").write_text(text)
    shop = shopify.a_shop(mapping="own")
    world = World(shop, a_group(currency="EUR", location=shop.location), load_mappings(tmp_path, ["own"]))
    found = {"metafields": [{"namespace": "own", "key": "glaze", "value": "blue"}]}
    body = {"id": 7, "title": "Mug", "published_at": after(0).isoformat(), "variants": [{"id": 1, "price": "9.00"}]}
    world.deliver("products/create", body | found, after(0))
    world.deliver("products/create", body | {"id": 8}, after(0))
    world.deliver("orders/create", shopify_order(after(0)) | found, after(0))
    assert world.products["7"]["customDetails"] == {"detail1": "blue"}
    assert "customDetails" not in world.products["8"]
    [contact] = world.contacts.values()
    assert contact["properties"] == {"size": "blue"}


def test_order_trashed_under_legacy_storage_is_cancelled_by_its_own_topic():
    """There orders are posts like products, so their ids arrive as those of deleted products as well."""
    world = World(woocommerce.a_shop())
    order = woo_order(after(0), "processing")
    world.deliver("order.created", order, after(0))
    assert world.deliver("product.deleted", {"id": order["id"]}, after(60)).reason == "unknown-product"
    assert [event["contactExtEventType"] for event in world.events.values()] == ["PURCHASE"]
    world.deliver("order.deleted", {"id": order["id"]}, after(60))
    assert sorted(event["contactExtEventType"] for event in world.events.values()) == ["CANCELLATION", "PURCHASE"]
