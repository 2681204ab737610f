from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.sandbox import SandboxClient

STRUCTURE = "Value does not match the required structure"
EXCEEDED = "Field exceeds limit"
SMALL = {"productId": "71", "name": "Mug", "mainCategory": "Kitchen"}
FULL: dict[str, Any] = SMALL | {
    "categoryExternalId": 4,
    "categories": ["Kitchen", "Gifts"],
    "description": "Holds tea",
    "productUrl": "https://shop.example/mug?colour=red",
    "mainImageUrl": "https://shop.example/mug.png",
    "imageUrls": ["https://shop.example/mug-2.png"],
    "available": True,
    "active": True,
    "quantity": 12,
    "price": Decimal("14.90"),
    "discountPrice": Decimal("9.90"),
    "systemDetails": {"brand": "Potter", "gender": 4, "color": "red", "bestseller": False},
    "customDetails": {"detail1": "0.3 l", "detail5": "round"},
}


def put(client: SandboxClient, catalog_id: str, *products: Any) -> Any:
    return client.v3("upsert", {"catalogId": catalog_id, "products": list(products)})


def held(client: SandboxClient, catalog_id: str) -> dict[str, dict[str, Any]]:
    return client.state.holdings["sandbox-client"].catalogs[catalog_id].products


def problems(reply: Any) -> list[tuple[int, str]]:
    return [(problem["reasonCode"], problem["message"]) for problem in reply.body["problems"]]


def test_products_are_kept_as_sent(client: SandboxClient) -> None:
    catalog_id = client.catalog()
    reply = put(client, catalog_id, FULL, SMALL | {"productId": "72"})
    assert reply.body["productIds"] == ["71", "72"]
    assert "problems" not in reply.body
    assert held(client, catalog_id) == {
        "71": FULL | {"categoryExternalId": "4"},
        "72": SMALL | {"productId": "72"},
    }
    assert str(held(client, catalog_id)["71"]["price"]) == "14.90"


def test_product_id_may_be_a_number(client: SandboxClient) -> None:
    assert put(client, client.catalog(), SMALL | {"productId": 71}).body["productIds"] == ["71"]


def test_second_upsert_changes_what_it_names(client: SandboxClient) -> None:
    catalog_id = client.catalog()
    put(client, catalog_id, FULL)
    put(client, catalog_id, SMALL | {"active": False, "available": False, "systemDetails": {"color": "blue"}})
    product = held(client, catalog_id)["71"]
    assert (product["active"], product["available"], product["price"]) == (False, False, Decimal("14.90"))
    assert product["systemDetails"] == FULL["systemDetails"] | {"color": "blue"}


def test_set_as_null_clears_fields_at_every_level(client: SandboxClient) -> None:
    catalog_id = client.catalog()
    put(client, catalog_id, FULL)
    put(client, catalog_id, SMALL | {"setAsNull": ["discountPrice", "detail1", "brand", "detail4"]})
    product = held(client, catalog_id)["71"]
    assert "discountPrice" not in product and "setAsNull" not in product
    assert product["customDetails"] == {"detail5": "round"}
    assert "brand" not in product["systemDetails"]


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        ({"name": ...}, [(13, "products[1].name|Missing required field")]),
        (
            {"name": ..., "mainCategory": ...},
            [
                (13, "products[1].name|Missing required field"),
                (13, "products[1].mainCategory|Missing required field"),
            ],
        ),
        ({"productId": ...}, [(13, "products[1].productId|Missing required field")]),
        ({"name": None}, [(17, "products[1].name|Required value set to null")]),
        ({"name": ""}, [(11, "products[1].name|min:1|max:255|Field exceeds limit")]),
        ({"name": "n" * 256}, [(11, "products[1].name|min:1|max:255|Field exceeds limit")]),
        ({"productId": "7" * 256}, [(11, "products[1].productId|min:1|max:255|Field exceeds limit")]),
        ({"categories": ["x"] * 6}, [(11, "products[1].categories|min:0|max:5|Field exceeds limit")]),
        ({"categories": ["x", "y" * 256]}, [(11, "products[1].categories[1]|min:1|max:255|Field exceeds limit")]),
        ({"imageUrls": ["https://a.example/i.png"] * 6}, [(11, "products[1].imageUrls|min:0|max:5|" + EXCEEDED)]),
        ({"productUrl": "https://a.io/" + "p" * 2048}, [(11, "products[1].productUrl|min:1|max:2048|" + EXCEEDED)]),
        ({"productUrl": "https://a.example//p"}, [(18, "products[1].productUrl|" + STRUCTURE)]),
        ({"imageUrls": ["no url"]}, [(18, "products[1].imageUrls[0]|" + STRUCTURE)]),
        ({"quantity": "many"}, [(14, "products[1].quantity:Integer|Wrong type")]),
        ({"quantity": Decimal("1.5")}, [(14, "products[1].quantity:Integer|Wrong type")]),
        ({"price": "9.90"}, [(14, "products[1].price:Decimal|Wrong type")]),
        ({"price": Decimal("9.905")}, [(18, "products[1].price|" + STRUCTURE)]),
        ({"discountPrice": -1}, [(11, "products[1].discountPrice|min:0|max:9999999999999999999|Field exceeds limit")]),
        ({"active": "yes"}, [(14, "products[1].active:Boolean|Wrong type")]),
        ({"categories": "Kitchen"}, [(14, "products[1].categories:List|Wrong type")]),
        ({"systemDetails": []}, [(14, "products[1].systemDetails:Object|Wrong type")]),
        ({"systemDetails": {"gender": 3}}, [(18, "products[1].systemDetails.gender|" + STRUCTURE)]),
        ({"systemDetails": {"gender": "1"}}, [(14, "products[1].systemDetails.gender:Integer|Wrong type")]),
        ({"customDetails": {"detail1": True}}, [(14, "products[1].customDetails.detail1:String|Wrong type")]),
        ({"setAsNull": ["name"]}, [(17, "products[1].name|Required value set to null")]),
    ],
)  # fmt: skip
def test_bad_field_is_named_and_the_whole_call_is_refused(
    client: SandboxClient, spoilt: dict[str, Any], expected: list[tuple[int, str]]
) -> None:
    catalog_id = client.catalog()
    bad = {name: value for name, value in (FULL | {"productId": "72"} | spoilt).items() if value is not ...}
    reply = put(client, catalog_id, FULL, bad)
    assert (reply.status, problems(reply)) == (400, expected)
    assert held(client, catalog_id) == {}


