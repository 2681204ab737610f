from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cli.showing import cell, columns, counted, plain, printable, show_pairs
from relay.commands import Lane

MOMENT = datetime(2026, 11, 24, 12, 0, 0, 250000, tzinfo=UTC)


@dataclass(frozen=True)
class Thing:
    at: datetime
    lane: Lane


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ("  ", "-"),
        ([], "-"),
        ((), "-"),
        (0, "0"),
        (False, "no"),
        (True, "yes"),
        (Decimal("9.50"), "9.50"),
        (MOMENT, "2026-11-24T12:00:00Z"),
        (Lane.CATALOG, "catalog"),
        (["a", None, 1], "a, -, 1"),
        ("two\nlines\t\x1b[31m", "two lines  [31m"),
        ("Łódź ☕", "Łódź ☕"),
    ],
)
def test_cell_is_one_harmless_line(value, shown):
    assert cell(value) == shown


def test_columns_are_as_wide_as_their_widest_cell():
    assert columns([("ID", "STATE", "X"), (10, "a", None), (1, "waiting", "end")]) == [
        "ID  STATE    X",
        "10  a        -",
        "1   waiting  end",
    ]


def test_rows_of_different_lengths_are_a_mistake():
    with pytest.raises(ValueError, match="argument"):
        columns([("a", "b"), ("c",)])


def test_plain_gives_what_json_knows():
    value = {
        "thing": Thing(MOMENT, Lane.CATALOG),
        "body": b"\xffx",
        "path": Path("a/b"),
        "sum": (Decimal("1.10"), None),
    }
    assert plain(value) == {
        "thing": {"at": "2026-11-24T12:00:00.250000Z", "lane": "catalog"},
        "body": "\\xffx",
        "path": "a/b",
        "sum": [Decimal("1.10"), None],
    }


def test_pairs_leave_out_what_is_not_there(capsys):
    show_pairs({"id": 1, "reason": None, "warnings": [], "state": "dead"})
    assert capsys.readouterr().out == "id     1\nstate  dead\n"


def test_printable_keeps_what_it_is_told_to():
    assert printable("a\nb\x07c", kept="\n") == "a\nb c"


@pytest.mark.parametrize(("number", "told"), [(0, "0 deliveries"), (1, "1 delivery"), (2, "2 deliveries")])
def test_numbers_agree_with_their_noun(number, told):
    assert counted(number, "delivery", "deliveries") == told
