from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from relay.commerce import Address, Customer, Line, Order
from relay.shops import Group, Shop
from relay.translation import language
from relay.translation.absent import LanguageError
from relay.translation.names import EventView, GroupView, ShopView

ORDER = Order(
    id="1001",
    total=Decimal("12.50"),
    customer=Customer(email="anna@example.com", first_name="Anna", address=Address(city="Warsaw")),
    lines=(Line(id="1", name="Shirt", sku="S1", total=Decimal("10")), Line(id="2", name="Hat", total=Decimal("2.50"))),
    tags=("vip", "web"),
    placed_at=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
)
NAMES: dict[str, Any] = {
    "order": ORDER,
    "lines": ORDER.lines,
    "customer": ORDER.customer,
    "cart": None,
    "raw": {"items": [1, 2], "keys": "mine", "zero": 0, "no": False, "text": "12", "null": None, "odd key": "x"},
}


def value_of(source: str, **names: Any) -> Any:
    return language.compiled(language.parse(source))(language.scope({**NAMES, **names}))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ order.total }}", Decimal("12.50")),
        ("{{ order.test }}", False),
        ("{{ order.tags }}", ["vip", "web"]),
        ("{{ order.placed_at }}", datetime(2026, 1, 1, 12, 0, tzinfo=UTC)),
        ("{{ raw.zero }}", 0),
        ("\n {{ order.total }}\n", Decimal("12.50")),
    ],
)
def test_one_expression_alone_keeps_its_type(source: str, expected: object) -> None:
    value = value_of(source)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Order {{ order.id }}", "Order 1001"),
        ("{{ customer.first_name }} {{ customer.last_name }}", "Anna"),
        ("{{ order.total }} EUR", "12.50 EUR"),
        ("{{ order.placed_at }}!", "2026-01-01T12:00:00Z!"),
        ("{{ order.test }}/{{ order.tags }}", "false/vip, web"),
        ("{{ customer.phone }}{{ customer.company }}", ""),
        ("constant", "constant"),
        ("a { brace } and 100 %", "a { brace } and 100 %"),
    ],
)
def test_text_around_an_expression_or_several_expressions_make_a_text(source: str, expected: str) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ customer.name }}",
        "{{ customer.address.street }}",
        "{{ customer.address.street.deeper }}",
        "{{ customer.name | upper }}",
        "{{ customer.name | split | first }}",
        "{{ cart.customer.address.city }}",
        "{{ cart.lines | map(attribute='sku') }}",
        "{{ order.total - order.shipping_total }}",
        "{{ -order.shipping_total }}",
        "{{ order.shipping_total * 2 + 1 }}",
        "{{ lines | sum(attribute='unit_price') }}",
        "{{ raw.null }}",
        "{{ raw.nowhere.at.all[0]['x'] }}",
        "{{ lines[7].name }}",
        "{{ customer.name[:3] }}",
        "{{ {'a': 1}[customer.role] }}",
        "{{ order.id if cart.id }}",
        "{{ (customer.phone if false) | upper }}",
        "{{ 'Tel. ' ~ customer.phone if customer.phone }}",
        "{{ 1 / 0 }}",
        "{{ 1 % 0 }}",
    ],
)
def test_what_is_absent_evaluates_to_nothing(source: str) -> None:
    assert value_of(source) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ customer.name or 'nobody' }}", "nobody"),
        ("{{ 'a' ~ customer.name ~ 'b' ~ true }}", "abtrue"),
        ("{{ order.shipping_total > 5 }}", False),
        ("{{ order.shipping_total == 5 }}", False),
        ("{{ 5 <= order.shipping_total }}", False),
        ("{{ customer.role in 'admin' }}", False),
        ("{{ customer.role not in ['admin'] }}", True),
        ("{{ 'x' in customer.role }}", False),
        ("{{ customer.phone is defined }}", False),
        ("{{ customer.email is defined }}", True),
        ("{{ lines | map(attribute='sku') }}", ["S1", None]),
        ("{{ [customer.name, customer.email] }}", [None, "anna@example.com"]),
    ],
)
def test_nothing_can_be_asked_and_compared(source: str, expected: object) -> None:
    assert value_of(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ order.total * 0.81 }}", Decimal("10.1250")),
        ("{{ 0.1 + 0.2 }}", Decimal("0.3")),
        ("{{ 7 / 2 }}", Decimal("3.5")),
        ("{{ 7 // 2 }}", 3),
        ("{{ order.total + 1 }}", Decimal("13.50")),
        ("{{ lines | sum(attribute='total') }}", Decimal("12.50")),
    ],
)
def test_numbers_are_exact(source: str, expected: object) -> None:
    value = value_of(source)
    assert value == expected
    assert not isinstance(value, float)


