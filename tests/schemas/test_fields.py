from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from relay.errors import PayloadInvalid
from schemas.fields import (
    Flag,
    Id,
    LenientSchema,
    MarkupText,
    Money,
    NestedList,
    NestedObject,
    Number,
    Text,
    TextList,
    Timestamp,
    Whole,
    load,
)


class ItemSchema(LenientSchema):
    id = Id(required=True)
    price = Money()


class ThingSchema(LenientSchema):
    id = Id()
    price = Money()
    weight = Number()
    stock = Whole()
    at = Timestamp()
    local_at = Timestamp(zone=ZoneInfo("Europe/Warsaw"))
    name = Text()
    title = MarkupText()
    open = Flag()
    tags = TextList()
    words = TextList(separator="|")
    item = NestedObject(ItemSchema)
    items = NestedList(ItemSchema)
    renamed = Text(data_key="vendorsName")


THING = ThingSchema()


def read(field, value):
    return load(THING, {field: value})[field]


@pytest.mark.parametrize(
    ("given", "read_as"),
    [("12.50", "12.50"), (" 12.50 ", "12.50"), (Decimal("12.5"), "12.5"), (12, "12"), ("-3", "-3"), ("0.000", "0.000")],
)
def test_money_is_read_from_text_and_numbers_with_the_decimals_it_came_with(given, read_as):
    assert str(read("price", given)) == read_as


@pytest.mark.parametrize("field", ["id", "price", "weight", "stock", "at", "name", "title", "item"])
@pytest.mark.parametrize("nothing", [None, "", "  ", False])
def test_nothing_in_any_spelling_counts_as_not_said(field, nothing):
    assert read(field, nothing) is None


@pytest.mark.parametrize(
    "given", ["abc", "1,50", 1.5, True, [], {}, "NaN", "Infinity", "1e999999", Decimal("1e-999999"), "12 EUR"]
)
@pytest.mark.parametrize("field", ["price", "weight", "stock"])
def test_an_amount_or_number_that_cannot_be_read_is_a_fault(field, given):
    with pytest.raises(PayloadInvalid, match=rf"{field}: Not a readable (amount|number)\."):
        read(field, given)


