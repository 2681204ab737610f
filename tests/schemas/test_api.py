from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from marshmallow import Schema

from relay import jsontext
from relay.errors import RequestInvalid
from schemas.api import (
    ContactData,
    DeletedContactData,
    EventData,
    ProductData,
    load,
    read_envelope,
)
from schemas.salesmanago import EVENT_TYPES, contact_payload, event_payload, feed_item, product_payload

CONTACT = {"email": "anna@shop.example"}
EVENT = {"email": "anna@shop.example", "contactExtEventType": "PURCHASE"}
PRODUCT = {"id": "611", "name": "Blue shirt", "price": "129.90"}


def faults(schema: Schema, values: dict[str, Any], path: str = "data") -> dict[str, list[str]]:
    with pytest.raises(RequestInvalid) as caught:
        load(schema, values, path)
    return caught.value.fields


def test_contact_takes_every_field_of_the_integration() -> None:
    fields = ("fax", "name", "phone", "company", "streetAddress", "zipCode", "city", "country")
    given = CONTACT | {name: f"some {name}" for name in fields}
    assert load(ContactData(), given) == given


def test_numbers_become_texts_digit_for_digit() -> None:
    body = jsontext.loads('{"email": "a@shop.example", "zipCode": 12345, "properties": {"size": 42.50}}')
    loaded = load(ContactData(), body)
    assert (loaded["zipCode"], loaded["properties"]) == ("12345", {"size": "42.50"})


def test_what_says_nothing_is_left_out() -> None:
    given = CONTACT | {"name": "", "phone": None, "tags": [], "city": "  ", "properties": {"a": None, "b": "x"}}
    assert load(ContactData(), given) == CONTACT | {"properties": {"b": "x"}}


@pytest.mark.parametrize(
    "email",
    [
        "",
        None,
        "anna",
        "anna@",
        "anna@shop",
        "anna shop@shop.example",
        ["anna@shop.example"],
        {"at": "shop.example"},
        "a" * 65 + "@shop.example",
        "a@" + "b" * 245 + ".example",
    ],
)
def test_contact_without_a_possible_email_is_refused_by_path(email: object) -> None:
    assert list(faults(ContactData(), {"email": email})) == ["data.email"]
    assert list(faults(DeletedContactData(), {"email": email})) == ["data.email"]


def test_every_fault_is_told_at_once_by_its_path() -> None:
    told = faults(
        ContactData(),
        {
            "email": "nobody",
            "name": ["Anna", "Example"],
            "phone": "1" * 256,
            "forceOptIn": "maybe",
            "properties": {"size": [1]},
            "consentDetails": [{"consentName": "terms"}],
        },
    )
    assert told == {
        "data.email": ["Not a valid email address."],
        "data.name": ["Must be one text or number."],
        "data.phone": ["Longer than 255 characters."],
        "data.forceOptIn": ["Must be true or false."],
        "data.properties.size": ["Must be one text or number."],
        "data.consentDetails.0.consentAccept": ["Missing or empty."],
    }


def test_properties_must_be_an_object() -> None:
    assert faults(ContactData(), CONTACT | {"properties": "blue"}) == {
        "data.properties": ["Must be an object of names and texts."]
    }


def test_unknown_field_is_refused_with_the_nearest_name() -> None:
    told = faults(ContactData(), CONTACT | {"compnay": "Example", "qqq": 1})
    assert told == {"data.compnay": ['Unknown field; did you mean "company"?'], "data.qqq": ["Unknown field"]}


def test_messages_never_repeat_a_value() -> None:
    told = faults(ContactData(), {"email": "secret-person", "name": {"x": "secret-person"}})
    assert "secret-person" not in str(told)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_event_type_is_taken(event_type: str) -> None:
    assert load(EventData(), EVENT | {"contactExtEventType": event_type})["contactExtEventType"] == event_type


@pytest.mark.parametrize("event_type", [None, "purchase", "BOUGHT", 5, ["CART"]])
def test_other_event_types_are_refused(event_type: object) -> None:
    assert list(faults(EventData(), EVENT | {"contactExtEventType": event_type})) == ["data.contactExtEventType"]


def test_event_takes_twenty_details_and_no_more() -> None:
    details = {f"detail{number}": str(number) for number in range(1, 21)}
    assert load(EventData(), EVENT | details) == EVENT | details
    assert list(faults(EventData(), EVENT | {"detail21": "x"})) == ["data.detail21"]


@pytest.mark.parametrize(
    ("field", "limit"),
    [("description", 2048), ("location", 36), ("externalId", 255), ("shopDomain", 255), ("detail1", 255)],
)
def test_event_text_over_its_limit_is_refused(field: str, limit: int) -> None:
    assert load(EventData(), EVENT | {field: "x" * limit})[field] == "x" * limit
    told = faults(EventData(), EVENT | {field: "x" * (limit + 1)})
    assert told == {f"data.{field}": [f"Longer than {limit} characters."]}


@pytest.mark.parametrize("products", ["501, 502,,503", ["501", " 502", None, "503"], [501, 502, 503]])
def test_products_of_an_event_are_a_list_however_they_are_given(products: object) -> None:
    assert load(EventData(), EVENT | {"products": products})["products"] == ["501", "502", "503"]


