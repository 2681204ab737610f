"""Deliveries that say nothing but that something was removed from the shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from relay.commerce import Deletion, ResourceKind
from relay.translation.rules.customers import delete_customer
from relay.translation.rules.orders import settle_order
from relay.translation.rules.products import delete_product
from relay.translation.rules.remembering import note_deletion
from relay.translation.scene import Ending, Scene, ignored


def take_deletion(scene: Scene, deletion: Deletion) -> Ending:
    """Do what the deletion of a resource means; one nobody knows changes nothing, but is remembered."""
    return _BY_KIND[deletion.kind](scene, deletion.id)


def _delete_order(scene: Scene, order_id: str) -> Ending:
    note_deletion(scene, ResourceKind.ORDER, order_id)
    return settle_order(scene, order_id)


def _delete_cart(scene: Scene, cart_id: str) -> Ending:
    return ignored("cart-deleted")  # that it was abandoned stays true


_BY_KIND: Mapping[ResourceKind, Callable[[Scene, str], Ending]] = {
    ResourceKind.ORDER: _delete_order,
    ResourceKind.CART: _delete_cart,
    ResourceKind.CUSTOMER: delete_customer,
    ResourceKind.PRODUCT: delete_product,
}
