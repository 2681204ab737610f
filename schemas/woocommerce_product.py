"""WooCommerce's products and variations as records.

The bodies carry no currency, and prices as the shop enters them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from relay.commerce import Product, Variant
from relay.shops import Shop
from schemas.fields import (
    Flag,
    Id,
    LenientSchema,
    MarkupText,
    Money,
    NestedList,
    Text,
    TextList,
    Values,
    Whole,
    items_of,
    load,
)
from schemas.text import html_to_text, plain_text
from schemas.woocommerce_body import DatedSchema, changed_at, moment

_STOCK_STATES = {"instock": True, "onbackorder": True, "outofstock": False}
_PARENT = "parent"
_BACKORDERS = frozenset({"yes", "notify"})
# Names of attributes that shops keep the brand in; core has brands of its own since 9.6.
_BRAND_ATTRIBUTES = ("brand", "brands", "manufacturer")


class NameList(TextList):
    """Names as plain text: texts (legacy v3, attribute options) or objects that have a ``name`` (terms)."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...]:
        texts = (plain_text(item.get("name") if isinstance(item, dict) else item) for item in items_of(value))
        return tuple(name for text in texts if text and (name := html_to_text(text)))


class ImageSchema(LenientSchema):
    """A picture. v1 and v2 send a placeholder with id 0 where there is none."""

    id = Text()
    src = Text()


class AttributeSchema(LenientSchema):
    """A property: all its ``options`` on a product, the one ``option`` on a variation."""

    name = MarkupText()
    options = NameList()
    option = MarkupText()


class SellableSchema(LenientSchema):
    """What products and variations share. ``manage_stock`` is "parent" where a parent counts for its variations."""

    id = Id(required=True)
    sku = Text()
    price = Money()
    regular_price = Money()
    permalink = Text()
    manage_stock = Flag()
    stock_quantity = Whole()
    stock_status = Text()
    in_stock = Flag()  # v1, v2 and legacy v3
    backorders = Text()
    attributes = NestedList(AttributeSchema)


class VariationSchema(SellableSchema):
    """A variation within its product, as v1, legacy v3 and some plugins send them. v2 and v3 name only ids."""

    visible = Flag()
    image = NestedList(ImageSchema)


class ProductSchema(SellableSchema, DatedSchema):
    """A product, or a variation that arrives as one (``type`` says so and ``parent_id`` names its product)."""

    parent_id = Id()
    name = MarkupText()
    slug = Text()
    type = Text()
    status = Text()
    catalog_visibility = Text()
    post_password = Text()
    description = MarkupText()
    short_description = MarkupText()
    categories = NameList()
    tags = NameList()
    brands = NameList()
    images = NestedList(ImageSchema)
    variations = NestedList(VariationSchema)


_PRODUCT = ProductSchema()


def product(body: object, shop: Shop) -> Product:
    """Read a product or a variation; raises PayloadInvalid.

    ``price`` is what is paid now. The sale fields are left out, since ``on_sale`` can be true without a sale price and
    the reverse. A variable product's price is that of its cheapest variation.
    """
    values = load(_PRODUCT, body)
    attributes = _attributes(values["attributes"])
    return Product(
        id=values["id"],
        parent_id=values["parent_id"],
        sku=values["sku"],
        name=values["name"],
        description=values["short_description"] or values["description"],
        url=values["permalink"],
        handle=values["slug"],
        vendor=_brand(values["brands"], attributes),
        type=values["type"],
        categories=values["categories"],
        tags=values["tags"],
        images=_images(values["images"]),
        variants=tuple(_variant(one) for one in values["variations"]),
        attributes=attributes,
        price=values["price"],
        regular_price=_regular_price(values),
        stock=_stock(values),
        available=_available(values),
        published=_published(values),
        shares_stock=isinstance(body, dict) and body.get("manage_stock") == _PARENT,
        created_at=moment(values, "date_created", shop),
        updated_at=changed_at(values, shop),
    )


def _published(values: Values) -> bool:
    """Tell whether a visitor can see and buy the product. A grouped product is a page about others, without a price."""
    return (
        (values["status"] or "publish") == "publish"
        and values["catalog_visibility"] != "hidden"
        and values["post_password"] is None
        and values["price"] is not None
        and values["type"] != "grouped"
    )


def _variant(values: Values) -> Variant:
    options = _attributes(values["attributes"])
    return Variant(
        id=values["id"],
        sku=values["sku"],
        title=" / ".join(options.values()) or None,
        price=values["price"],
        regular_price=_regular_price(values),
        stock=_stock(values),
        available=False if values["visible"] is False else _available(values),
        image=next(iter(_images(values["image"])), None),
        url=values["permalink"],
        options=options,
    )


def _regular_price(values: Values) -> Decimal | None:
    price, regular_price = values["price"], values["regular_price"]
    on_sale = price is not None and regular_price is not None and regular_price > price
    return regular_price if on_sale else None


def _stock(values: Values) -> int | None:
    """Give the stock unless the shop says it does not count. Backorders make it negative."""
    stock: int | None = None if values["manage_stock"] is False else values["stock_quantity"]
    return stock


def _available(values: Values) -> bool | None:
    """Tell whether it can be had: by the stock word, else by v1's flag, else (a plugin's word) by the stock."""
    by_word = _STOCK_STATES.get(values["stock_status"] or "")
    if by_word is not None:
        return by_word
    if values["in_stock"] is not None:
        return bool(values["in_stock"])
    stock = _stock(values)
    return None if stock is None else stock > 0 or values["backorders"] in _BACKORDERS


def _attributes(items: Sequence[Values]) -> dict[str, str]:
    chosen = ((item["name"], item["option"] or ", ".join(item["options"])) for item in items)
    return {name.lower(): values for name, values in chosen if name and values}


def _brand(brands: Sequence[str], attributes: Mapping[str, str]) -> str | None:
    candidates = (*brands, *(attributes.get(name) for name in _BRAND_ATTRIBUTES))
    return next((name for name in candidates if name), None)


def _images(items: Iterable[Values]) -> tuple[str, ...]:
    return tuple(item["src"] for item in items if item["src"] and item["id"] != "0")
