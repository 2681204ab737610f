"""Opening a delivery: its body parsed and read, and what its translation will most likely look up in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relay import jsontext
from relay.commerce import Cart, Customer, Order, Record, ResourceKind
from relay.errors import PayloadInvalid
from relay.memory import Outlook, ResourceKey
from relay.platforms import Topic
from relay.shops import Shop
from relay.translation.rules.events import listed


@dataclass(frozen=True, slots=True)
class Opened:
    """What a delivery says, before anything is known of what it is about."""

    body: Mapping[str, Any]
    record: Record
    outlook: Outlook


def opened(body: bytes, topic: Topic, shop: Shop) -> Opened:
    """Open the body of a delivery; raises PayloadInvalid."""
    said = parsed(body)
    record = topic.read(said, shop)
    match record:
        case Order():
            record = listed(record, shop)
        case Cart():
            record = listed(record, shop)
    return Opened(said, record, _outlook(record, shop))


def parsed(body: bytes) -> Any:
    """Parse the JSON of a body; raises PayloadInvalid."""
    if not body.strip():
        raise PayloadInvalid("The body is empty.")
    try:
        return jsontext.loads(body)
    except (ValueError, RecursionError):
        raise PayloadInvalid("The body is not JSON. In Shopify, choose JSON as the webhook's format.") from None


def _outlook(record: Record, shop: Shop) -> Outlook:
    """Guess what the rules will read: it is worth the while for what comes in numbers, which products do not."""
    match record:
        case Order():
            carts = _keys(shop, ResourceKind.CART, record.checkout_token)
            return _sale(shop, (shop.key, ResourceKind.ORDER, record.id), carts, record.customer)
        case Cart():
            return _sale(shop, (shop.key, ResourceKind.CART, record.id), (), record.customer)
        case Customer():
            return Outlook(_keys(shop, ResourceKind.CUSTOMER, record.id), (), _people(shop, record))
    return Outlook()


def _sale(shop: Shop, own: ResourceKey, others: tuple[ResourceKey, ...], buyer: Customer | None) -> Outlook:
    accounts = _keys(shop, ResourceKind.CUSTOMER, buyer.id if buyer else None)
    return Outlook((own, *others, *accounts), (own,), _people(shop, buyer))


def _keys(shop: Shop, kind: ResourceKind, resource_id: str | None) -> tuple[ResourceKey, ...]:
    return () if resource_id is None else ((shop.key, kind, resource_id),)


def _people(shop: Shop, person: Customer | None) -> tuple[tuple[str, str], ...]:
    return ((shop.group, person.email.lower()),) if person and person.email else ()
