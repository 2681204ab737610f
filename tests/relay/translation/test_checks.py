import pytest

from relay.translation.checks import Findings, check
from relay.translation.language import parse
from relay.translation.names import NAMES


def findings_of(source: str, table: str = "event") -> Findings:
    return check(parse(source), NAMES[table])


@pytest.mark.parametrize(
    "source",
    [
        "constant",
        "{{ order.total }}",
        "{{ order.customer.address.city }}",
        "{{ order['total'] }}",
        "{{ order.lines[0].name }}",
        "{{ lines[:2] | map(attribute='name') }}",
        "{{ (lines | first).name }}",
        "{{ (lines | selectattr('total', 'gt', 5) | last).sku }}",
        "{{ (lines | sort(attribute='name') | reverse | first).sku }}",
        "{{ lines | map(attribute='sku') | map('upper') | select | unique | join('/') }}",
        "{{ lines | sum(attribute='quantity') }}",
        "{{ (order or cart).customer.email }}",
        "{{ (order if order.id else cart).note | default('x') }}",
        "{{ raw.any['thing'][0].at.all | int }}",
        "{{ raw | meta('a') }}",
        "{{ (raw | meta('a')).b }}",
        "{{ raw.list | map(attribute='x.y') }}",
        "{{ {'a': 1}[order.status] }}",
        "{{ 'a' if order.placed_at is defined and order.total > 5 else 'b' }}",
        "{{ order.placed_at | date('%d', 'Europe/Warsaw') }}",
        "{{ order.tags + cart.customer.tags }}",
        "{{ order.status in ['paid'] and not order.test }}",
        "{{ order.refunds | map(attribute='amount') | max }}",
        "{{ shop.platform ~ group.key }}",
        "{{ -order.total }}",
        "{{ order.number[:5] }}",
        "{{ lines | map(attribute='sku') | list | first }}",
        "{{ raw.rows | map(attribute='0.x') }}",
    ],
)
def test_what_exists_is_accepted(source: str) -> None:
    assert findings_of(source).problems == ()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ ordr.id }}", 'there is no name "ordr" here; did you mean "order"?'),
        ("{{ product.id }}", 'there is no name "product" here'),
        ("{{ data.id }}", 'there is no name "data" here'),
        ("{{ self }}", 'there is no name "self" here; names here are cart, customer, event, group, lines, order'),
        ("{{ order.totl }}", 'order has no field "totl"; did you mean "total"?'),
        ("{{ order['totl'] }}", 'did you mean "total"?'),
        ("{{ order.customer.address.town }}", 'address has no field "town"; its fields are city'),
        ("{{ (order or cart).recovery_url }}", 'order has no field "recovery_url"'),
        ("{{ shop.secrets }}", 'shop has no field "secrets"'),
        ("{{ order.__class__ }}", 'order has no field "__class__"'),
        ("{{ order.total.amount }}", 'asks a plain value for its "amount"'),
        ("{{ lines.name }}", "use | first, or | map(attribute='name')"),
        ("{{ (lines | first).nam }}", 'line has no field "nam"'),
        ("{{ lines | map(attribute='nam') }}", 'line has no field "nam"'),
        ("{{ order | default(cart) | map(attribute='x') }}", "not a whole order or cart"),
        ("{{ order.lines | map(attribute='0.x') }}", 'line has no field "0"'),
        ("{{ lines | selectattr('qty') | map(attribute='id') }}", 'line has no field "qty"'),
        ("{{ lines | sum(attribute='qty') }}", 'line has no field "qty"'),
        ("{{ lines | sort(attribute='qty') | map(attribute='id') }}", 'line has no field "qty"'),
        ("{{ lines | map(attribute=order.id) }}", "needs a name in quotes"),
        ("{{ lines | map }}", "needs a name in quotes"),
        ("{{ order.tags | map('uper') }}", 'there is no filter "uper"; did you mean "upper"?'),
        ("{{ order.tags | select('startswith', 'a') }}", 'there is no test "startswith"'),
        ("{{ order.id | uper }}", 'there is no filter "uper"; did you mean "upper"?'),
        ("{{ order.id | attr('x') }}", 'there is no filter "attr"'),
        ("{{ order.id is none }}", 'there is no test "none"'),
        ("{{ order.tags | upper }}", "upper takes one value, not a list; use | map('upper')"),
        ("{{ order | upper }}", "upper takes a value, not a whole order"),
        ("{{ order.total | money(2, 3) }}", "money: too many positional arguments"),
        ("{{ order.id | replace('a') }}", "replace: missing a required argument: 'new'"),
        ("{{ order.total | money(digit=2) }}", "money: got an unexpected keyword argument"),
        ("{{ order.placed_at | date('%d', 'Europe/Warsw') }}", 'there is no time zone "Europe/Warsw"'),
        ("{{ order.placed_at | date(zone='Warsaw') }}", 'there is no time zone "Warsaw"'),
        ("{{ customer.phone | phone('UK') }}", 'there is no country "UK"'),
        ("{{ order.id.upper() }}", "nothing can be called with ( )"),
        ("{{ range(5) }}", "nothing can be called with ( )"),
        ("{{ 2 ** 99 }}", "** is not part of the language"),
        ("{{ order.id if order.test else none }}", "none is not part of the language"),
        ("{{ order }}", "gives a whole order; name one of its fields"),
        ("{{ order.lines }}", "gives a list of line records"),
        ("{{ {'a': 1} }}", "gives an object; name one of its keys"),
        ("{{ order[raw.key] }}", "names a field of order that is not known beforehand"),
        ("{{ order.id | default(*raw.x) }}", "* in front of an argument"),
        ("{{ order.id ~ ordr.id }}", 'there is no name "ordr"'),
        ("{{ order.id if ordr.id }}", 'there is no name "ordr"'),
        ("{{ [ordr.id] }}", 'there is no name "ordr"'),
        ("{{ {'a': ordr.id}['a'] }}", 'there is no name "ordr"'),
        ("{{ order.id[ordr.id:] }}", 'there is no name "ordr"'),
        ("{{ order.id in ordr.id }}", 'there is no name "ordr"'),
        ("{{ order.id is eq(ordr.id) }}", 'there is no name "ordr"'),
        ("{{ order.id | default(ordr.id) }}", 'there is no name "ordr"'),
        ("{{ order.id | join(separator=ordr.id) }}", 'there is no name "ordr"'),
    ],
)
def test_what_does_not_exist_is_told_with_what_to_write_instead(source: str, problem: str) -> None:
    problems = findings_of(source).problems
    assert problem in "\n".join(problems)


def test_all_problems_of_a_value_are_told_each_once() -> None:
    assert len(findings_of("{{ ordr.id }} {{ order.totl }} {{ ordr.id }}").problems) == 2


def test_product_attributes_are_an_object_of_texts() -> None:
    assert findings_of("{{ product.attributes['any'] | upper }}", "product").problems == ()
    assert findings_of("{{ product.attributes }}", "product").problems == ("gives an object; name one of its keys",)


def test_keys_of_data_are_gathered_wherever_they_are_read() -> None:
    source = "{{ data.a.b }} {{ data['c-d'] if data.e else [data.f | upper] }}"
    assert findings_of(source, "api.contacts").data_keys == {"a", "c-d", "e", "f"}


@pytest.mark.parametrize(
    "source", ["{{ data }}", "{{ data | meta('x') }}", "{{ data[raw.key] }}", "{{ data.a ~ data }}"]
)
def test_data_cannot_be_read_as_a_whole(source: str) -> None:
    assert "reads all of data" in "\n".join(findings_of(source, "api.contacts").problems)
