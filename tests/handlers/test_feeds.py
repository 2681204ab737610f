from __future__ import annotations

import gzip
import hmac
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema

from handlers.feed_xml import FIELDS, feed_xml
from relay.memory import CatalogItem
from tests.support.rest import FEED_TOKEN, KEY, Rest, answer

FEED = f"/feeds/main.xml?token={FEED_TOKEN}"
XSD = Path(__file__).parents[2] / "docs" / "feed.xsd"
FULL: dict[str, Any] = {
    "id": "611",
    "name": "Blue shirt M",
    "description": "Cotton & <linen>",
    "category": "Shirts",
    "sub_category": "Men",
    "brand": "Example",
    "sex": 1,
    "price": Decimal("129.9"),
    "special_price": Decimal("99.90"),
    "detail1": "one",
    "detail2": "two",
    "detail3": "three",
    "detail4": "four",
    "detail5": "five",
    "url": "https://shop.example/p/blue-shirt",
    "image_url": "https://shop.example/img/611.jpg",
    "image2_url": "https://shop.example/img/611-2.jpg",
    "stock_available": 14,
    "color": "blue",
    "season": "summer",
}


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


@pytest.fixture(scope="module")
def published() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(XSD))


def item(product_id: str, location: str = "main_shop", active: bool = True, **fields: Any) -> CatalogItem:
    known = {"id": product_id, "name": f"Product {product_id}", "price": Decimal("5.00")} | fields
    return CatalogItem("main", location, product_id, None, None, known, active)


def ids(xml: bytes) -> list[str | None]:
    return [element.text for element in ElementTree.fromstring(xml).iterfind("product/id")]


def test_feed_holds_active_products_in_the_integrations_names(rest: Rest) -> None:
    rest.add_items(CatalogItem("main", "main_shop", "611", None, None, FULL, True), item("gone", active=False))
    response = rest.call("GET", FEED, key=None)
    [product] = ElementTree.fromstring(response.get_data())
    assert (response.status_code, response.mimetype) == (200, "application/xml")
    assert {element.tag: element.text for element in product} == {
        name: str(value) for name, value in (FULL | {"price": "129.90", "special_price": "99.90"}).items()
    }


def test_elements_stand_in_the_documented_order(rest: Rest) -> None:
    shuffled = {name: FULL[name] for name in sorted(FULL)}
    rest.add_items(CatalogItem("main", "main_shop", "611", None, None, shuffled, True))
    [product] = ElementTree.fromstring(rest.call("GET", FEED, key=None).get_data())
    assert tuple(element.tag for element in product) == FIELDS == tuple(FULL)


def test_feed_fits_the_published_schema(rest: Rest, published: xmlschema.XMLSchema) -> None:
    limits = {"name": 100, "description": 1024, "category": 255, "brand": 512, "color": 40, "detail1": 512}
    longest = {name: "ż" * limit for name, limit in limits.items()} | {"url": "https://shop.example/" + "x" * 491}
    odd = {"description": "a\x00b\x0bc\ufffe]]> & <b>\r\n\U0001f600", "sex": -1, "stock_available": 0}
    unreadable = {"url": "no link", "sex": 3, "image2_url": "https://shop.example/" + "x" * 500}
    rest.add_items(
        CatalogItem("main", "main_shop", "611", None, None, FULL, True),
        item("x" * 32, **longest),
        item("odd", **odd),
        item("unreadable", **unreadable),
    )
    published.validate(rest.call("GET", FEED, key=None).get_data(as_text=True))


def test_empty_feed_fits_the_published_schema_too(rest: Rest, published: xmlschema.XMLSchema) -> None:
    xml = rest.call("GET", FEED, key=None).get_data(as_text=True)
    published.validate(xml)
    assert ids(xml.encode()) == []


@pytest.mark.parametrize(
    "fields", [{"id": "x" * 33}, {"name": ""}, {"price": "-1.00"}, {"sex": "3"}, {"detail1": "x" * 513}, {"new": "x"}]
)
def test_published_schema_refuses_what_the_feed_never_holds(
    published: xmlschema.XMLSchema, fields: dict[str, str]
) -> None:
    elements = {"id": "1", "name": "A", "price": "1.00"} | fields
    ordered = sorted(elements, key=lambda name: FIELDS.index(name) if name in FIELDS else len(FIELDS))
    inner = "".join(f"<{name}>{elements[name]}</{name}>" for name in ordered)
    assert not published.is_valid(f"<products><product>{inner}</product></products>")


