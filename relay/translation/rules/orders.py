"""The life of an order: cart, purchase, returns, cancellation, in whatever order its deliveries arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from relay.commerce import Cart, Order, OrderStatus, ResourceKind
from relay.deliveries import DeliveryState
from relay.memory import Resource
from relay.translation.order_events import CANCELLED, CART, DesiredEvent, OrderLife, desired_events, is_cart
from relay.translation.people import Contact
from relay.translation.rules.events import listed, settle_events
from relay.translation.rules.forgotten import FORGOTTEN, is_forgotten
from relay.translation.rules.remembering import (
    alive,
    belongs_to,
    body_and_record,
    deleted_at,
    first_after,
    note_trashed,
    remember,
    with_facts,
)
from relay.translation.rules.whom import buyer, hear, stamp, tell_words, words_of
from relay.translation.scene import TRANSLATED, Ending, Scene, ignored
from relay.translation.versions import Version, microseconds, moment_of, version_of

_RANKS = {status: rank for rank, status in enumerate(OrderStatus)}
"""How far along a life each status is; decides between two bodies of one second."""

_BEFORE_TRASH = "before_trash"  # [version, status] of the newest body that does not show the order in the trash
_STANDING_AT = "standing_at"  # of the newest body that shows the order neither cancelled nor in the trash

_PLACED = frozenset({OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.REFUNDED})
_PAID = frozenset({OrderStatus.PAID, OrderStatus.REFUNDED})

TEST = ignored("test-order")
TOO_OLD = ignored("before-ignore-orders-before")
UNKNOWN_STATUS = ignored("unknown-status")
NO_CHANGE = Ending(DeliveryState.TRANSLATED, "no-change")


@dataclass(frozen=True, slots=True)
class _Known:
    """An order as all its deliveries together describe it."""

    order: Order
    body: dict[str, Any]
    status: OrderStatus
    life: OrderLife
    resource: Resource
    placed_at: datetime  # the purchase's own date


def take_order(scene: Scene, order: Order, body: Mapping[str, Any]) -> Ending:
    """Remember an order and bring its contact and events up to date."""
    if order.test and not scene.test_orders:
        return TEST
    if _is_too_old(scene, order):
        return TOO_OLD
    status = scene.status(order.status)
    ranks = (_RANKS[status], int(order.cancelled_at is not None), len(order.refunds))
    resource = remember(scene, ResourceKind.ORDER, order.id, body, order.updated_at, ranks)
    at = order.updated_at or scene.happened_at
    age = stamp(order.placed_at or order.created_at or at, at, body, _RANKS[status], scene.notes.digest)
    resource = hear(scene, resource, order.customer, body, age, order=listed(order, scene.shop))
    _note_life(scene, resource, order, status, version_of(at, body, ranks, scene.notes.digest))
    return settle_order(scene, order.id)


def settle_order(scene: Scene, order_id: str) -> Ending:
    """Bring SALESmanago up to what is known of an order."""
    known = _known(scene, order_id)
    if known is None:
        return ignored("unknown-order")
    if not known.resource.facts.get("shown"):
        return UNKNOWN_STATUS
    order = known.order
    customer_id = order.customer.id if order.customer else None
    if is_forgotten(scene, known.resource, customer_id, words_of(known.resource).newest):
        return FORGOTTEN
    _note_cart(scene, order)
    customer = buyer(scene, known.resource, order.customer)
    order = listed(order if order.customer == customer else replace(order, customer=customer), scene.shop)
    contact = tell_words(
        scene,
        words_of(known.resource),
        customer.email,
        "the buyer of an order",
        customer.id,
        sale=(scene.shop.key, ResourceKind.ORDER, order.id),
    )
    if isinstance(contact, Ending):
        return contact
    moved = belongs_to(scene, ResourceKind.ORDER, order.id, contact)
    return _settle_events(scene, known, order, contact, moved=moved)


def _settle_events(scene: Scene, known: _Known, order: Order, contact: Contact, *, moved: bool) -> Ending:
    desired = desired_events(order, known.status, known.life, scene.shop.purchase_when)
    held: Ending | None = None
    is_still_cart = not desired and is_cart(known.status, known.life)
    if is_still_cart:
        held = _hold(scene, known)
        event = DesiredEvent(CART, CART, known.placed_at, order.total, order.lines, "the order is not paid yet")
        desired = [event] if order.lines and not held else []
    check_currency(scene, order)
    names = scene.names(known.body, customer=order.customer, order=order)
    is_emptied = is_still_cart and not order.lines
    settle_events(
        scene, ResourceKind.ORDER, order.id, desired, contact.email, names, moved=moved, cart_stays=not is_emptied
    )
    return held or (TRANSLATED if scene.asked else NO_CHANGE)


def _hold(scene: Scene, known: _Known) -> Ending | None:
    """Wait until an order that was placed but not paid counts as abandoned."""
    if known.status is OrderStatus.DRAFT:
        return None
    since = min(known.order.updated_at or scene.now, scene.now)
    due_at = since + scene.shop.cart_after
    return Ending(DeliveryState.HELD, "cart-after", due_at) if due_at > scene.now else None


def _known(scene: Scene, order_id: str) -> _Known | None:
    resource = scene.notes.resource(scene.shop.key, ResourceKind.ORDER, order_id)
    body, order = body_and_record(scene, resource) if resource else ({}, None)
    if resource is None or not isinstance(order, Order):
        return None
    gone_at = deleted_at(resource.facts)
    life = OrderLife.of(resource.facts, moment_of(gone_at) if gone_at is not None else None)
    # Not the body's own: API versions name it differently, so the merged body can hold an older one as well.
    updated_at = resource.updated_at or scene.happened_at
    placed_at = order.placed_at or order.created_at or updated_at
    if (order.placed_at, order.updated_at) != (placed_at, updated_at):
        order = replace(order, placed_at=placed_at, updated_at=updated_at)
    status = scene.status(order.status)
    if status is OrderStatus.DELETED:
        # Being in the trash says nothing of how far the order had come.
        _, word = resource.facts.get(_BEFORE_TRASH, (None, status))
        status = OrderStatus(word)
    return _Known(order, body, status, life, resource, placed_at)


def _note_life(scene: Scene, resource: Resource, order: Order, status: OrderStatus, version: Version) -> None:
    """Note what this body shows, beside what any body has shown before."""
    facts = resource.facts
    at = order.updated_at or scene.happened_at
    dates = dict(facts.get("refund_dates", {}))
    for refund in order.refunds:
        if refund.at is None:
            dates[refund.id] = min(dates.get(refund.id, microseconds(at)), microseconds(at))
    news: dict[str, Any] = dict(
        shown=facts.get("shown") or status is not OrderStatus.UNKNOWN or None,
        placed=facts.get("placed") or status in _PLACED or order.paid_at is not None or None,
        paid=facts.get("paid") or status in _PAID or order.paid_at is not None or None,
        **_cancellations(facts, microseconds(at), status),
        refunded_at=_earliest(facts.get("refunded_at"), at, status is OrderStatus.REFUNDED),
        refund_dates=dates or None,
    )
    if status is OrderStatus.DELETED:
        note_trashed(scene, with_facts(scene, resource, **news), at)
    else:
        news[_BEFORE_TRASH] = max(facts.get(_BEFORE_TRASH, []), [version, status.value])
        restored = scene.delivery.topic in scene.platform.restoring
        with_facts(scene, resource, **news, **alive(facts, max(at, scene.happened_at) if restored else at))


def _cancellations(facts: Mapping[str, Any], at: int, status: OrderStatus) -> dict[str, Any]:
    """Give the moments at which bodies show an order cancelled, since the last one that shows it stand."""
    standing_at: int = facts.get(_STANDING_AT, -1)
    moments: list[int] = facts.get(CANCELLED, [])
    if status is OrderStatus.CANCELLED:
        moments = [*moments, at]
    elif status is not OrderStatus.DELETED:
        standing_at = max(standing_at, at)
    since = standing_at - 1  # of two bodies of one second the one that shows it cancelled is the newer
    return {CANCELLED: first_after(moments, since) or None, _STANDING_AT: standing_at if standing_at >= 0 else None}


def _earliest(known: int | None, at: Any, shows: bool) -> int | None:
    moments = [moment for moment in (known, microseconds(at) if shows else None) if moment is not None]
    return min(moments, default=None)


def _note_cart(scene: Scene, order: Order) -> None:
    """Let the checkout an order was made from know of it, so that it is not announced late."""
    if order.checkout_token is None:
        return
    facts = scene.notes.facts(scene.shop.key, ResourceKind.CART, order.checkout_token)
    if facts.get("order") != order.id:
        facts["order"] = order.id
        scene.notes.note_facts(scene.shop.key, ResourceKind.CART, order.checkout_token, facts)


def _is_too_old(scene: Scene, order: Order) -> bool:
    start = scene.shop.ignore_orders_before
    return start is not None and order.placed_at is not None and order.placed_at < start


def check_currency(scene: Scene, sale: Order | Cart) -> None:
    """Warn of amounts that SALESmanago will add to others of another currency."""
    expected = scene.currency
    if sale.currency and expected and sale.currency != expected:
        scene.warn(f"The amounts are in {sale.currency}, the e-shop {scene.shop.location} is in {expected}.")
