"""What the mask hides."""

from __future__ import annotations

import time

import pytest

from relay.masking import mask, texts_of


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("No contact anna@example.com here", "No contact *** here"),
        ("[anna.b+c@mail.example.com]", "[***]"),
        ("email=anna%40example.com", "***"),
        ("call +48 500 100 200 now", "call *** now"),
        ("call (022) 555-01-01", "call ***"),
        ("phone 48500100200.", "phone ***."),
        ("products[3].name|max:16384|Value was trimmed", "products[3].name|max:16384|Value was trimmed"),
        ("request 5d6a7b80-9c1d-4e2f-a3b4-c5d6e7f80912", "request 5d6a7b80-9c1d-4e2f-a3b4-c5d6e7f80912"),
        ("limit 123456", "limit 123456"),
        ("", ""),
    ],
)
def test_addresses_and_long_numbers_are_hidden(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_known_texts_are_hidden_whole_and_whatever_their_case() -> None:
    assert mask("User ANNA EXAMPLE (Anna) of Annaberg", ["Anna Example", "Anna"]) == "User *** (***) of Annaberg"


def test_very_short_texts_are_left_alone() -> None:
    assert mask("no contact", ["no", ""]) == "no contact"


def test_known_texts_are_taken_literally() -> None:
    assert mask("a.c and abc", ["a.c"]) == "*** and abc"


def test_long_text_without_blanks_is_masked_in_reasonable_time() -> None:
    started = time.perf_counter()
    assert mask("a" * 20_000 + "1" * 20_000).startswith("a")
    assert time.perf_counter() - started < 5


def test_texts_of_a_body_are_found_at_any_depth() -> None:
    assert list(texts_of({"a": "x", "b": [1, "y", {"c": ("z",)}], "d": None})) == ["x", "y", "z"]
