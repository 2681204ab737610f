"""Plain values of what goes out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.values import as_decimal, as_link, as_text, is_empty


@pytest.mark.parametrize("value", [None, "", " \n", [], (), {}])
def test_nothing_said_is_empty(value: Any) -> None:
    assert is_empty(value)


@pytest.mark.parametrize("value", [0, False, Decimal(0), "0", [0], {"a": None}])
def test_zero_and_false_are_not_empty(value: Any) -> None:
    assert not is_empty(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a ", "a"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
        ("line\nline\ttab", "line\nline\ttab"),
        ("\ud83d", ""),
        ("emoji \U0001f600", "emoji \U0001f600"),
    ],
)
def test_scalar_becomes_clean_text(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize("value", [[1], {"a": 1}, 1.5, b"x", Decimal("1e999999999")])
def test_what_is_no_short_scalar_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        as_text(value)


@pytest.mark.parametrize(("value", "number"), [("1.50", "1.50"), (3, "3"), (Decimal("2"), "2"), (" 4 ", "4")])
def test_exact_number_is_read(value: Any, number: str) -> None:
    assert as_decimal(value) == Decimal(number)


@pytest.mark.parametrize("value", [1.5, True, "x", "1,5", "NaN", Decimal("-Infinity"), None, [1]])
def test_inexact_number_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        as_decimal(value)


def test_link_keeps_its_query_and_fragment() -> None:
    assert as_link("https://x.example//a//b?c=//d&e=ü#f") == "https://x.example/a/b?c=//d&e=%C3%BC#f"