def test_keys_of_a_body_come_before_pythons_methods() -> None:
    assert value_of("{{ raw.items }}") == [1, 2]
    assert value_of("{{ raw.keys }}") == "mine"
    assert value_of("{{ raw['odd key'] }}") == "x"


@pytest.mark.parametrize("source", ["{{ raw.text * 3 }}", "{{ 'x' * 1000000000 }}", "{{ [1] * 9 }}", "{{ 'a' + 'b' }}"])
def test_only_numbers_are_calculated_with(source: str) -> None:
    with pytest.raises(LanguageError, match="calculates with"):
        value_of(source)


def test_a_format_cannot_blow_up_a_text() -> None:
    with pytest.raises(LanguageError, match="calculates with str"):
        value_of("{{ '%1000000000d' % 5 }}")


def test_two_lists_are_added() -> None:
    assert value_of("{{ order.tags + ['x'] }}") == ["vip", "web", "x"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ order.__class__ }}",
        "{{ order['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ raw.__init__ }}",
        "{{ raw.update }}",
        "{{ lines | map(attribute='__class__') | first }}",
        "{{ order.tags.append }}",
        "{{ order.id.upper }}",
        "{{ shop.secrets }}",
        "{{ shop.key }}",
        "{{ range }}",
        "{{ cycler }}",
        "{{ lipsum }}",
    ],
)
def test_nothing_but_fields_and_keys_can_be_reached(source: str) -> None:
    shop = Shop(key="acme", platform="shopify", group="main", location="acme_shop", secrets=("invented",))
    assert value_of(source, shop=shop) is None


def test_views_hold_no_secret() -> None:
    shop = Shop(
        key="acme", platform="shopify", group="main", location="loc", secrets=("invented",), url="https://acme.example/"
    )
    group = Group(
        key="main", endpoint="https://x.example", client_id="c", api_key="k", api_secret="s", owner="o", location="loc"
    )
    assert ShopView.of(shop) == ShopView("acme", "shopify", "loc", url="https://acme.example", timezone="UTC")
    assert GroupView.of(group) == GroupView("main", "loc")
    assert value_of("{{ event.type }}", event=EventView("CART")) == "CART"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ order. }}", "syntax error"),
        ("{{ order.id", "syntax error"),
        ("{{ }}", "syntax error"),
        ("{% if x %}a{% endif %}", "is not part of the language"),
        ("{% set x = 1 %}", "is not part of the language"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "too deeply nested"),
    ],
)
def test_text_that_is_not_of_the_language_is_refused(source: str, message: str) -> None:
    with pytest.raises(LanguageError, match=message):
        language.parse(source)


def test_arrays_open_up_the_lists_inside_them() -> None:
    evaluate = language.several([language.constant("a"), language.compiled(language.parse("{{ order.tags }}"))])
    assert evaluate(language.scope(NAMES)) == ["a", "vip", "web"]


def test_one_evaluation_leaves_no_trace_in_the_next() -> None:
    evaluate = language.compiled(language.parse("{{ order.id }}"))
    assert evaluate(language.scope(NAMES)) == "1001"
    assert evaluate(language.scope({})) is None
