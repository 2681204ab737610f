"""What SALESmanago was told of a ledger's orders, in the terms of its books, and the relay's settings for its shops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from relay.shops import Shop
from tests.support.ledger import CENTS, Life, Sums, entry
from tests.support.ledger import Shop as LedgerShop

_PLACE = {"PURCHASE": "sold", "RETURN": "returned", "CANCELLATION": "undone"}
_WHEN: Mapping[str, Literal["placed", "paid"]] = {"shopify": "placed", "woocommerce": "paid"}


def relay_shop(shop: LedgerShop) -> Shop:
    """Give a ledger's shop as the relay is set up for it: an e-shop of its own, in its currency."""
    return Shop(
        key=shop.key,
        platform=shop.platform,
        group="main",
        location=shop.key,
        secrets=(f"an-invented-secret-of-{shop.key}",),
        domains=(f"{shop.key.replace('_', '-')}.myshopify.com",),
        url=f"https://{shop.key.replace('_', '-')}.example",
        currency=shop.currency,
        timezone=ZoneInfo(shop.zone),
        purchase_when=_WHEN[shop.platform],
    )


def told_by_order(events: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Sums]:
    """Add up SALESmanago's events by (e-shop, order)."""
    told: defaultdict[tuple[str, str], Sums] = defaultdict(Sums)
    for event in events:
        if place := _PLACE.get(event["contactExtEventType"]):
            told[event["location"], event["externalId"]] += Sums(**{place: amount_of(event)})
    return dict(told)


def told_by_currency(events: Iterable[Mapping[str, Any]]) -> dict[str, Sums]:
    """Add up SALESmanago's events by the currency they say they are in."""
    told: defaultdict[str, Sums] = defaultdict(Sums)
    for event in events:
        if place := _PLACE.get(event["contactExtEventType"]):
            told[event["detail9"]] += Sums(**{place: amount_of(event)})
    return dict(told)


def amount_of(event: Mapping[str, Any]) -> Decimal:
    """Give an event's value; one of nothing may be left out."""
    value = Decimal(str(event.get("value", 0)))
    assert value == value.quantize(CENTS), "SALESmanago takes two decimals"
    return value


def differences(lives: Iterable[Life], told: Mapping[tuple[str, str], Sums]) -> dict[str, tuple[Sums, Sums]]:
    """Give every order of which the books say something else than SALESmanago, as {order: (books, told)}."""
    found = {}
    left = dict(told)
    for life in lives:
        key = (life.shop.key, str(life.id))
        books, said = entry(life), left.pop(key, Sums())
        if books != said:
            found[f"{life.story} {life.shop.key} {life.id}"] = (books, said)
    return found | {f"unknown {shop} {order}": (Sums(), said) for (shop, order), said in left.items()}
