"""Products as SALESmanago takes them: for the catalogue API and for the feed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from relay.errors import PayloadInvalid
from schemas.salesmanago import feed_item, product_payload

LEAST = {"id": "611", "name": "Blue shirt", "price": "129.9"}
FULL = {
    **LEAST,
    "description": "Cotton shirt",
    "category": "Shirts",
    "sub_category": "Men",
    "brand": "ExampleBrand",
    "sex": 1,
    "special_price": Decimal("99.9"),
    "detail1": "M",
    "detail2": "cotton",
    "detail3": "3",
    "detail4": "4",
    "detail5": "5",
    "url": "https://shop.example.com/p/blue-shirt?size=m",
    "image_url": "https://shop.example.com/img/611.jpg",
    "image2_url": "https://shop.example.com/img/611-2.jpg",
    "stock_available": 14,
    "color": "blue",
    "season": "summer",
}


def test_full_item_becomes_a_catalogue_product() -> None:
    shaped = product_payload(FULL, active=True)
    assert shaped.payload == {
        "productId": "611",
        "name": "Blue shirt",
        "mainCategory": "Shirts",
        "categories": ["Shirts", "Men"],
        "description": "Cotton shirt",
        "productUrl": "https://shop.example.com/p/blue-shirt?size=m",
        "mainImageUrl": "https://shop.example.com/img/611.jpg",
        "imageUrls": ["https://shop.example.com/img/611-2.jpg"],
        "available": True,
        "active": True,
        "quantity": 14,
        "price": Decimal("129.90"),
        "discountPrice": Decimal("99.90"),
        "systemDetails": {"brand": "ExampleBrand", "gender": 1, "color": "blue", "season": "summer"},
        "customDetails": {"detail1": "M", "detail2": "cotton", "detail3": "3", "detail4": "4", "detail5": "5"},
    }
    assert shaped.warnings == ()


def test_least_item_clears_what_it_does_not_say() -> None:
    assert product_payload({**LEAST, "special_price": "", "brand": None}, active=True).payload == {
        "productId": "611",
        "name": "Blue shirt",
        "mainCategory": "Uncategorized",
        "price": Decimal("129.90"),
        "available": True,
        "active": True,
        "setAsNull": ["discountPrice", "detail1", "detail2", "detail3", "detail4", "detail5"],
    }


@pytest.mark.parametrize(
    ("fields", "active", "available", "quantity"),
    [
        ({"stock_available": 1}, True, True, 1),
        ({"stock_available": 0}, True, False, 0),
        ({"stock_available": -3}, True, False, 0),
        ({"stock_available": -3, "available": True}, True, True, 0),
        ({"stock_available": Decimal("2.0")}, True, True, 2),
        ({"available": False}, True, False, None),
        ({}, True, True, None),
        ({"stock_available": 5}, False, False, 5),
        ({"available": True}, False, False, None),
    ],
)
def test_availability_follows_stock_and_activity(
    fields: dict[str, Any], active: bool, available: bool, quantity: int | None
) -> None:
    payload = product_payload({**LEAST, **fields}, active=active).payload
    assert (payload["active"], payload["available"], payload.get("quantity")) == (active, available, quantity)


def test_fraction_of_a_stock_is_left_out_with_a_warning() -> None:
    shaped = product_payload({**LEAST, "stock_available": "2.5"}, active=True)
    assert shaped.payload["quantity"] == 2
    assert shaped.warnings == ("stock_available: the fraction was left out.",)


@pytest.mark.parametrize("sex", [-1, 0, 1, 2, 4, "1", Decimal(2)])
def test_gender_numbers_are_taken(sex: Any) -> None:
    assert product_payload({**LEAST, "sex": sex}, active=True).payload["systemDetails"] == {"gender": int(sex)}


@pytest.mark.parametrize("sex", [3, "female", 17])
def test_other_genders_are_left_out_with_a_warning(sex: Any) -> None:
    for shaped in (product_payload({**LEAST, "sex": sex}, active=True), feed_item({**LEAST, "sex": sex})):
        assert not {"sex", "systemDetails"} & shaped.payload.keys()
        assert shaped.warnings == ("sex: left out, not one of the numbers -1, 0, 1, 2 and 4.",)


PRODUCT_LIMITS = [
    ("name", 255, "name"),
    ("description", 16384, "description"),
    ("category", 255, "mainCategory"),
    ("brand", 255, "systemDetails.brand"),
    ("color", 25, "systemDetails.color"),
    ("season", 40, "systemDetails.season"),
    *((f"detail{number}", 512, f"customDetails.detail{number}") for number in range(1, 6)),
]


@pytest.mark.parametrize(("field", "limit", "target"), PRODUCT_LIMITS)
def test_long_text_of_a_product_is_cut(field: str, limit: int, target: str) -> None:
    shaped = product_payload({**LEAST, field: "q" * (limit + 1)}, active=True)
    value: Any = shaped.payload
    for key in target.split("."):
        value = value[key]
    assert value == "q" * limit
    assert shaped.warnings == (f"{field}: cut from {limit + 1} to {limit} characters.",)


def test_sub_category_of_a_product_is_cut_in_the_list() -> None:
    payload = product_payload({**LEAST, "sub_category": "q" * 300}, active=True).payload
    assert (payload["mainCategory"], payload["categories"]) == ("Uncategorized", ["q" * 255])


FEED_LIMITS = [
    ("name", 100),
    ("description", 1024),
    ("category", 255),
    ("sub_category", 512),
    ("brand", 512),
    ("color", 40),
    ("season", 40),
    *((f"detail{number}", 512) for number in range(1, 6)),
]


@pytest.mark.parametrize(("field", "limit"), FEED_LIMITS)
def test_long_text_of_a_feed_item_is_cut(field: str, limit: int) -> None:
    shaped = feed_item({**LEAST, field: "q" * (limit + 1)})
    assert shaped.payload[field] == "q" * limit
    assert shaped.warnings == (f"{field}: cut from {limit + 1} to {limit} characters.",)


def test_feed_item_keeps_the_integrations_names() -> None:
    shaped = feed_item(FULL)
    assert shaped.payload == {**FULL, "price": Decimal("129.90"), "special_price": Decimal("99.90")}
    assert len(shaped.payload) == 20


@pytest.mark.parametrize(
    ("field", "product_limit", "feed_limit"),
    [("url", 2048, 512), ("image_url", 2048, 512), ("image2_url", 2048, 128)],
)
def test_long_link_is_left_out_since_half_of_one_leads_nowhere(field: str, product_limit: int, feed_limit: int) -> None:
    for limit, shape in ((product_limit, lambda item: product_payload(item, active=True)), (feed_limit, feed_item)):
        link = "https://shop.example.com/".ljust(limit, "q")
        assert link in str(shape({**LEAST, field: link}).payload)
        longer = shape({**LEAST, field: link + "q"})
        assert "shop.example.com" not in str(longer.payload)
        assert longer.warnings == (f"{field}: left out, {limit + 1} characters are more than {limit}.",)


@pytest.mark.parametrize(
    "link", ["shop.example.com/a", "/a.jpg", "ftp://shop.example.com/a", "https://", "https://[bad", 7]
)
def test_invalid_link_is_left_out_with_a_warning(link: Any) -> None:
    shaped = product_payload({**LEAST, "url": link, "image_url": link}, active=True)
    assert not {"productUrl", "mainImageUrl"} & shaped.payload.keys()
    assert shaped.warnings == ("url: left out, not a valid link.", "image_url: left out, not a valid link.")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://shop.example.com//p///blue", "https://shop.example.com/p/blue"),
        (
            "https://shop.example.com/a?next=https://x.example//b",
            "https://shop.example.com/a?next=https://x.example//b",
        ),
        ("https://shop.example.com/żółw 1.jpg", "https://shop.example.com/%C5%BC%C3%B3%C5%82w%201.jpg"),
        ("https://shop.example.com/a%20b.jpg", "https://shop.example.com/a%20b.jpg"),
    ],
)
def test_link_is_written_the_way_salesmanago_takes_it(given: str, sent: str) -> None:
    assert product_payload({**LEAST, "url": given}, active=True).payload["productUrl"] == sent


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "1" * 33),
        ("name", None),
        ("name", "\x00"),
        ("price", ""),
        ("price", "free"),
        ("price", Decimal("-1")),
        ("price", "1" * 20),
        ("special_price", Decimal("-1")),
        ("stock_available", "many"),
    ],
)
def test_what_may_not_be_missing_or_cut_is_refused(field: str, value: Any) -> None:
    with pytest.raises(PayloadInvalid, match=f"^{field}: "):
        product_payload({**FULL, field: value}, active=True)
    with pytest.raises(PayloadInvalid, match=f"^{field}: "):
        feed_item({**FULL, field: value})


def test_prices_are_rounded_half_up_with_a_warning() -> None:
    shaped = product_payload({**LEAST, "price": Decimal("9.995"), "special_price": "9.994"}, active=True)
    assert (shaped.payload["price"], shaped.payload["discountPrice"]) == (Decimal("10.00"), Decimal("9.99"))
    assert shaped.warnings == ("price: rounded to two decimals.", "special_price: rounded to two decimals.")
