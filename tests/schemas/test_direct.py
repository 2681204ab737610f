from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields, validate

import schemas
from relay.errors import PayloadInvalid
from schemas.direct import DirectSchema
from schemas.fields import Flag, Id, LenientSchema, Money, NestedList, NestedObject, Text, TextList, Timestamp, Whole
from schemas.outgoing import Amount, OutgoingSchema, shape
from schemas.outgoing import Text as OutgoingText
from schemas.shopify_order import OrderSchema as ShopifyOrder
from schemas.shopify_product import ProductSchema as ShopifyProduct
from schemas.woocommerce_order import OrderSchema as WooOrder
from schemas.woocommerce_product import ProductSchema as WooProduct
from tests.support import shopify, woocommerce


class PartSchema(LenientSchema):
    id = Id(required=True)
    price = Money()
    mark = fields.Raw(allow_none=True)


class WholeSchema(LenientSchema):
    id = Id()
    name = Text(data_key="full_name")
    at = Timestamp()
    stock = Whole()
    open = Flag()
    tags = TextList()
    part = NestedObject(PartSchema)
    parts = NestedList(PartSchema)
    any = fields.Raw(allow_none=True, load_default=None)
    strict = fields.Raw()


class BodySchema(OutgoingSchema):
    kind = fields.String(required=True, validate=validate.OneOf(["a", "b"]))
    name = OutgoingText(9, attribute="contact.name")
    city = OutgoingText(9, attribute="contact.address.city")
    value = Amount(attribute="amount", negative=False)
    sure = fields.Boolean(load_default=False)
    parts = fields.List(fields.Nested(PartSchema))


def outcome(schema: DirectSchema, data: Any) -> Any:
    try:
        return shape(schema, data) if isinstance(schema, OutgoingSchema) else schema.load(data)
    except ValidationError as error:
        return error.messages
    except PayloadInvalid as error:
        return str(error)


def by_marshmallow(schema: DirectSchema, data: Any) -> Any:
    """Load data without the one pass, on any level."""

    def refuse(self: DirectSchema, data: Mapping[str, Any]) -> dict[str, Any]:
        raise ValidationError("not now")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DirectSchema, "load_directly", refuse)
        return outcome(schema, data)


def assert_same(schema: DirectSchema, data: Any) -> None:
    """Compare values, their types, the order of the keys, faults, and warnings of what goes out."""
    assert repr(outcome(schema, data)) == repr(by_marshmallow(schema, data))


PLAIN = [None, "", " ", False, True, 0, -1, Decimal("1.50"), "x", "1.50", "2024-01-01T10:00:00Z", "\ud83d"]
LISTS = [[], ["a", None, 1], [{}], [{"id": 1}, 5, {"id": 2, "price": 1}], [{"id": 1, "price": []}, {}]]
OBJECTS = [{}, {"id": 1}, {"id": None}, {"id": 1, "price": "x"}, {"id": 1, "mark": None}, {"0": {"id": 1}, "1": {}}]
VALUES = st.sampled_from([*PLAIN, *LISTS, *OBJECTS])


@given(st.dictionaries(st.sampled_from([*WholeSchema().fields, "full_name", "unknown"]), VALUES))
def test_one_pass_gives_what_marshmallow_gives(data: dict[str, Any]) -> None:
    assert_same(WholeSchema(), data)


@given(st.dictionaries(st.sampled_from([*BodySchema().fields, "unknown"]), VALUES | st.sampled_from(["a", "b"])))
def test_one_pass_gives_what_marshmallow_gives_for_bodies_that_go_out(data: dict[str, Any]) -> None:
    assert_same(BodySchema(), data)


@pytest.mark.parametrize("data", [None, "x", 5, ["a"]])
def test_what_is_no_object_is_a_fault(data: object) -> None:
    assert_same(WholeSchema(), data)
    with pytest.raises(ValidationError, match="Invalid input type"):
        WholeSchema().load(data)


def test_options_are_marshmallows() -> None:
    assert PartSchema().load({"price": "1"}, partial=True) == {"price": Decimal(1)}
    with pytest.raises(ValidationError, match="Unknown field"):
        PartSchema().load({"id": 1, "new": 2}, unknown="raise")


def test_what_is_loaded_shares_no_lists() -> None:
    once, again = WholeSchema().load({}), WholeSchema().load({})
    once["parts"].append("mine")
    assert again["parts"] == []


BODIES: list[tuple[DirectSchema, dict[str, Any]]] = [
    (ShopifyOrder(), shopify.sample("orders_updated__three-lines-refunded-2025")),
    (ShopifyProduct(), shopify.sample("products_create__variants-2026")),
    (WooOrder(), woocommerce.sample("order_created__odd-plugins-v3")),
    (WooProduct(), woocommerce.sample("product_updated__variations-with-gaps-v1")),
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every object and list within a value, with each of its keys."""
    if isinstance(value, dict | list):
        for key in range(len(value)) if isinstance(value, list) else value:
            yield value, key
            yield from places(value[key])


@given(st.sampled_from(BODIES), st.lists(st.tuples(st.integers(0, 10_000), VALUES), max_size=3))
def test_one_pass_reads_the_platforms_bodies_as_marshmallow_does_whatever_is_odd_in_them(
    case: tuple[DirectSchema, dict[str, Any]], changes: list[tuple[int, Any]]
) -> None:
    schema, body = case[0], deepcopy(case[1])
    for number, value in changes:
        found = list(places(body))
        owner, key = found[number % len(found)]
        owner[key] = deepcopy(value)
    assert_same(schema, body)


def test_no_schema_of_one_pass_has_what_only_marshmallow_looks_for() -> None:
    for module in pkgutil.iter_modules(schemas.__path__):
        importlib.import_module(f"schemas.{module.name}")
    found = list(_below(DirectSchema))
    assert len(found) > 20
    for schema in found:
        assert not any(schema._hooks.values()), schema
        assert schema().unknown == "exclude", schema


def _below(schema: type[DirectSchema]) -> Iterator[type[DirectSchema]]:
    for each in schema.__subclasses__():
        yield each
        yield from _below(each)
