"""Checkouts in progress: one CART event each, kept up to date until the checkout is an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relay.commerce import Cart, ResourceKind
from relay.translation.order_events import CART, DesiredEvent
from relay.translation.rules.events import settle_events, take_back, with_catalog_ids
from relay.translation.rules.orders import NO_CHANGE, check_currency
from relay.translation.rules.remembering import belongs_to, body_of, record_of, remember
from relay.translation.rules.whom import NO_EMAIL, buyer, stamp, tell
from relay.translation.scene import TRANSLATED, Ending, Scene, ignored
from relay.translation.versions import VERSION

ORDERED = ignored("order-known")


def take_cart(scene: Scene, cart: Cart, body: Mapping[str, Any]) -> Ending:
    """Remember a checkout and bring its contact and CART event up to date."""
    resource = remember(scene, ResourceKind.CART, cart.id, body, cart.updated_at)
    together = record_of(scene, resource)
    if isinstance(together, Cart):
        cart = together
    raw = body_of(resource)
    customer = buyer(scene, cart.customer)
    if customer is None or not customer.email:
        return NO_EMAIL
    cart = replace(cart, customer=customer, lines=with_catalog_ids(cart.lines, scene.shop))
    said_at = cart.updated_at or cart.created_at or scene.happened_at
    age = stamp(said_at, cart.updated_at, str(resource.facts[VERSION][-1]))
    contact = tell(scene, customer, raw, age, "the buyer of a checkout", cart=cart)
    if isinstance(contact, Ending):
        return contact
    belongs_to(scene, ResourceKind.CART, cart.id, contact)
    # A cart that is announced late would start the automations for abandoned carts of somebody who has bought.
    if resource.facts.get("order") or cart.completed_at is not None:
        return TRANSLATED if scene.asked else ORDERED
    check_currency(scene, cart)
    names = scene.names(raw, customer=customer, cart=cart)
    _settle(scene, cart, contact.email, names)
    return TRANSLATED if scene.asked else NO_CHANGE


def _settle(scene: Scene, cart: Cart, email: str, names: Mapping[str, Any]) -> None:
    date = cart.created_at or cart.updated_at or scene.happened_at
    if cart.lines:
        event = DesiredEvent(CART, CART, date, cart.total, cart.lines, "the checkout is not completed yet")
        settle_events(scene, ResourceKind.CART, cart.id, [event], email, names)
        return
    for link in scene.notes.events(scene.shop.key, ResourceKind.CART, cart.id):
        if link.digest is not None:  # the cart was emptied
            take_back(scene, link.key, email)