def test_product_that_salesmanago_could_not_take_is_left_out(rest: Rest) -> None:
    rest.add_items(item("1"), item("2", price=None), item("3"))
    assert ids(rest.call("GET", FEED, key=None).get_data()) == ["1", "3"]


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/main.xml",
        "/feeds/main.xml?token=",
        "/feeds/main.xml?token=wrong",
        "/feeds/main.xml?token=t%C3%B6ken",
        f"/feeds/main.xml?token={FEED_TOKEN}&location=third_shop",
        f"/feeds/main.xml?token={FEED_TOKEN}&location=other_shop",
        f"/feeds/other.xml?token={FEED_TOKEN}",
        f"/feeds/nobody.xml?token={FEED_TOKEN}",
        "/feeds/bare.xml?token=",
        "/feeds/bare.xml?token=None",
        f"/feeds/main.json?token={FEED_TOKEN}",
    ],
)
def test_whatever_does_not_fit_is_one_and_the_same_404(rest: Rest, path: str) -> None:
    response = rest.call("GET", path, key=KEY)
    assert response.status_code == 404
    if path.partition("?")[0].endswith(".xml"):
        assert answer(response)["messages"] == ["No such feed, or the token is wrong."]


def test_token_is_compared_in_constant_time_even_for_an_unknown_group(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    rest.call("GET", "/feeds/nobody.xml?token=short", key=None)
    rest.call("GET", "/feeds/main.xml?token=a-much-longer-token", key=None)
    assert compared == [(32, 32), (32, 32)]


def test_each_e_shop_of_a_group_has_a_feed_of_its_own(rest: Rest) -> None:
    rest.add_items(item("1"), item("2", location="second_shop"))
    assert ids(rest.call("GET", FEED, key=None).get_data()) == ["1"]
    assert ids(rest.call("GET", f"{FEED}&location=second_shop", key=None).get_data()) == ["2"]


def test_unchanged_feed_is_304_until_a_product_changes(rest: Rest) -> None:
    rest.add_items(item("1"))
    rest.clock.advance(10)
    first = rest.call("GET", FEED, key=None)
    again = rest.call("GET", FEED, key=None, If_None_Match=first.headers["ETag"])
    dated = rest.call("GET", FEED, key=None, If_Modified_Since=first.headers["Last-Modified"])
    assert (again.status_code, again.get_data(), dated.status_code) == (304, b"", 304)
    rest.add_items(item("1", name="Renamed"))
    assert rest.call("GET", FEED, key=None, If_None_Match=first.headers["ETag"]).status_code == 200
    assert rest.call("GET", FEED, key=None, If_Modified_Since=first.headers["Last-Modified"]).status_code == 200


def test_feed_changes_when_a_product_leaves_it(rest: Rest) -> None:
    rest.add_items(item("1"), item("2"))
    first = rest.call("GET", FEED, key=None)
    rest.clock.advance(1)
    rest.add_items(item("2", active=False))
    second = rest.call("GET", FEED, key=None, If_None_Match=first.headers["ETag"])
    assert (second.status_code, ids(second.get_data())) == (200, ["1"])


def test_change_of_this_very_second_is_not_dated_since_another_may_follow(rest: Rest) -> None:
    rest.add_items(item("1"))
    assert "Last-Modified" not in rest.call("GET", FEED, key=None).headers
    rest.clock.advance(2)
    assert "Last-Modified" in rest.call("GET", FEED, key=None).headers


def test_feed_is_compressed_for_those_who_take_it(rest: Rest) -> None:
    rest.add_items(*(item(str(number)) for number in range(50)))
    plain = rest.call("GET", FEED, key=None)
    packed = rest.call("GET", FEED, key=None, Accept_Encoding="gzip, deflate")
    refused = rest.call("GET", FEED, key=None, Accept_Encoding="gzip;q=0")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == plain.get_data() == refused.get_data()
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


def test_feed_is_for_its_reader_alone(rest: Rest) -> None:
    assert "private" in rest.call("GET", FEED, key=None).headers["Cache-Control"]


def test_head_tells_the_same_without_reading_products(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    rest.add_items(item("1"))
    expected = rest.call("GET", FEED, key=None).headers["ETag"]
    read: list[str] = []
    monkeypatch.setattr(rest.store.items, "stream", lambda *place: read.append("products") or [])
    response = rest.call("HEAD", FEED, key=None)
    assert (response.status_code, response.get_data(), response.headers["ETag"]) == (200, b"", expected)
    assert read == []


def test_feed_is_written_while_products_are_read(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def many(group: str, location: str) -> Iterator[CatalogItem]:
        nonlocal read
        while read < 1000:
            read += 1
            yield item(str(read), description="x" * 1000)

    monkeypatch.setattr(rest.store.items, "stream", many)
    response = rest.client.get(FEED, buffered=False)
    pieces = response.iter_encoded()
    sizes = [len(next(pieces)) for _ in range(5)]
    assert max(sizes) < 64 * 1024
    assert read < 250
    response.close()


def test_controls_that_xml_cannot_hold_are_left_out() -> None:
    xml = "".join(feed_xml([item("1", name="a\x00\x1f\x7f\ufffe\ud800b", description="tab\there")]))
    product = ElementTree.fromstring(xml)[0]
    assert product.findtext("name") == "ab"
    assert product.findtext("description") == "tab\there"
