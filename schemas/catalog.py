"""One catalogue item, in the integration's field names, in the two forms SALESmanago takes products in.

``product_payload`` is a product of the catalogue API (v3), ``feed_item`` an item of the XML feed. Their limits differ,
so a text may be whole in one and cut in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from schemas.outgoing import (
    Amount,
    Extra,
    Identifier,
    OutgoingSchema,
    Shaped,
    Text,
    WebAddress,
    Whole,
    shape,
)
from schemas.values import as_text

DETAILS = tuple(f"detail{number}" for number in range(1, 6))
NO_CATEGORY = "Uncategorized"  # the word SALESmanago's own library fills in
GENDERS = frozenset({"-1", "0", "1", "2", "4"})  # undefined, female, male, other, unisex

_PRODUCT_ID = 32  # SALESmanago's sources disagree (32 or 255); what fits the smaller one fits everywhere
_CATEGORY = 255


def product_payload(fields: Mapping[str, Any], active: bool) -> Shaped:
    """Shape an item as a product of ``/v3/product/upsert``; one that is not active is neither shown nor for sale.

    ``available`` follows the stock unless ``fields`` say it themselves (backorders). An absent special price or detail
    is cleared, so that an ended sale ends in SALESmanago too. Raises: PayloadInvalid naming the field.
    """
    product = shape(_PRODUCT, fields)
    product.payload["active"] = active
    product.payload["available"] = active and product.payload["available"]
    return product


def feed_item(fields: Mapping[str, Any]) -> Shaped:
    """Shape an item for the feed: texts, whole numbers and Decimals with two decimals, under the integration's names.

    Raises: PayloadInvalid naming the field.
    """
    return shape(_FEED_ITEM, fields)


def gender(value: object) -> int | None:
    """Give SALESmanago's number for whom a product is made, None for anything else."""
    text = as_text(value)
    return int(text) if text in GENDERS else None


_SEX = "one of the numbers -1, 0, 1, 2 and 4"


class Stock(Whole):
    """Pieces in stock. Shops count below zero for backorders; SALESmanago counts from zero."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        return max(0, super()._deserialize(value, attr, data, **kwargs))


class ProductSchema(OutgoingSchema):
    """A product of the catalogue API. Source: the official client library's product entity, and the integration."""

    id = Identifier(_PRODUCT_ID, attribute="productId", required=True)
    name = Text(255, required=True)
    category = Text(_CATEGORY, attribute="mainCategory")
    sub_category = Text(_CATEGORY)
    description = Text(16384)
    url = WebAddress(2048, attribute="productUrl")
    image_url = WebAddress(2048, attribute="mainImageUrl")
    image2_url = WebAddress(2048)
    price = Amount(required=True, negative=False)
    special_price = Amount(attribute="discountPrice", negative=False)
    stock_available = Stock(attribute="quantity")
    available = fields.Boolean()
    brand = Text(255, attribute="systemDetails.brand")
    sex = Extra(gender, _SEX, attribute="systemDetails.gender")
    color = Text(25, attribute="systemDetails.color")
    season = Text(40, attribute="systemDetails.season")
    detail1 = Text(512, attribute="customDetails.detail1")
    detail2 = Text(512, attribute="customDetails.detail2")
    detail3 = Text(512, attribute="customDetails.detail3")
    detail4 = Text(512, attribute="customDetails.detail4")
    detail5 = Text(512, attribute="customDetails.detail5")

    def completed(self, product: dict[str, Any]) -> dict[str, Any]:
        """Gather the lists, settle what follows from other fields and name what is to be cleared."""
        categories = [product.get("mainCategory"), product.pop("sub_category", None)]
        product["categories"] = [name for name in categories if name]
        product.setdefault("mainCategory", NO_CATEGORY)
        product["imageUrls"] = [link for link in [product.pop("image2_url", None)] if link]
        product.setdefault("available", product.get("quantity", 1) > 0)
        cleared = [] if "discountPrice" in product else ["discountPrice"]
        product["setAsNull"] = cleared + [name for name in DETAILS if name not in product.get("customDetails", {})]
        return {name: value for name, value in product.items() if value != []}


class FeedItemSchema(OutgoingSchema):
    """An item of the feed, with the integration's limits."""

    id = Identifier(_PRODUCT_ID, required=True)
    name = Text(100, required=True)
    description = Text(1024)
    category = Text(255)
    sub_category = Text(512)
    brand = Text(512)
    sex = Extra(gender, _SEX)
    price = Amount(required=True, negative=False)
    special_price = Amount(negative=False)
    detail1 = Text(512)
    detail2 = Text(512)
    detail3 = Text(512)
    detail4 = Text(512)
    detail5 = Text(512)
    url = WebAddress(512)
    image_url = WebAddress(512)
    image2_url = WebAddress(128)
    stock_available = Stock()
    color = Text(40)
    season = Text(40)


_PRODUCT = ProductSchema()
_FEED_ITEM = FeedItemSchema()
