import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from relay.commerce import Line
from relay.translation import language
from relay.translation.absent import LanguageError
from relay.translation.filters import FILTERS
from relay.translation.names import ShopView
from relay.translation.own_filters import country_with_phones, time_zone

MOMENT = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
WARSAW = ShopView("acme", "shopify", "loc", timezone="Europe/Warsaw")
META = {
    "meta_data": [{"key": "a", "value": "1"}, {"key": "_vat", "value": "PL1"}, {"key": "_vat", "value": "PL2"}, "odd"]
}
LINES = (Line(name="Shirt", quantity=Decimal(2), total=Decimal(20)), Line(name="hat", total=Decimal(5)))


def value_of(expression: str, **names: Any) -> Any:
    return language.compiled(language.parse(f"{{{{ {expression} }}}}"))(language.scope(names))


CASES: list[tuple[str, Any, Any]] = [
    ("x | abs", Decimal("-2.5"), Decimal("2.5")),
    ("x | capitalize", "łÓDŹ centrum", "Łódź centrum"),
    ("x | date", MOMENT, "2026-01-01"),
    ("x | date('%H:%M')", MOMENT, "23:30"),
    ("x | date('%Y-%m-%d %H:%M', 'Europe/Warsaw')", MOMENT, "2026-01-02 00:30"),
    ("x | date('%Y%m%d')", date(1980, 10, 17), "19801017"),
    ("x | date('%d.%m.%Y')", "2026-01-01T23:30:00+00:00", "01.01.2026"),
    ("x | date", "soon", None),
    ("x | date", 5, None),
    ("x | decimal", "12.50", Decimal("12.50")),
    ("x | decimal", 3, Decimal(3)),
    ("x | decimal", "twelve", None),
    ("x | decimal", Decimal("1E+999999999"), None),
    ("x | default(7)", "", 7),
    ("x | default(7)", [], 7),
    ("x | default(7)", 0, 0),
    ("x | default(7)", False, False),
    ("y | default('z')", "unused", "z"),
    ("x | first", ["a", "b"], "a"),
    ("x | first", [], None),
    ("x | html_text", "<p>Soft&nbsp;&amp; warm</p><ul><li>one<li>two</ul>", "Soft & warm one two"),
    ("x | int", "12.9", 12),
    ("x | int", "many", None),
    ("x | int", Decimal("1E+999999999"), None),
    ("x | join(' / ')", ["a", None, "", Decimal("2.50"), True], "a / 2.50 / true"),
    ("x | join('-')", "abc", "abc"),
    ("x | last", ["a", "b"], "b"),
    ("x | length", ["a", "b"], 2),
    ("x | list", ("a", "b"), ["a", "b"]),
    ("x | lower", "ANNA", "anna"),
    ("x | map('upper')", ["a", None], ["A", None]),
    ("x | map(attribute='name')", LINES, ["Shirt", "hat"]),
    ("x | max", [Decimal(1), Decimal(3)], Decimal(3)),
    ("(x | min(attribute='total')).name", LINES, "hat"),
    ("x | meta('_vat')", META, "PL1"),
    ("x.meta_data | meta('_vat')", META, "PL1"),
    ("x | meta('gift')", [{"name": "gift", "value": "yes"}], "yes"),
    ("x | meta('none')", META, None),
    ("x | meta('k')", {"meta_data": "broken"}, None),
    ("x | money", Decimal("2.345"), Decimal("2.35")),
    ("x | money", "-2.345", Decimal("-2.35")),
    ("x | money(0)", Decimal("2.5"), Decimal("3")),
    ("x | money", "free", None),
    ("x | phone('PL')", "500 100 200", "+48500100200"),
    ("x | phone('pl')", "+49 30 901820", "+4930901820"),
    ("x | phone", "500 100 200", "500 100 200"),
    ("x | phone('PL')", "ask Anna", "ask Anna"),
    ("x | phone('PL')", "12", "12"),
    ("x | reject('eq', 'a')", ["a", "b"], ["b"]),
    ("x | rejectattr('total', 'gt', 10) | map(attribute='name')", LINES, ["hat"]),
    ("x | replace(' ', '')", "1 2 3", "123"),
    ("x | reverse", ["a", "b"], ["b", "a"]),
    ("x | select", ["a", "", None], ["a"]),
    ("x | select('in', ['a', 'c'])", ["a", "b"], ["a"]),
    ("x | selectattr('total', 'gt', 10) | map(attribute='name')", LINES, ["Shirt"]),
    ("x | sort", ["b", "A", "c"], ["A", "b", "c"]),
    ("x | split", " a, b,, c ", ["a", "b", "c"]),
    ("x | split('|')", "a|b", ["a", "b"]),
    ("x | split", ["a"], ["a"]),
    ("x | string", 12, "12"),
    ("x | sum", [1, Decimal("2.5")], Decimal("3.5")),
    ("x | sum(attribute='quantity')", LINES, Decimal(3)),
    ("x | title", "anna maria", "Anna Maria"),
    ("x | trim", "  a ", "a"),
    ("x | trim('/')", "/a/", "a"),
    ("x | truncate(9, end='')", "one two three four five", "one two"),
    ("x | unique", ["a", "b", "a"], ["a", "b"]),
    ("x | upper", "straße", "STRASSE"),
    ("x | upper", 12, "12"),
    ("x | urlencode", "a b&c", "a%20b%26c"),
]


@pytest.mark.parametrize(("expression", "given", "expected"), CASES)
def test_filter(expression: str, given: Any, expected: Any) -> None:
    assert value_of(expression, x=given) == expected


def test_every_filter_has_a_case() -> None:
    tried = {name for expression, _, _ in CASES for name in re.findall(r"\| (\w+)", expression)}
    assert tried == set(FILTERS)


@pytest.mark.parametrize("name", sorted(set(FILTERS) - {"default"}))
def test_every_filter_gives_nothing_for_nothing(name: str) -> None:
    arguments = {"replace": "('a', 'b')", "meta": "('a')", "map": "('upper')"}.get(name, "")
    assert value_of(f"x | {name}{arguments}", x=None) is None


def test_dates_are_told_in_the_shops_zone() -> None:
    assert value_of("x | date('%Y-%m-%d %H:%M')", x=MOMENT, shop=WARSAW) == "2026-01-02 00:30"
    assert value_of("x | date('%H:%M')", x="2026-07-01T10:00:00", shop=WARSAW) == "10:00"


def test_a_time_zone_and_a_region_must_exist() -> None:
    with pytest.raises(LanguageError, match="no time zone"):
        time_zone("Europe/Warsw")
    with pytest.raises(LanguageError, match="no time zone"):
        time_zone("../../etc/passwd")
    with pytest.raises(LanguageError, match="two-letter"):
        country_with_phones("UK")
    country_with_phones("gb")


@pytest.mark.parametrize(
    ("expression", "given", "message"),
    [
        ("x | replace('a', x)", "a" * 10_000, "too long a text"),
        ("x | replace('', 'b')", "a", "what to replace"),
        ("x | unique", [1] * 100_001, "more than 100000 items"),
        ("5 in x", list(range(1001)), "up to 1000 items"),
        ("x | money(400)", 1, "0 to 10 digits"),
        ("x | upper", {"a": 1}, "is no text"),
    ],
)
def test_costly_or_senseless_use_fails_with_words(expression: str, given: Any, message: str) -> None:
    with pytest.raises(LanguageError, match=message):
        value_of(expression, x=given)
