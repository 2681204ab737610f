"""The mapping that ships follows the field conventions of SALESmanago's own shop plugins."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from relay.commerce import Address, Cart, Customer, Line, Order, Product, Variant
from relay.translation.lists import join_lists
from relay.translation.loading import load_mappings
from relay.translation.mapping import Mapping
from relay.translation.names import EventView, GroupView, ShopView
from schemas.salesmanago import EVENT_LIMITS, contact_payload, event_payload, feed_item, product_payload

MOMENT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
SHOP = ShopView("acme", "woocommerce", "acme_shop", url="https://acme.example", domain="acme.example", currency="EUR")
ANNA = Customer(
    id="7",
    email="anna@example.com",
    first_name="Anna",
    last_name="Example",
    phone="+48500100200",
    address=Address(
        company="Example Ltd", street="Main 1", zip_code="00-001", city="Warsaw", province="MZ", country="PL"
    ),
    birthday=date(1980, 10, 17),
    language="pl",
)
LINES = (
    Line(
        id="1", product_id="10", variant_id="101", sku="S-1", name="Shirt, blue", quantity=Decimal(2), catalog_id="10"
    ),
    Line(id="2", product_id="11", name="Hat", catalog_id="11"),
)
ORDER = Order(
    id="1001",
    number="#1001",
    key="wc_order_invented",
    customer=ANNA,
    currency="PLN",
    lines=LINES,
    payment_method="cod",
    shipping_methods=("Courier", "Locker"),
    note="Ring twice",
)
CART = Cart(id="tok", lines=LINES, recovery_url="https://acme.example/recover/tok", currency="PLN", language="de")
SHIRT = Product(
    id="10",
    sku="S",
    name="Shirt",
    description="Soft",
    url="https://acme.example/shirt",
    vendor="ExampleBrand",
    categories=("Shirts", "Men"),
    images=("https://acme.example/1.jpg", "https://acme.example/2.jpg"),
    attributes={"color": "red, blue", "season": "summer", "gender": "Women"},
    price=Decimal("80"),
    regular_price=Decimal("100"),
    stock=0,
    available=True,
)


@pytest.fixture(scope="module")
def default() -> Mapping:
    return load_mappings(Path(__file__).parents[2] / "mappings", ["default"])["default"]


def event_of(default: Mapping, event_type: str, **names: Any) -> dict[str, Any]:
    event = EventView(event_type, MOMENT, Decimal("29.90"))
    fields = default.event(event_type, {"shop": SHOP, "lines": LINES, "event": event, "raw": {}, **names})
    joined, warnings = join_lists(fields.values, fields.separators, EVENT_LIMITS)
    assert warnings == ()
    return joined


def test_a_contact(default: Mapping) -> None:
    fields = default.contact({"shop": SHOP, "customer": ANNA, "raw": {}})
    assert fields.values == {
        "email": "anna@example.com",
        "name": "Anna Example",
        "phone": "+48500100200",
        "company": "Example Ltd",
        "externalId": "7",
        "streetAddress": "Main 1",
        "zipCode": "00-001",
        "city": "Warsaw",
        "province": "MZ",
        "country": "PL",
        "birthday": "19801017",
        "lang": "pl",
    }
    assert contact_payload(fields.values).warnings == ()


def test_a_contact_of_whom_only_the_address_is_known(default: Mapping) -> None:
    fields = default.contact({"shop": SHOP, "customer": Customer(email="anna@example.com"), "cart": CART})
    assert fields.values == {"email": "anna@example.com", "lang": "de"}


def test_a_purchase(default: Mapping) -> None:
    joined = event_of(default, "PURCHASE", order=ORDER, customer=ANNA)
    assert joined == {
        "description": "cod",
        "products": "10,11",
        "value": Decimal("29.90"),
        "externalId": "1001",
        "location": "acme_shop",
        "shopDomain": "https://acme.example",
        "detail1": "Shirt blue,Hat",
        "detail2": "wc_order_invented",
        "detail3": "2/1",
        "detail4": "Ring twice",
        "detail5": "Courier,Locker",
        "detail6": "S-1,",
        "detail7": "101,",
        "detail8": "PL",
        "detail9": "PLN",
    }
    assert event_payload({**joined, "contactExtEventType": "PURCHASE", "date": MOMENT}).warnings == ()


def test_an_order_without_a_key_is_named_by_its_number(default: Mapping) -> None:
    assert event_of(default, "RETURN", order=replace(ORDER, key=None))["detail2"] == "#1001"


def test_a_cart(default: Mapping) -> None:
    joined = event_of(default, "CART", cart=CART)
    assert joined["description"] == "https://acme.example/recover/tok"
    assert joined["externalId"] == "tok"
    assert joined["detail8"] == "DE"
    assert {"detail2", "detail4", "detail5"}.isdisjoint(joined)


@pytest.mark.parametrize(
    ("product_id", "detail6", "detail7"),
    [("product", "S-1,", "101,"), ("variant", "10,11", "S-1,"), ("sku", "10,11", "101,")],
)
def test_the_ids_that_are_not_in_products_are_details(
    default: Mapping, product_id: str, detail6: str, detail7: str
) -> None:
    joined = event_of(default, "PURCHASE", order=ORDER, shop=replace(SHOP, product_id=product_id))
    assert (joined["detail6"], joined["detail7"]) == (detail6, detail7)


def test_a_product(default: Mapping) -> None:
    fields = default.product({"shop": SHOP, "product": SHIRT, "group": GroupView("main", "acme_shop")})
    assert fields.values == {
        "id": "10",
        "name": "Shirt",
        "description": "Soft",
        "category": "Shirts",
        "sub_category": "Men",
        "brand": "ExampleBrand",
        "price": Decimal("100"),
        "special_price": Decimal("80"),
        "stock_available": 0,
        "available": True,
        "url": "https://acme.example/shirt",
        "image_url": "https://acme.example/1.jpg",
        "image2_url": "https://acme.example/2.jpg",
        "color": "red, blue",
        "season": "summer",
        "sex": 0,
    }
    assert product_payload(fields.values, active=True).warnings == ()
    assert feed_item(fields.values).warnings == ()


def test_a_variant_says_what_differs_from_its_product(default: Mapping) -> None:
    variant = Variant(
        id="101",
        sku="S-1",
        title="M / blue",
        price=Decimal("90"),
        stock=3,
        image="https://acme.example/2.jpg",
        url="https://acme.example/shirt?variant=101",
        options={"colour": "blue"},
    )
    values = default.product({"shop": SHOP, "product": SHIRT, "variant": variant}).values
    assert values["id"] == "101"
    assert values["name"] == "Shirt - M / blue"
    assert values["price"] == Decimal("90")
    assert "special_price" not in values
    assert values["stock_available"] == 3
    assert values["color"] == "blue"
    assert (values["image_url"], values["image2_url"]) == ("https://acme.example/2.jpg", "https://acme.example/1.jpg")
    assert values["url"] == "https://acme.example/shirt?variant=101"


def test_products_may_be_known_by_their_article_numbers(default: Mapping) -> None:
    by_sku = replace(SHOP, product_id="sku")
    assert default.product({"shop": by_sku, "product": SHIRT}).values["id"] == "S"
    assert "id" not in default.product({"shop": by_sku, "product": replace(SHIRT, sku=None)}).values


@pytest.mark.parametrize(
    ("word", "number"), [("Women", 0), ("MEN", 1), ("unisex", 4), ("Women, Men", None), (None, None)]
)
def test_the_sex_is_a_number_where_the_word_is_known(default: Mapping, word: str | None, number: int | None) -> None:
    product = replace(SHIRT, attributes={"gender": word} if word else {})
    assert default.product({"shop": SHOP, "product": product}).values.get("sex") == number


def test_a_price_without_a_sale_is_no_special_price(default: Mapping) -> None:
    product = replace(SHIRT, price=Decimal("100"))
    assert "special_price" not in default.product({"shop": SHOP, "product": product}).values


def test_a_free_product_has_a_price(default: Mapping) -> None:
    product = replace(SHIRT, price=Decimal("0"), regular_price=Decimal("0"))
    assert default.product({"shop": SHOP, "product": product}).values["price"] == 0


def test_the_rest_api_needs_no_lines(default: Mapping) -> None:
    data = {
        "email": "anna@example.com",
        "contactExtEventType": "PURCHASE",
        "value": Decimal("9.90"),
        "products": ["1", "2"],
    }
    fields = default.api("events", data, {"group": GroupView("main", "loc")})
    assert fields.values == data
    assert fields.separators == {"products": ","}
    assert fields.unknown == ()
