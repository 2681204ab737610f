from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.commerce import Address, Customer, Line, Order
from relay.translation import language
from relay.translation.absent import LanguageError
from relay.translation.paths import direct

BUYER = Customer(email="anna@example.com", tags=("vip", ""), address=Address(city="Warsaw"))
ORDER = Order(
    id="1001",
    total=Decimal("12.50"),
    customer=BUYER,
    lines=(Line(id="1", name="Shirt", sku="S1"), Line(id="2", name="Hat")),
    placed_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
)
RAW = {
    "a": {"b": [{"c": 1}, "text", None], "id": ""},
    "items": [{"id": "1"}, {"id": None}, 5, "x"],
    "zero": 0,
    "odd key": "x",
}
NAMES = st.fixed_dictionaries(
    {
        "customer": st.sampled_from([None, BUYER, Customer()]),
        "order": st.sampled_from([None, ORDER, Order(id="2")]),
        "lines": st.sampled_from([(), ORDER.lines, list(ORDER.lines), None, "text", 5, RAW]),
        "raw": st.sampled_from([{}, RAW, RAW["a"], [1, 2], "text", 7]),
    }
)
KEYS = ["a", "b", "id", "city", "address", "email", "lines", "tags", "items", "zero", "name", "__class__"]
STEPS = st.sampled_from(
    [f".{key}" for key in KEYS] + [f"['{key}']" for key in [*KEYS, "odd key"]] + ["[0]", "[-1]", "[9]"]
)
PATHS = st.builds(
    lambda name, steps: name + "".join(steps),
    st.sampled_from(["customer", "order", "lines", "raw", "cart"]),
    st.lists(STEPS, max_size=4),
)
CONSTANTS = st.sampled_from(["'text'", "''", "5", "0", "true", "false", "1.5"])
MAPS = st.builds("({} | map(attribute='{}'))".format, PATHS, st.sampled_from([*KEYS, "customer.email", "0"]))
EXPRESSIONS = st.recursive(
    PATHS | CONSTANTS | MAPS,
    lambda inner: (
        st.builds("({} or {})".format, inner, inner)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
        | st.builds("({} if {})".format, inner, inner)
        | st.builds("({} | default({}))".format, inner, inner)
        | st.builds("({} | {})".format, inner, st.sampled_from(["upper", "join('-')", "first", "lower", "string"]))
        | st.builds("[{}, {}]".format, inner, inner)
    ),
    max_leaves=5,
)


def outcome(evaluate: language.Evaluate, names: dict[str, Any]) -> object:
    try:
        value = language.plain(evaluate(language.scope(names)))
    except (LanguageError, TypeError) as error:
        return type(error), str(error)
    return type(value), value


def node_of(source: str) -> Any:
    [piece] = language.parse("{{ " + source + " }}")
    assert not isinstance(piece, str)
    return language.exact(piece)


@given(EXPRESSIONS, NAMES)
def test_the_direct_way_gives_what_jinja_gives(source: str, names: dict[str, Any]) -> None:
    evaluate = language.compiled(language.parse("{{ " + source + " }}"))
    assert outcome(evaluate, names) == outcome(language.rendered(node_of(source)), names)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("customer.address.city", "Warsaw"),
        ("order['customer'].email", "anna@example.com"),
        ("raw['a'].b[0].c", 1),
        ("raw.a.b[-2]", "text"),
        ("raw.a.b[9].c", None),
        ("customer.__class__", None),
        ("raw.a.id or raw['odd key'] or order.id", "x"),
        ("order.id if customer.phone else raw.zero", 0),
        ("order.id if customer.email else raw.zero", "1001"),
        ("lines | map(attribute='sku')", ["S1", None]),
        ("lines | map(attribute='name')", ["Shirt", "Hat"]),
        ("raw['items'] | map(attribute='id')", ["1", None, None, None]),
        ("cart.lines | map(attribute='sku')", None),
    ],
)
def test_simple_expressions_give_what_they_name(source: str, expected: object) -> None:
    names = {"customer": BUYER, "order": ORDER, "lines": ORDER.lines, "raw": RAW}
    for evaluate in (language.compiled(language.parse("{{ " + source + " }}")), language.rendered(node_of(source))):
        assert outcome(evaluate, names) == (type(expected), expected)


@pytest.mark.parametrize(
    "source",
    [
        "customer",
        "customer.email",
        "raw['odd key']",
        "raw.items[0].id",
        "'text'",
        "order.key or order.number or raw.a",
        "lines | map(attribute='sku')",
        "order.id if customer.email else raw.id",
        "customer.name or customer.tags | join(' ')",
    ],
)
def test_simple_expressions_need_no_rendering(source: str) -> None:
    assert direct(node_of(source), language.ENVIRONMENT, language.rendered) is not None


@pytest.mark.parametrize(
    "source",
    [
        "customer.email | replace(old='a')",
        "raw[order.id]",
        "raw.items[0:1]",
        "order.total + 1",
        "lines | map(attribute='customer.email')",
        "lines | map(attribute='0')",
        "lines | map(attribute=raw.key)",
        "lines | map(attribute='sku', default='-')",
        "lines | map('upper')",
        "(lines | first).sku",
    ],
)
def test_everything_else_is_jinjas(source: str) -> None:
    assert direct(node_of(source), language.ENVIRONMENT, language.rendered) is None
