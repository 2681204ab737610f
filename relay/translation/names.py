"""The names a mapping's expressions may use, table by table, and the views of shop and group that hold no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from relay.commerce import Address, Cart, Consent, Customer, Line, Order, Product, Refund, Variant
from relay.shops import Group, Shop


@dataclass(frozen=True, slots=True)
class ShopView:
    """What expressions see of a shop."""

    key: str
    platform: str
    location: str  # SALESmanago's e-shop id
    url: str | None = None  # public storefront, without a slash at the end
    domain: str | None = None
    currency: str | None = None
    timezone: str = "UTC"
    product_id: str = "product"  # what SALESmanago knows a product by: product, variant or sku

    @classmethod
    def of(cls, shop: Shop) -> ShopView:
        """Give the view of a configured shop."""
        return cls(
            key=shop.key,
            platform=shop.platform,
            location=shop.location,
            url=shop.url.rstrip("/") if shop.url else None,
            domain=next(iter(shop.domains), None),
            currency=shop.currency,
            timezone=shop.timezone.key,
            product_id=shop.product_id,
        )


@dataclass(frozen=True, slots=True)
class GroupView:
    """What expressions see of a group."""

    key: str
    location: str
    currency: str | None = None

    @classmethod
    def of(cls, group: Group) -> GroupView:
        """Give the view of a configured group."""
        return cls(key=group.key, location=group.location, currency=group.currency)


@dataclass(frozen=True, slots=True)
class EventView:
    """The event that the rules decided on, before the mapping adds its fields."""

    type: str
    date: datetime | None = None
    value: Decimal | None = None


VIEWS = (ShopView, GroupView, EventView)
RECORDS = (Customer, Address, Consent, Order, Cart, Line, Refund, Product, Variant)

ANYTHING = Any
"""The annotation of names whose shape nobody declares: a body as it was received."""

_EVERYWHERE: Mapping[str, Any] = {"shop": ShopView, "group": GroupView, "raw": ANYTHING}
_API: Mapping[str, Any] = {"group": GroupView, "raw": ANYTHING, "data": ANYTHING}

NAMES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "contact": {**_EVERYWHERE, "customer": Customer, "order": Order, "cart": Cart},
        "event": {
            **_EVERYWHERE,
            "customer": Customer,
            "order": Order,
            "cart": Cart,
            "lines": tuple[Line, ...],
            "event": EventView,
        },
        "product": {**_EVERYWHERE, "product": Product, "variant": Variant},
        "api.contacts": _API,
        "api.events": _API,
        "api.products": _API,
    }
)
"""Table of a mapping file -> name -> its type. What does not apply to a delivery (``cart`` of an order) is absent."""
