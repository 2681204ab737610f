"""The platform-neutral records: what a shop's body says, whoever made the shop.

Frozen values only. Money is ``Decimal``, time is aware UTC, ids are text. ``None`` (and an empty tuple or mapping)
means "the body does not say", never "no". Mapping files use
these field names, so renaming one breaks users' files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from relay.changes import AccountMerge, ConsentChange, Piece, StockChange, TagChange
from relay.privacy import CustomerRedaction, DataRequest, ShopRedaction


class ResourceKind(StrEnum):
    """The kinds of shop resource the relay remembers."""

    CUSTOMER = "customer"
    ORDER = "order"
    CART = "cart"
    PRODUCT = "product"
    INVENTORY = "inventory"  # what a shop counts the stock of, where that is told apart from its product


class OrderStatus(StrEnum):
    """What a platform's own status word amounts to. Each platform declares a table from its words to these."""

    DRAFT = "draft"  # a checkout in progress, not submitted: a cart, announced at once
    PENDING = "pending"  # submitted, payment not made: a cart once cart_after has passed
    FAILED = "failed"  # payment refused, may be tried again: a cart once cart_after has passed
    PLACED = "placed"  # the order stands, money is still to come (bank transfer, authorisation)
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    DELETED = "deleted"  # in the trash: treated as a deletion
    UNKNOWN = "unknown"  # a custom word nobody mapped: never a purchase


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. ``country`` is an ISO 3166 two-letter code where the body gives one, else its text."""

    name: str | None = None
    company: str | None = None
    street: str | None = None  # all street lines joined by one blank
    zip_code: str | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """Marketing consent as stated by the body: True opted in, False opted out, None not said."""

    email: bool | None = None
    sms: bool | None = None
    email_at: datetime | None = None
    sms_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """A person: an account, or the buyer of an order or cart (then ``id`` is None for guests)."""

    id: str | None = None
    email: str | None = None  # as given; compare lower-cased
    name: str | None = None  # full name in one string
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    company: str | None = None
    address: Address | None = None
    birthday: date | None = None
    language: str | None = None  # ISO 639-1, lower case
    role: str | None = None  # WooCommerce user role; staff are no contacts
    tags: tuple[str, ...] = ()
    removed_tags: tuple[str, ...] = ()  # tags the person had once and has no more, as far as the shop tells
    consent: Consent = Consent()
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order or cart. The engine fills in ``catalog_id`` from the shop's ``product_id`` setting."""

    id: str | None = None
    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    name: str | None = None
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    total: Decimal | None = None  # what the line costs, as the platform states it
    catalog_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back on an order; ``amount`` is positive, in the order's currency."""

    id: str
    amount: Decimal
    at: datetime | None = None
    reason: str | None = None
    lines: tuple[Line, ...] = ()  # what was given back; empty where only an amount is known


@dataclass(frozen=True, slots=True)
class Order:
    """An order in the shop's currency. ``total`` and ``lines`` are what was ordered, edits included, refunds not."""

    id: str
    number: str | None = None  # the human one, "#1001"
    key: str | None = None  # the platform's secret-ish order key; never logged
    customer: Customer | None = None
    status: str | None = None  # the platform's own word
    currency: str | None = None
    total: Decimal | None = None
    shipping_total: Decimal | None = None
    tax_total: Decimal | None = None
    discount_total: Decimal | None = None
    lines: tuple[Line, ...] = ()
    refunds: tuple[Refund, ...] = ()
    payment_method: str | None = None
    payment_title: str | None = None
    shipping_methods: tuple[str, ...] = ()
    coupons: tuple[str, ...] = ()
    note: str | None = None
    source: str | None = None  # web, pos, checkout, admin, rest-api, ...
    language: str | None = None
    tags: tuple[str, ...] = ()
    checkout_token: str | None = None  # equals Cart.id of the checkout it came from
    cart_token: str | None = None
    test: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    placed_at: datetime | None = None  # the purchase's own date: processed_at / date_created_gmt
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cart:
    """A checkout in progress. ``completed_at`` is set once it became an order."""

    id: str  # the checkout token
    cart_token: str | None = None
    customer: Customer | None = None
    currency: str | None = None
    total: Decimal | None = None
    lines: tuple[Line, ...] = ()
    recovery_url: str | None = None
    note: str | None = None
    source: str | None = None
    language: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One sellable form of a product. ``price`` is what is paid now, ``regular_price`` what it costs without a sale."""

    id: str | None = None
    sku: str | None = None
    title: str | None = None  # "M / blue"; None for a product's only variant
    barcode: str | None = None
    price: Decimal | None = None
    regular_price: Decimal | None = None
    stock: int | None = None  # None: not counted
    available: bool | None = None
    image: str | None = None
    url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)  # option name, lower case -> value
    inventory_item_id: str | None = None  # under which the shop tells its stock apart from the product
    backorders: bool | None = None  # whether it can be bought when there is no stock left


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the shop's catalogue. ``published`` is False when a visitor cannot buy or see it."""

    id: str
    parent_id: str | None = None  # set on a WooCommerce variation that arrives as a product of its own
    sku: str | None = None
    name: str | None = None
    description: str | None = None  # plain text
    url: str | None = None  # None where the platform gives only a handle
    handle: str | None = None
    vendor: str | None = None
    type: str | None = None  # the platform's own word
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)  # attribute name, lower case -> values joined by ", "
    price: Decimal | None = None
    regular_price: Decimal | None = None
    stock: int | None = None
    available: bool | None = None
    published: bool = True
    named_variants: tuple[str, ...] = ()  # ids of variants that exist too, of which the body says no more
    shares_stock: bool = False  # a variation whose stock is that of its parent
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """A resource was removed (or put in the trash); platforms send nothing but its id."""

    kind: ResourceKind
    id: str


@dataclass(frozen=True, slots=True)
class PlatformError:
    """A signed error body delivered in place of the resource (WooCommerce does this); to be ignored, with its code."""

    code: str
    status: int | None = None


Change: TypeAlias = Piece | ConsentChange | TagChange | AccountMerge | StockChange
Plea: TypeAlias = DataRequest | CustomerRedaction | ShopRedaction
Record: TypeAlias = Customer | Order | Cart | Product | Deletion | Change | Plea | PlatformError