@pytest.mark.parametrize(("given", "read_as"), [("7", 7), (7, 7), (-2, -2), ("2.9", 2), (Decimal("-0.5"), 0)])
def test_a_whole_number_cuts_the_fraction_off(given, read_as):
    assert read("stock", given) == read_as


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("2021-12-31T19:00:00-05:00", datetime(2022, 1, 1, tzinfo=UTC)),
        ("2023-12-11T04:44:14.751Z", datetime(2023, 12, 11, 4, 44, 14, 751000, tzinfo=UTC)),
        ("2024-06-01T10:00:00", datetime(2024, 6, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_time_becomes_aware_utc(given, read_as):
    moment = read("at", given)
    assert (moment, moment.tzinfo) == (read_as, UTC)


def test_a_time_without_an_offset_is_read_in_the_zone_of_its_field():
    assert read("local_at", "2024-06-01T10:00:00") == datetime(2024, 6, 1, 8, tzinfo=UTC)
    assert read("local_at", "2024-06-01T10:00:00Z") == datetime(2024, 6, 1, 10, tzinfo=UTC)


def test_the_zero_date_of_a_database_counts_as_not_said():
    assert read("at", "0000-00-00 00:00:00") is None


@pytest.mark.parametrize("given", ["yesterday", 1700000000, "0001-01-01T00:00:00+05:00", {}, "2024-13-01"])
def test_a_time_that_cannot_be_read_is_a_fault(given):
    with pytest.raises(PayloadInvalid, match=r"at: Not a readable time\."):
        read("at", given)


@pytest.mark.parametrize(
    ("given", "read_as"),
    [(" Ann ", "Ann"), (7, "7"), (0, "0"), ({}, None), (["a"], None), (True, None), ("a\x00b\ud800c", "abc")],
)
def test_text_is_what_any_store_can_keep(given, read_as):
    assert read("name", given) == read_as


def test_markup_becomes_plain_text():
    assert read("title", "Tea &amp; <b>Cake</b>") == "Tea & Cake"
    assert read("title", "<p></p>") is None


@pytest.mark.parametrize(
    ("given", "read_as"),
    [(820982911946154508, "820982911946154508"), ("c1-5f", "c1-5f"), (0, None), ("0", None), ({"id": 1}, None)],
)
def test_an_id_is_text_whatever_its_size(given, read_as):
    assert read("id", given) == read_as


@pytest.mark.parametrize(
    ("given", "read_as"),
    [(True, True), (False, False), ("yes", True), ("No", False), (1, True), ("0", False), ("maybe", None), ([], None)],
)
def test_a_flag_keeps_false_apart_from_not_said(given, read_as):
    assert read("open", given) is read_as


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_flag_left_empty_is_not_said(nothing):
    assert read("open", nothing) is None


@pytest.mark.parametrize(
    ("given", "read_as"),
    [("a, b, ", ("a", "b")), (["a", 7, "", None, {}], ("a", "7")), ("", ()), (None, ()), ({}, ()), (False, ())],
)
def test_a_list_of_texts_is_read_from_a_list_or_one_text(given, read_as):
    assert read("tags", given) == read_as


def test_a_list_of_texts_is_split_at_its_own_separator():
    assert read("words", "a, b | c") == ("a, b", "c")


@pytest.mark.parametrize("given", [None, [], {}, "", "text", 7, [{"id": 1}], False])
def test_what_is_no_object_counts_as_not_said(given):
    assert read("item", given) is None


@pytest.mark.parametrize(
    "given",
    [
        [{"id": 1}, {"id": 2}],
        {"0": {"id": 1}, "3": {"id": 2}},
        [{"id": 1}, None, "text", {"id": 2}],
    ],
    ids=["list", "object of numbered keys", "list with other things"],
)
def test_a_list_of_objects_is_read_in_each_of_its_shapes(given):
    assert [item["id"] for item in read("items", given)] == ["1", "2"]


def test_an_object_where_a_list_belongs_is_a_list_of_one():
    assert [item["id"] for item in read("items", {"id": 5, "price": "1"})] == ["5"]


@pytest.mark.parametrize("given", [None, {}, [], "", "text", 7, False])
def test_no_list_of_objects_is_an_empty_one(given):
    assert read("items", given) == []


def test_every_declared_name_is_there_and_no_other():
    assert set(load(THING, {"surprise": 1})) == set(THING.fields)
    assert load(THING, {"vendorsName": "x"})["renamed"] == "x"


@pytest.mark.parametrize("empty", [{}, {"id": None}, {"id": ""}, {"id": 0}, {"id": False}, {"id": []}])
def test_a_required_field_must_say_something(empty):
    with pytest.raises(PayloadInvalid, match=r"id: Missing or empty\."):
        load(ItemSchema(), empty)


def test_a_fault_names_the_path_and_never_the_value():
    body = {"price": "secret-1", "items": [{"id": 1}, {"id": 2, "price": "secret-2"}], "item": {"price": "secret-3"}}
    with pytest.raises(PayloadInvalid) as caught:
        load(THING, body)
    message = str(caught.value)
    assert "items.1.price: Not a readable amount." in message
    assert "item.id: Missing or empty." in message
    assert "secret" not in message


def test_a_body_full_of_faults_names_ten_of_them():
    with pytest.raises(PayloadInvalid) as caught:
        load(THING, {"items": [{"price": "1"}] * 500})
    assert str(caught.value).count("Missing or empty.") == 10


@pytest.mark.parametrize("body", [None, [], "text", 7, [{"id": 1}]])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(PayloadInvalid, match="not a JSON object"):
        load(THING, body)
