"""Groups and shops as configured: one SALESmanago account each, and the stores that feed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from relay.errors import UnknownShop


@dataclass(frozen=True, slots=True)
class Catalog:
    """Access to SALESmanago's catalogue API (v3). Without ``id`` the catalogue is found by location or created."""

    endpoint: str
    api_key: str = field(repr=False)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """One SALESmanago account. ``key`` is the ``group_key`` of the REST API."""

    key: str
    endpoint: str
    client_id: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    owner: str
    location: str  # SALESmanago's e-shop id
    mapping: str = "default"
    currency: str | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    products: frozenset[Literal["feed", "catalog"]] = frozenset()
    catalog: Catalog | None = None
    feed_token: str | None = field(default=None, repr=False)
    requests_per_minute: int | None = None  # None: no limit


@dataclass(frozen=True, slots=True)
class Shop:
    """One store. ``location`` is the group's unless the shop has an e-shop id of its own."""

    key: str
    platform: str
    group: str
    location: str
    secrets: tuple[str, ...] = field(repr=False)
    mapping: str = "default"  # the shop's own or its group's
    domains: tuple[str, ...] = ()
    url: str | None = None
    currency: str | None = None
    timezone: ZoneInfo = ZoneInfo("UTC")
    purchase_when: Literal["placed", "paid"] = "placed"
    product_id: Literal["product", "variant", "sku"] = "product"
    statuses: Mapping[str, str] = field(default_factory=dict)  # custom status word -> the platform's own word
    cart_after: timedelta = timedelta(minutes=30)
    on_customer_delete: Literal["ignore", "opt_out", "delete"] = "ignore"
    on_shop_redact: Literal["keep", "delete"] = "keep"
    ignore_orders_before: datetime | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """All groups and shops of the configuration."""

    groups: Mapping[str, Group]
    shops: Mapping[str, Shop]

    def shop(self, key: str) -> Shop:
        """Give the shop of this key; raises UnknownShop."""
        try:
            return self.shops[key]
        except KeyError:
            raise UnknownShop from None

    def group_of(self, shop: Shop) -> Group:
        """Give the group a shop feeds."""
        return self.groups[shop.group]
