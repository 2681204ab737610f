from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox import SandboxClient

CATALOG = {"name": "Example_EU", "setAsDefault": True, "currency": "EUR", "location": "example_eu"}


def problems(reply: Any) -> list[tuple[int, str]]:
    return [(problem["reasonCode"], problem["message"]) for problem in reply.body["problems"]]


def test_created_catalogue_is_listed(client: SandboxClient) -> None:
    catalog_id = client.v3("catalogUpsert", CATALOG).body["catalogId"]
    listed = client.v3("catalogList").body
    assert listed["catalogs"] == [{"catalogId": catalog_id, **CATALOG}]
    assert listed["limits"] == {"max": 3}


def test_known_catalogue_is_changed_where_fields_are_sent(client: SandboxClient) -> None:
    catalog_id = client.v3("catalogUpsert", CATALOG).body["catalogId"]
    reply = client.v3("catalogUpsert", {"catalogId": catalog_id, "name": "Renamed", "setAsDefault": False})
    assert reply.body["catalogId"] == catalog_id
    assert client.v3("catalogList").body["catalogs"] == [
        {"catalogId": catalog_id, **CATALOG, "name": "Renamed", "setAsDefault": False}
    ]


def test_only_one_catalogue_is_the_default(client: SandboxClient) -> None:
    client.v3("catalogUpsert", CATALOG)
    client.v3("catalogUpsert", CATALOG | {"location": "example_pl"})
    assert [catalog["setAsDefault"] for catalog in client.v3("catalogList").body["catalogs"]] == [False, True]


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        ({"name": ...}, [(13, "name|Missing required field")]),
        (
            {"name": ..., "currency": ...},
            [(13, "name|Missing required field"), (13, "currency|Missing required field")],
        ),
        ({"location": None}, [(17, "location|Required value set to null")]),
        ({"name": ""}, [(11, "name|min:1|max:255|Field exceeds limit")]),
        ({"name": 7}, [(14, "name:String|Wrong type")]),
        ({"setAsDefault": "yes"}, [(14, "setAsDefault:Boolean|Wrong type")]),
        ({"currency": "euro"}, [(18, "currency|Value does not match the required structure")]),
        ({"location": "my shop!"}, [(18, "location|Value does not match the required structure")]),
        ({"location": "1shop"}, [(18, "location|Value does not match the required structure")]),
        ({"location": "ab"}, [(18, "location|Value does not match the required structure")]),
        ({"location": "a" * 37}, [(18, "location|Value does not match the required structure")]),
    ],
)
def test_bad_field_of_a_catalogue_is_named(
    client: SandboxClient, spoilt: dict[str, Any], expected: list[tuple[int, str]]
) -> None:
    body = {name: value for name, value in (CATALOG | spoilt).items() if value is not ...}
    reply = client.v3("catalogUpsert", body)
    assert (reply.status, problems(reply)) == (400, expected)
    assert client.v3("catalogList").body["catalogs"] == []


@pytest.mark.parametrize("location", ["abc", "_ab", "a" * 36])
def test_good_locations_are_taken(client: SandboxClient, location: str) -> None:
    assert client.v3("catalogUpsert", CATALOG | {"location": location}).status == 200


def test_location_serves_one_catalogue_only(client: SandboxClient) -> None:
    client.v3("catalogUpsert", CATALOG)
    reply = client.v3("catalogUpsert", CATALOG | {"name": "Second"})
    assert (reply.status, problems(reply)) == (400, [(15, "location|Value must be unique")])


def test_account_has_a_largest_number_of_catalogues(client: SandboxClient) -> None:
    for location in ("one", "two", "three"):
        client.catalog(location)
    reply = client.v3("catalogUpsert", CATALOG)
    assert (reply.status, reply.body) == (400, {"reasonCode": 19, "messages": ["Limit of catalogs reached"]})


def test_deleted_catalogue_is_gone(client: SandboxClient) -> None:
    catalog_id = client.catalog()
    assert client.v3("catalogDelete", {"catalogId": catalog_id}).body.keys() == {"requestId"}
    assert client.v3("catalogList").body["catalogs"] == []


@pytest.mark.parametrize("path", ["catalogDelete", "catalogUpsert", "upsert", "updateQuantity", "updatePrice"])
def test_unknown_catalogue_is_reason_16(client: SandboxClient, path: str) -> None:
    reply = client.v3(path, {"catalogId": "unheard", "products": [], "name": "X"})
    assert (reply.status, reply.body) == (400, {"reasonCode": 16, "messages": ["Resource not present"]})


@pytest.mark.parametrize("path", ["catalogDelete", "upsert", "updateQuantity", "updatePrice"])
def test_missing_catalogue_is_reason_13(client: SandboxClient, path: str) -> None:
    assert problems(client.v3(path, {})) == [(13, "catalogId|Missing required field")]