def test_product_that_is_no_object_is_named(client: SandboxClient) -> None:
    assert problems(put(client, client.catalog(), "Mug")) == [(14, "products[0]:Object|Wrong type")]


def test_optional_null_counts_as_absent(client: SandboxClient) -> None:
    catalog_id = client.catalog()
    put(client, catalog_id, FULL)
    put(client, catalog_id, SMALL | {"discountPrice": None})
    assert held(client, catalog_id)["71"]["discountPrice"] == Decimal("9.90")


@pytest.mark.parametrize(
    ("own", "path", "most"),
    [
        ({"description": "d" * 16385}, "description", 16384),
        ({"systemDetails": {"brand": "b" * 256}}, "systemDetails.brand", 255),
        ({"systemDetails": {"color": "c" * 41}}, "systemDetails.color", 40),
    ],
)
def test_long_text_is_cut_stored_and_warned_about(
    client: SandboxClient, own: dict[str, Any], path: str, most: int
) -> None:
    catalog_id = client.catalog()
    reply = put(client, catalog_id, SMALL | own)
    assert (reply.status, reply.body["productIds"]) == (200, ["71"])
    assert problems(reply) == [(12, f"products[0].{path}|max:{most}|Value was trimmed")]
    value: Any = held(client, catalog_id)["71"]
    for name in path.split("."):
        value = value[name]
    assert len(value) == most


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ([], (11, "products|min:1|max:100|Field exceeds limit")),
        ([SMALL] * 101, (11, "products|min:1|max:100|Field exceeds limit")),
        ("71", (14, "products:List|Wrong type")),
        (..., (13, "products|Missing required field")),
    ],
)
@pytest.mark.parametrize("path", ["upsert", "updateQuantity", "updatePrice"])
def test_call_takes_1_to_100_products(
    client: SandboxClient, path: str, products: Any, expected: tuple[int, str]
) -> None:
    body = {"catalogId": client.catalog()} | ({} if products is ... else {"products": products})
    reply = client.v3(path, body)
    assert (reply.status, problems(reply)) == (400, [expected])


def test_100_products_are_taken(client: SandboxClient) -> None:
    products = [SMALL | {"productId": str(number)} for number in range(100)]
    assert len(put(client, client.catalog(), *products).body["productIds"]) == 100


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("updateQuantity", {"quantity": 0}),
        ("updatePrice", {"price": Decimal("20.00"), "discountPrice": Decimal("15.00")}),
    ],
)
def test_update_changes_its_fields_alone(client: SandboxClient, path: str, own: dict[str, Any]) -> None:
    catalog_id = client.catalog()
    put(client, catalog_id, FULL)
    reply = client.v3(path, {"catalogId": catalog_id, "products": [{"productId": 71, "name": "Ignored"} | own]})
    assert (reply.status, reply.body.keys()) == (200, {"requestId"})
    assert held(client, catalog_id)["71"] == FULL | {"categoryExternalId": "4"} | own


@pytest.mark.parametrize(("path", "field"), [("updateQuantity", "quantity"), ("updatePrice", "price")])
def test_update_needs_its_field_and_a_known_product(client: SandboxClient, path: str, field: str) -> None:
    catalog_id = client.catalog()
    put(client, catalog_id, SMALL)
    without = client.v3(path, {"catalogId": catalog_id, "products": [{"productId": "71"}]})
    unknown = client.v3(path, {"catalogId": catalog_id, "products": [{"productId": "9", field: 1}]})
    assert problems(without) == [(13, f"products[0].{field}|Missing required field")]
    assert problems(unknown) == [(16, "products[0].productId|Resource not present")]
