"""The product feed as XML: one element per product, one per field, in the order of ``docs/feed.xsd``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from xml.sax.saxutils import escape

from relay.errors import PayloadInvalid
from relay.log import get_logger
from relay.memory import CatalogItem
from schemas.salesmanago import feed_item

_log = get_logger(__name__)

FIELDS = (
    "id",
    "name",
    "description",
    "category",
    "sub_category",
    "brand",
    "sex",
    "price",
    "special_price",
    "detail1",
    "detail2",
    "detail3",
    "detail4",
    "detail5",
    "url",
    "image_url",
    "image2_url",
    "stock_available",
    "color",
    "season",
)
"""The feed's elements, those of the integration's product."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<products>\n'
_TAIL = "</products>\n"


def feed_xml(items: Iterable[CatalogItem]) -> Iterator[str]:
    """Write the feed piece by piece. A product that SALESmanago could not take is left out, and counted in the log."""
    left_out = 0
    yield _HEAD
    for item in items:
        try:
            yield _product(feed_item(item.fields).payload)
        except PayloadInvalid:
            left_out += 1
    yield _TAIL
    if left_out:
        _log.warning("feed_products_left_out", count=left_out)


def _product(fields: dict[str, object]) -> str:
    elements = (f"    <{name}>{_text(fields[name])}</{name}>\n" for name in FIELDS if name in fields)
    return f"  <product>\n{''.join(elements)}  </product>\n"


def _text(value: object) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    # A carriage return would come out of an XML parser as a line feed.
    return escape(_NOT_XML.sub("", text).replace("\r", ""))
