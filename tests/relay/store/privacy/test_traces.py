"""What counts as naming a person, however it is written, and what does not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from relay.privacy import Person
from relay.store.privacy.traces import Traces, masked

ANN = Person(
    "main",
    addresses=("ann+shop@example.com",),
    phones=("555-625-1199", "+48 600 100 200", "12"),
    accounts=(("acme", "7061234567890"), ("acme", "5")),
    orders=(("acme", "820982911946154508"),),
)


def is_named(text: bytes | str, shop: str | None = None) -> bool:
    return Traces([ANN]).whose(text, shop) == {0}


@pytest.mark.parametrize("text", [
    "ann+shop@example.com",
    b'{"email":"Ann+Shop@Example.COM"}',
    r'{"email":"ann+shop\u0040example.com"}',
    r'{"email":"ann\u002bshop@example.com"}',
    r'{"note":"{\"email\":\"ann+shop\\u0040example.com\"}"}',
    r"one\nann+shop@example.com",
    "/account?email=ann%2Bshop%40example.com&x=1",
    "a%3Dann%2bshop%40example.com",
    "mailto:ann&#43;shop&#64;example.com",
    "Write to ann+shop@example.com.",
    b"\xff\xfe broken \x00 ann+shop@example.com",
    "555-625-1199",
    "(555) 625 1199",
    "+1 555.625.1199",
    '"phone":"5556251199"',
    "600100200",
    "0048 600-100-200",
])  # fmt: skip
def test_person_is_found_however_they_are_written(text):
    assert is_named(text)


@pytest.mark.parametrize("text", [
    "",
    "joann+shop@example.com",
    "x.ann+shop@example.com",
    "ann+shop@example.com.example",
    "ann+shop@example.common.example",
    "ann@example.com",
    "ann+shop at example.com",
    "555-625-119",
    "1199",
    "12",
    "5",
    '{"total":"5.00","id":5}',
])  # fmt: skip
def test_others_are_not_taken_for_the_person(text):
    assert not is_named(text, "acme")


@pytest.mark.parametrize("text", ['{"id":7061234567890}', "gid://shopify/Customer/7061234567890", "820982911946154508"])
def test_long_ids_name_the_person_in_texts_of_their_own_shop(text):
    assert is_named(text, "acme")
    assert not is_named(text, "other")
    assert not is_named(text)
    assert not is_named(f"1{text.replace('7061', '17061').replace('8209', '18209')}", "acme")


def test_each_of_several_persons_is_told_apart():
    bo = Person("main", addresses=("bo@example.com",))
    traces = Traces([ANN, bo])

    assert traces.whose("bo@example.com") == {1}
    assert traces.whose("bo@example.com, ann+shop@example.com") == {0, 1}
    assert traces.whose("nobody@example.com") == set()


def test_somebody_without_address_and_number_is_never_found():
    assert Traces([Person("main")]).whose("anything @ all 123456789", "acme") == set()


def test_what_names_the_person_is_masked_and_nothing_else():
    value = {
        "note": "For Ann+Shop@example.com or 555 625 1199, not bo@example.com",
        "ann+shop@example.com": ["+48600100200", Decimal("9.90"), None, True],
        "phone": 5556251199,
        "id": 5,
    }
    assert masked(value, ANN) == {
        "note": "For *** or ***, not bo@example.com",
        "***": ["***", Decimal("9.90"), None, True],
        "phone": "***",
        "id": 5,
    }
