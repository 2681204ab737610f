"""Checkouts in progress: one CART event each, kept up to date until the checkout is an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relay.commerce import Cart, ResourceKind
from relay.translation.order_events import CART, DesiredEvent
from relay.translation.rules.events import listed, settle_events
from relay.translation.rules.forgotten import FORGOTTEN, is_forgotten
from relay.translation.rules.orders import NO_CHANGE, check_currency
from relay.translation.rules.remembering import belongs_to, body_and_record, remember
from relay.translation.rules.whom import buyer, hear, stamp, tell_words, words_of
from relay.translation.scene import TRANSLATED, Ending, Scene, ignored

ORDERED = ignored("order-known")


def take_cart(scene: Scene, cart: Cart, body: Mapping[str, Any]) -> Ending:
    """Remember a checkout and bring its contact and CART event up to date."""
    ranks = (int(cart.completed_at is not None),)
    resource = remember(scene, ResourceKind.CART, cart.id, body, cart.updated_at, ranks)
    said_at = cart.updated_at or cart.created_at or scene.happened_at
    age = stamp(said_at, said_at, body, ranks[0], scene.notes.digest)
    hear(scene, resource, cart.customer, body, age, cart=listed(cart, scene.shop))
    return settle_cart(scene, cart.id)


def settle_cart(scene: Scene, cart_id: str) -> Ending:
    """Bring SALESmanago up to what is known of a checkout."""
    resource = scene.notes.resource(scene.shop.key, ResourceKind.CART, cart_id)
    raw, cart = body_and_record(scene, resource) if resource else ({}, None)
    if resource is None or not isinstance(cart, Cart):
        return ignored("unknown-cart")
    if is_forgotten(scene, resource, cart.customer.id if cart.customer else None, words_of(resource).newest):
        return FORGOTTEN
    customer = buyer(scene, resource, cart.customer)
    cart = listed(cart if cart.customer == customer else replace(cart, customer=customer), scene.shop)
    contact = tell_words(
        scene,
        words_of(resource),
        customer.email,
        "the buyer of a checkout",
        customer.id,
        sale=(scene.shop.key, ResourceKind.CART, cart_id),
    )
    if isinstance(contact, Ending):
        return contact
    moved = belongs_to(scene, ResourceKind.CART, cart_id, contact)
    # A cart that is announced late would start the automations for abandoned carts of somebody who has bought.
    if resource.facts.get("order") or cart.completed_at is not None:
        return TRANSLATED if scene.asked else ORDERED
    check_currency(scene, cart)
    names = scene.names(raw, customer=customer, cart=cart)
    date = cart.created_at or resource.updated_at or scene.happened_at
    event = DesiredEvent(CART, CART, date, cart.total, cart.lines, "the checkout is not completed yet")
    desired = [event] if cart.lines else []
    settle_events(scene, ResourceKind.CART, cart_id, desired, contact.email, names, moved=moved, cart_stays=False)
    return TRANSLATED if scene.asked else NO_CHANGE
