import tomllib
from decimal import Decimal

import pytest

from schemas.mapping import TARGETS, shape_faults


def faults_of(text: str) -> dict[str, str]:
    return {".".join(path): problem for path, problem in shape_faults(tomllib.loads(text, parse_float=Decimal))}


def test_a_file_of_every_table_and_kind_of_value_is_right() -> None:
    text = """
    extends = "default"
    [contact]
    email = "{{ customer.email }}"
    forceOptIn = true
    birthday = 1980-10-17
    tags = ["A", "{{ customer.tags }}", 5]
    [contact.properties]
    value = "{{ raw.x }}"
    [event]
    value = 12.50
    date = 2026-11-24T10:00:00Z
    [event.PURCHASE]
    detail20 = ""
    [event.lists]
    detail20 = "/"
    [product]
    available = true
    [api.contacts]
    email = "{{ data.epost }}"
    [api.contacts.properties]
    key = 1
    [api.events]
    contactId = "{{ data.id }}"
    [api.products]
    sex = 1
    """
    assert faults_of(text) == {}


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("[contct]", "contct", 'did you mean "contact"?'),
        ("contact = 1", "contact", "Must be a table"),
        ("[contact]\nnmae = 'x'", "contact.nmae", 'did you mean "name"?'),
        ("[contact]\nconsentDetails = 'x'", "contact.consentDetails", "Does not exist here"),
        ("[contact]\nname = {a = 1}", "contact.name", "Must be a text"),
        ("[contact]\ntags = [['a']]", "contact.tags", "Must be a text"),
        ("[contact]\nproperties = 'x'", "contact.properties", "Must be a table"),
        ("[contact.properties]\nkey = {a = 1}", "contact.properties.key", "Must be a text"),
        ("[event]\nvalue = 2026-01-01T00:00:00", "event.value", "offset"),
        ("[event]\ndetail21 = 'x'", "event.detail21", "Does not exist here"),
        ("[event]\nemail = 'x'", "event.email", "Does not exist here"),
        ("[event.PURCHSE]\nvalue = 1", "event.PURCHSE", 'did you mean "PURCHASE"?'),
        ("[event.PURCHASE]\nvalu = 1", "event.PURCHASE.valu", 'did you mean "value"?'),
        ("[event.PURCHASE.lists]\ndetail1 = ','", "event.PURCHASE.lists", "Does not exist here"),
        ("[event.lists]\nname = ','", "event.lists.name", "Does not exist here"),
        ("[event.lists]\ndetail1 = 1", "event.lists.detail1", "Not a valid string"),
        ("[event.lists]\ndetail1 = '------'", "event.lists.detail1", "at most 5"),
        ("[product]\ncolour = 'x'", "product.colour", 'did you mean "color"?'),
        ("[api.orders]", "api.orders", "these do: contacts, events, products"),
        ("[api.products]\navailable = true", "api.products.available", "Does not exist here"),
        ("extends = '../secret'", "extends", "a-z, 0-9"),
        ("extends = 'a.toml'", "extends", "a-z, 0-9"),
        ("extends = 1", "extends", "Not a valid string"),
    ],
)
def test_a_mistake_is_told_by_its_key(text: str, where: str, problem: str) -> None:
    faults = faults_of(text)
    assert list(faults) == [where]
    assert problem in faults[where]


def test_all_mistakes_are_told_at_once() -> None:
    text = "x = 1\n[contact]\na1 = 1\na2 = 2\n[event.CART]\na3 = 3"
    assert list(faults_of(text)) == ["contact.a1", "contact.a2", "event.CART.a3", "x"]


def test_a_target_is_named_once() -> None:
    assert all(len(names) == len(set(names)) for names in TARGETS.values())
