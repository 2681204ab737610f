"""The feed holds what shops send, however odd: it fits its published schema, and never stands in memory as a whole.

``python -m benchmarks.feed`` reads one of a hundred thousand products out of a real gunicorn.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.feed_xml import FIELDS, feed_xml
from relay import jsontext
from relay.memory import CatalogItem
from relay.store.items import PAGE
from tests.support import shopify, woocommerce
from tests.support.rest import FEED_TOKEN, Rest
from tests.support.world import World

FEED = f"/feeds/main.xml?token={FEED_TOKEN}"
XSD = Path(__file__).parents[2] / "docs" / "feed.xsd"
ITEMS = 5_000
# Derandomized, so that a run of the suite fails for what was changed and for nothing else.
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
AT = "2026-05-01T10:00:00Z"

_ANY_TEXT = st.text(st.characters(), max_size=40) | st.text(st.sampled_from("\x00\r\n\t ]>&<\ud800\ufffe\U0001f600x"))
_LONG_TEXT = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=5), st.integers(1, 400))
_NUMBERS = (
    st.decimals(allow_nan=False, allow_infinity=False, places=4) | st.integers() | st.sampled_from([0, -1, 10**25])
)
ODD = st.one_of(st.none(), st.booleans(), _ANY_TEXT, _LONG_TEXT, _NUMBERS, st.lists(_ANY_TEXT, max_size=2))
SHOPIFY_KEYS = (
    "title",
    "body_html",
    "vendor",
    "product_type",
    "handle",
    "tags",
    "category",
    "images",
    "options",
    "variants",
)
WOOCOMMERCE_KEYS = (
    "name", "short_description", "description", "sku", "permalink", "regular_price", "stock_quantity", "manage_stock",
    "stock_status", "categories", "tags", "brands", "images", "attributes", "variations", "catalog_visibility",
)  # fmt: skip


@pytest.fixture(scope="module")
def published() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(XSD))


def item(product_id: str, **fields: Any) -> CatalogItem:
    known = {"id": product_id, "name": f"Product {product_id}", "price": Decimal("5.00")} | fields
    return CatalogItem("main", "main_shop", product_id, None, None, known, True)


def feed_of(world: World) -> str:
    return "".join(feed_xml([each for each in world.catalog.values() if each.active]))


@EXAMPLES
@given(st.dictionaries(st.sampled_from(FIELDS), ODD))
def test_feed_fits_its_schema_whatever_a_mapping_makes_of_the_fields(published, fields):
    published.validate("".join(feed_xml([item("1"), item("2", **fields | {"id": "2"})])))


@EXAMPLES
@given(st.dictionaries(st.sampled_from(SHOPIFY_KEYS), ODD), st.sampled_from(["product", "variant", "sku"]))
def test_feed_of_odd_shopify_products_fits_its_schema(published, keys, product_id):
    world = World(shopify.a_shop(product_id=product_id))
    variant = {"id": 1, "sku": "ONE", "price": "10.00", "compare_at_price": "12.00", "inventory_quantity": -3}
    whole = {"id": 7, "title": "Cup", "handle": "cup", "variants": [variant], "updated_at": AT, "published_at": AT}
    world.deliver("products/create", _as_sent(whole | keys))
    world.deliver("products/create", _as_sent(whole | {"id": 8}))
    published.validate(feed_of(world))


@EXAMPLES
@given(st.dictionaries(st.sampled_from(WOOCOMMERCE_KEYS), ODD), st.sampled_from(["product", "variant", "sku"]))
def test_feed_of_odd_woocommerce_products_fits_its_schema(published, keys, product_id):
    world = World(woocommerce.a_shop(product_id=product_id))
    whole = {"id": 7, "name": "Cup", "sku": "CUP", "price": "10.00", "status": "publish", "date_modified_gmt": AT[:-1]}
    keys = {key: value for key, value in keys.items() if key not in ("regular_price", "stock_quantity")} | {
        key: value for key, value in keys.items() if isinstance(value, Decimal | int) and not isinstance(value, bool)
    }
    world.deliver("product.created", _as_sent(whole | keys))
    world.deliver("product.created", _as_sent(whole | {"id": 8, "sku": "BOWL"}))
    published.validate(feed_of(world))


def _as_sent(body: dict[str, Any]) -> bytes:
    # As PHP and Ruby do: whatever is not ASCII, halves of surrogate pairs among it, is escaped.
    text = jsontext.dumps(body)
    return "".join(char if ord(char) < 128 else "".join(_escaped(char)) for char in text).encode()


def _escaped(char: str) -> Iterator[str]:
    units = char.encode("utf-16-be", "surrogatepass")
    yield from (f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


def test_feed_of_thousands_of_products_is_never_in_memory_as_a_whole(tmp_path):
    with Rest(tmp_path) as rest:
        rest.add_items(*(item(str(number), description="x" * 600) for number in range(ITEMS)))
        gc.collect()
        before = _held()  # by other tests of this process
        response = rest.client.get(FEED, buffered=False)
        sizes, held = [], []
        for number, piece in enumerate(response.iter_encoded()):
            sizes.append(len(piece))
            if number % 10 == 5:
                held.append(_held() - before)
        assert sum(sizes) > 600 * ITEMS
        assert max(sizes) < sum(sizes) / 50
        assert 0 < max(held) < 2 * PAGE < ITEMS / 4
        response.close()


def _held() -> int:
    """Count the catalogue items that are in memory now."""
    return sum(isinstance(each, CatalogItem) for each in gc.get_objects())