def test_list_of_details_keeps_the_place_of_empty_items() -> None:
    loaded = load(EventData(), EVENT | {"detail1": ["Shirt", "", "Hat"]})
    assert loaded["detail1"] == ["Shirt", "", "Hat"]


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-11-24T10:00:00Z", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T10:00:00+01:00", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        (1795514400000, datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("1795514400123", datetime(2026, 11, 24, 10, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_date_is_iso_or_milliseconds(given: object, moment: datetime) -> None:
    assert load(EventData(), EVENT | {"date": given})["date"] == moment


@pytest.mark.parametrize(
    "given",
    ["yesterday", "2026-11-24T10:00:00", "2026-11-24", 1795514400, 10**15, True, ["x"], "0001-01-01T00:00:00+10:00"],
)
def test_date_that_could_mean_another_time_is_refused(given: object) -> None:
    assert list(faults(EventData(), EVENT | {"date": given})) == ["data.date"]


@pytest.mark.parametrize("who", [{}, {"email": "anna@shop.example", "contactId": "c-1"}])
def test_event_is_about_exactly_one_contact(who: dict[str, str]) -> None:
    told = faults(EventData(), {"contactExtEventType": "CART"} | who)
    assert told == {"data.email": ["Give either email or contactId."]}


def test_event_may_name_its_contact_by_id() -> None:
    loaded = load(EventData(), {"contactExtEventType": "CART", "contactId": "c-1"})
    assert loaded["contactId"] == "c-1"


@pytest.mark.parametrize("value", ["12.5", 12, Decimal("12.50"), "-3"])
def test_amounts_are_exact_numbers(value: object) -> None:
    loaded = load(EventData(), EVENT | {"value": value})["value"]
    assert isinstance(loaded, Decimal)
    assert loaded == Decimal(str(value))


@pytest.mark.parametrize("value", ["12,50", "much", True, 12.5, "1e30", "NaN", "Infinity", {"amount": 1}])
def test_what_is_no_amount_is_refused(value: object) -> None:
    assert list(faults(EventData(), EVENT | {"value": value})) == ["data.value"]


PRODUCT_LIMITS = {
    "id": 32,
    "name": 100,
    "description": 1024,
    "category": 255,
    "sub_category": 512,
    "brand": 512,
    "detail1": 512,
    "detail5": 512,
    "url": 512,
    "image_url": 512,
    "image2_url": 128,
    "color": 40,
    "season": 40,
}


@pytest.mark.parametrize(("field", "limit"), PRODUCT_LIMITS.items())
def test_product_text_over_its_limit_is_refused(field: str, limit: int) -> None:
    assert load(ProductData(), PRODUCT | {field: "x" * limit})[field] == "x" * limit
    told = faults(ProductData(), PRODUCT | {field: "x" * (limit + 1)}, "data.3")
    assert told == {f"data.3.{field}": [f"Longer than {limit} characters."]}


@pytest.mark.parametrize("field", ["id", "name", "price"])
def test_product_needs_id_name_and_price(field: str) -> None:
    assert list(faults(ProductData(), PRODUCT | {field: ""})) == [f"data.{field}"]


@pytest.mark.parametrize("field", ["sex", "stock_available"])
def test_whole_numbers_of_a_product(field: str) -> None:
    assert load(ProductData(), PRODUCT | {field: "14"})[field] == 14
    assert load(ProductData(), PRODUCT | {field: -1})[field] == -1
    assert list(faults(ProductData(), PRODUCT | {field: "1.5"})) == [f"data.{field}"]
    assert list(faults(ProductData(), PRODUCT | {field: True})) == [f"data.{field}"]
    assert list(faults(ProductData(), PRODUCT | {field: "1e99"})) == [f"data.{field}"]


@pytest.mark.parametrize("field", ["price", "special_price"])
def test_negative_price_is_refused(field: str) -> None:
    assert faults(ProductData(), PRODUCT | {field: "-0.01"}) == {f"data.{field}": ["Must not be negative."]}


def test_whatever_is_accepted_here_can_be_shaped_for_salesmanago() -> None:
    contact = load(ContactData(), CONTACT | {"name": "x" * 255, "tags": "new", "consentDetails": []})
    event = load(EventData(), EVENT | {"date": 1795514400000, "value": "0.005", "location": "acme_shop"})
    product = load(ProductData(), PRODUCT | {field: "x" * limit for field, limit in PRODUCT_LIMITS.items()})
    assert contact_payload(contact).payload["contact"]["name"] == "x" * 255
    assert event_payload(event).payload["value"] == Decimal("0.01")
    assert product_payload(product, active=True).payload["productId"] == "x" * 32
    assert feed_item(product).payload["name"] == "x" * 100


def test_envelope_holds_data_and_group() -> None:
    envelope = read_envelope({"data": {"email": "a@shop.example"}, "group_key": "main"})
    assert (envelope.data, envelope.group_key) == ({"email": "a@shop.example"}, "main")


def test_bare_keys_are_data_where_they_are_allowed() -> None:
    envelope = read_envelope({"email": "a@shop.example", "group_key": "main"}, bare=frozenset({"email"}))
    assert (envelope.data, envelope.group_key) == ({"email": "a@shop.example"}, "main")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "body"),
        ("text", "body"),
        ({"data": {}, "extra": 1}, "extra"),
        ({"email": "a@shop.example"}, "email"),
        ({"data": {}, "group_key": 5}, "group_key"),
    ],
)
def test_other_envelopes_are_refused(body: object, path: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        read_envelope(body)
    assert list(caught.value.fields) == [path]


def test_bare_keys_and_data_do_not_mix() -> None:
    with pytest.raises(RequestInvalid) as caught:
        read_envelope({"data": {}, "email": "a@shop.example"}, bare=frozenset({"email"}))
    assert list(caught.value.fields) == ["email"]
