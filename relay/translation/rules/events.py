"""From the events something should have to commands: what is missing is put, what is too many is taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from relay import jsontext
from relay.commands import Command, CommandKind, ContactSubject, EventKey
from relay.commerce import Cart, Line, Order, ResourceKind
from relay.shops import Shop
from relay.translation.lists import join_lists
from relay.translation.names import EventView
from relay.translation.order_events import CART, DesiredEvent
from relay.translation.scene import Scene
from schemas.salesmanago import EVENT_LIMITS, event_payload

Names = Mapping[str, Any]
Sale = TypeVar("Sale", Order, Cart)

_IDS: Mapping[str, Callable[[Line], str | None]] = {
    "product": lambda line: line.product_id,
    # A product without choices has no variant of its own in WooCommerce; it is known by its product id then.
    "variant": lambda line: line.variant_id or line.product_id,
    "sku": lambda line: line.sku,
}


def settle_events(
    scene: Scene,
    kind: ResourceKind,
    resource_id: str,
    desired: Sequence[DesiredEvent],
    email: str,
    names: Names,
    *,
    moved: bool = False,
    cart_stays: bool = True,
) -> None:
    """Ask for whatever makes SALESmanago's events of a resource the desired ones.

    With ``cart_stays`` a cart that was announced and is not desired any more stays all the same: it is what happened,
    and its purchase stands beside it. With ``moved`` the resource has become another contact's: SALESmanago can change
    an event but not whose it is, so each is removed and added again.
    """
    known = {link.key.slot: link for link in scene.notes.events(scene.shop.key, kind, resource_id)}
    subject = ContactSubject(email)
    for event in desired:
        key = EventKey(scene.shop.key, kind, resource_id, event.slot)
        digest = known[event.slot].digest if event.slot in known else None
        if moved and digest is not None:
            # In the new contact's queue, so that it is done before the event is added.
            scene.ask(Command(CommandKind.EVENT_DELETE, subject, {}, key), "the event belongs to another contact now")
            digest = None
        _put(scene, event, key, subject, names, digest)
    wanted = {event.slot for event in desired}
    for slot, link in known.items():
        if slot not in wanted and link.digest is not None and not (slot == CART and cart_stays):
            take_back(scene, link.key, email)


def take_back(scene: Scene, key: EventKey, email: str) -> None:
    """Ask for an event to be removed."""
    rule = f"the {key.slot.partition(':')[0]} is not true any more"
    scene.ask(Command(CommandKind.EVENT_DELETE, ContactSubject(email), {}, key), rule)


def with_catalog_ids(lines: Sequence[Line], shop: Shop) -> tuple[Line, ...]:
    """Fill in what SALESmanago knows each line's product by."""
    id_of = _IDS[shop.product_id]
    return tuple(
        line if line.catalog_id == (catalog_id := id_of(line)) else replace(line, catalog_id=catalog_id)
        for line in lines
    )


def listed(sale: Sale, shop: Shop) -> Sale:
    """Give an order or cart with what SALESmanago knows the products of its lines by."""
    lines = with_catalog_ids(sale.lines, shop)
    return sale if lines == sale.lines else replace(sale, lines=lines)


def _put(
    scene: Scene, event: DesiredEvent, key: EventKey, subject: ContactSubject, names: Names, digest: str | None
) -> None:
    view = EventView(event.type, event.date, event.value)
    lines = with_catalog_ids(event.lines, scene.shop)
    fields = scene.mapping.event(event.type, {**names, "lines": lines, "event": view})
    values = {"contactExtEventType": event.type, "date": event.date, **fields.values}
    joined, cuts = join_lists(values, fields.separators, EVENT_LIMITS)
    shaped = event_payload(joined)
    payload = {"contactEvent": shaped.payload}
    shaped_digest = jsontext.digest(payload)
    if shaped_digest != digest:
        command = Command(CommandKind.EVENT_PUT, subject, payload, key, (*cuts, *shaped.warnings), shaped_digest)
        scene.ask(command, event.rule, fields.sources)
