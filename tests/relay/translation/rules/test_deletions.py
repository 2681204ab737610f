"""Deliveries that carry an id and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from relay.commerce import Deletion, ResourceKind
from relay.deliveries import DeliveryState
from relay.translation.rules.deletions import take_deletion
from tests.support import shopify, woocommerce
from tests.support.lives import after, shopify_checkout, shopify_order, woo_account, woo_order
from tests.support.scenes import scene_in
from tests.support.world import World


@pytest.mark.parametrize(
    ("platform", "topic", "reason"),
    [
        (woocommerce, "order.deleted", "unknown-order"),
        (woocommerce, "customer.deleted", "unknown-customer"),
        (woocommerce, "product.deleted", "unknown-product"),
        (shopify, "orders/delete", "unknown-order"),
        (shopify, "customers/delete", "unknown-customer"),
        (shopify, "products/delete", "unknown-product"),
    ],
)
def test_what_nobody_knows_can_be_deleted(platform: Any, topic: str, reason: str) -> None:
    """With one trash for all, WordPress reports pages as products; the id means nothing then."""
    translation = World(platform.a_shop()).deliver(topic, {"id": 4711}, after(0))
    assert (translation.state, translation.reason, translation.commands) == (DeliveryState.IGNORED, reason, ())
    assert translation.resource_id == "4711"


@pytest.mark.parametrize("kind", [kind for kind in ResourceKind if kind is not ResourceKind.INVENTORY])
def test_each_kind_of_resource_can_be_deleted(kind: ResourceKind) -> None:
    with scene_in(World(shopify.a_shop()), at=after(0)) as scene:
        assert take_deletion(scene, Deletion(kind, "1")).reason
        assert scene.asked == []


def test_an_abandoned_checkout_stays_abandoned_when_it_is_removed() -> None:
    world = World(shopify.a_shop())
    body = shopify_checkout(after(0))
    world.deliver("checkouts/create", body, after(0))
    with scene_in(world, at=after(9)) as scene:
        assert take_deletion(scene, Deletion(ResourceKind.CART, body["token"])).reason == "cart-deleted"
    assert len(world.told("CART")) == 1


@pytest.mark.parametrize("number", [1577, "1577"])
def test_an_id_may_come_as_a_text(number: Any) -> None:
    world = World(woocommerce.a_shop())
    world.deliver("order.updated", woo_order(after(0), "processing"), after(0))
    world.deliver("order.deleted", {"id": number}, after(9))
    assert [kind for kind, *_ in world.told("CANCELLATION")["jan.lipa@example.com"]] == ["CANCELLATION"]


def test_an_order_of_shopify_that_was_deleted_is_cancelled() -> None:
    world = World(shopify.a_shop())
    world.deliver("orders/create", shopify_order(after(0)), after(0))
    world.deliver("orders/delete", {"id": 6100000000077}, after(20))
    [told] = world.told().values()
    assert [(kind, str(value)) for kind, _, value, _ in told] == [("PURCHASE", "60.10"), ("CANCELLATION", "60.10")]


def test_a_deletion_that_comes_first_is_remembered() -> None:
    world = World(woocommerce.a_shop(on_customer_delete="delete"))
    for topic, number in (("order.deleted", 1577), ("customer.deleted", 31)):
        world.deliver(topic, {"id": number}, after(20))
    world.deliver("customer.created", woo_account(after(0), "jan.lipa@example.com"), after(0))
    assert (world.contacts, world.commands) == ({}, [])
    world.deliver("order.updated", woo_order(after(5), "processing", billing={"email": "other@example.com"}), after(5))
    assert [kind for kind, *_ in world.told()["other@example.com"]] == ["PURCHASE", "CANCELLATION"]
