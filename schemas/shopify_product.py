"""Shopify's products as records. The bodies carry neither a currency nor the page's address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

from marshmallow import fields

from relay.commerce import Product, Variant
from relay.shops import Shop
from schemas.fields import (
    Id,
    LenientSchema,
    MarkupText,
    Money,
    NestedList,
    NestedObject,
    Text,
    TextList,
    Timestamp,
    Values,
    Whole,
    load,
)

# What Shopify calls the only variant of a product that has no choices.
_NO_CHOICE = "Default Title"


class VariantSchema(LenientSchema):
    """One sellable form. Version 2024-07 removed ``inventory_management``; before, its null meant "not counted"."""

    id = Id()
    sku = Text()
    title = Text()
    barcode = Text()
    price = Money()
    compare_at_price = Money()
    image_id = Id()
    option1 = Text()
    option2 = Text()
    option3 = Text()
    inventory_item_id = Id()
    inventory_quantity = Whole()
    inventory_policy = Text()
    # Left without a default: an absent key and null mean different things.
    inventory_management = fields.Raw(allow_none=True)


class OptionSchema(LenientSchema):
    """A choice the product offers; the first one is what a variant calls ``option1``."""

    name = Text()
    values = TextList()


class ImageSchema(LenientSchema):
    """A picture."""

    id = Id()
    src = Text()


class CategorySchema(LenientSchema):
    """A place in Shopify's own taxonomy, since 2024-10."""

    name = Text()
    full_name = Text()


class NameSchema(LenientSchema):
    """A variant by its id alone."""

    id = Id()
    admin_graphql_api_id = Text()


class ProductSchema(LenientSchema):
    """A product with its first hundred variants; the rest are only named in ``variant_gids`` (once ``variant_ids``)."""

    id = Id(required=True)
    title = Text()
    body_html = MarkupText()
    handle = Text()
    vendor = Text()
    product_type = Text()
    category = NestedObject(CategorySchema)
    tags = TextList()
    status = Text()
    images = NestedList(ImageSchema)
    image = NestedObject(ImageSchema)
    variants = NestedList(VariantSchema)
    variant_gids = NestedList(NameSchema)
    variant_ids = NestedList(NameSchema)
    options = NestedList(OptionSchema)
    created_at = Timestamp()
    updated_at = Timestamp()
    # Left without a default: null takes the product off the online store, an absent key says nothing.
    published_at = fields.Raw(allow_none=True)


_PRODUCT = ProductSchema()


def read_product(body: object, shop: Shop) -> Product:
    """Read the body of products/create and products/update; raises PayloadInvalid.

    The product's own price is that of its cheapest variant, as Shopify's storefront shows it.
    """
    values = load(_PRODUCT, body)
    published = _published(values)
    url = _url(values["handle"], shop) if published else None
    variants = _variants(values, url)
    cheapest = min(
        (one for one in variants if one.price is not None), key=lambda one: one.price or Decimal(0), default=Variant()
    )
    complete = len(variants) >= max(len(values["variant_gids"]), len(values["variant_ids"]))
    described = {variant.id for variant in variants}
    return Product(
        id=values["id"],
        sku=variants[0].sku if len(variants) == 1 else None,
        name=values["title"],
        description=values["body_html"],
        url=url,
        handle=values["handle"],
        vendor=values["vendor"],
        type=values["product_type"],
        categories=_categories(values),
        tags=values["tags"],
        images=_images(values),
        variants=variants,
        attributes=_attributes(values["options"]),
        price=cheapest.price,
        regular_price=cheapest.regular_price,
        stock=_total_stock(variants) if complete else None,
        available=_available(variants, complete=complete),
        published=published,
        named_variants=tuple(name for name in _names(values) if name not in described),
        created_at=values["created_at"],
        updated_at=values["updated_at"],
    )


def _names(values: Values) -> Iterator[str]:
    """Give the ids of all variants that the body names: bare ones, or gids such as gid://shopify/ProductVariant/1."""
    for one in (*values["variant_gids"], *values["variant_ids"]):
        gid = one["admin_graphql_api_id"] or ""
        if name := one["id"] or gid.rpartition("/")[2]:
            yield name


def _published(values: Values) -> bool:
    """Tell whether the online store shows the product. Bodies before 2020-10 have no status."""
    off_store = "published_at" in values and not values["published_at"]
    return not off_store and (values["status"] or "active").lower() == "active"


def _url(handle: str | None, shop: Shop) -> str | None:
    base = shop.url or (f"https://{shop.domains[0]}" if shop.domains else None)
    return f"{base.rstrip('/')}/products/{quote(handle)}" if base and handle else None


def _categories(values: Values) -> tuple[str, ...]:
    """Give the path through Shopify's taxonomy, outermost first; else the merchant's own product type."""
    category = values["category"] or {}
    path = category.get("full_name") or category.get("name") or ""
    names = tuple(name.strip() for name in path.split(" > ") if name.strip())
    return names or ((values["product_type"],) if values["product_type"] else ())


def _images(values: Values) -> tuple[str, ...]:
    images = values["images"] or ([values["image"]] if values["image"] else [])
    return tuple(image["src"] for image in images if image["src"])


def _attributes(options: Sequence[Values]) -> dict[str, str]:
    return {
        option["name"].lower(): ", ".join(option["values"])
        for option in options
        if option["name"] and option["values"] and option["values"] != (_NO_CHOICE,)
    }


def _variants(values: Values, url: str | None) -> tuple[Variant, ...]:
    names = [(option["name"] or "").lower() for option in values["options"]]
    pictures = {image["id"]: image["src"] for image in values["images"] if image["id"]}
    several = len(values["variants"]) > 1
    return tuple(
        _variant(one, names, pictures, f"{url}?variant={one['id']}" if several and url and one["id"] else url)
        for one in values["variants"]
    )


def _variant(values: Values, names: Sequence[str], pictures: Mapping[str, str | None], url: str | None) -> Variant:
    price, compare_at = values["price"], values["compare_at_price"]
    on_sale = price is not None and compare_at is not None and compare_at > price
    chosen = zip(names, (values[f"option{place}"] for place in (1, 2, 3)), strict=False)
    return Variant(
        id=values["id"],
        sku=values["sku"],
        title=None if values["title"] == _NO_CHOICE else values["title"],
        barcode=values["barcode"],
        price=price,
        # A compare-at price at or below the price is no sale, though shops send it.
        regular_price=compare_at if on_sale else None,
        stock=values["inventory_quantity"] if _counted(values) else None,
        available=_sellable(values),
        image=pictures.get(values["image_id"]),
        url=url,
        options={name: value for name, value in chosen if name and value and value != _NO_CHOICE},
        inventory_item_id=values["inventory_item_id"],
        backorders=_backorders(values),
    )


def _counted(values: Values) -> bool:
    return bool(values.get("inventory_management", "unsaid"))


def _backorders(values: Values) -> bool | None:
    policy = values["inventory_policy"]
    return None if policy is None else policy == "continue"


def _sellable(values: Values) -> bool | None:
    if not _counted(values) or _backorders(values):
        return True
    quantity: int | None = values["inventory_quantity"]
    return None if quantity is None else quantity > 0


def _total_stock(variants: Sequence[Variant]) -> int | None:
    """Add up the stock, unless one of the variants is not counted."""
    counts = [one.stock for one in variants if one.stock is not None]
    return sum(counts) if counts and len(counts) == len(variants) else None


def _available(variants: Sequence[Variant], *, complete: bool) -> bool | None:
    states = {one.available for one in variants}
    if True in states:
        return True
    return False if complete and states == {False} else None
