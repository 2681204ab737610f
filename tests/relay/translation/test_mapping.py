from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from relay.commerce import Address, Customer, Line, Order
from relay.errors import MappingFailed
from relay.translation.loading import load_mappings
from relay.translation.mapping import Mapping, Source

Load = Callable[[str], Mapping]


@pytest.fixture
def mapping(tmp_path: Path) -> Load:
    def load(text: str) -> Mapping:
        (tmp_path / "acme.toml").write_text(text)
        return load_mappings(tmp_path, ["acme"])["acme"]

    return load


def test_empty_results_are_left_out_and_zero_and_false_are_values(mapping: Load) -> None:
    contact = mapping(
        """
        [contact]
        name = "{{ raw.nothing }}"
        phone = "{{ raw.null }}"
        fax = "{{ raw.empty }}"
        tags = ["{{ raw.nothing }}", "{{ raw.list }}"]
        city = "{{ raw.object }}"
        company = "{{ raw.zero }}"
        forceOptIn = "{{ raw.no }}"
        [contact.properties]
        a = "{{ raw.nothing }}"
        """
    ).contact({"raw": {"null": None, "empty": " ", "list": [], "object": {}, "zero": 0, "no": False}})
    assert contact.values == {"company": 0, "forceOptIn": False}
    assert set(contact.sources) == {"company", "forceOptIn"}


def test_every_value_knows_the_line_that_made_it(mapping: Load) -> None:
    loaded = mapping('[contact]\nemail = "{{ customer.email }}"\ntags = ["A", 5]\n[contact.properties]\nx = true')
    folder = loaded.contact({"customer": Customer(email="a@example.com")}).sources["email"].file.split("/")[0]
    sources = loaded.contact({"customer": Customer(email="a@example.com")}).sources
    assert sources == {
        "email": Source(f"{folder}/acme.toml", "contact.email", 2, "{{ customer.email }}"),
        "tags": Source(f"{folder}/acme.toml", "contact.tags", 3, '["A", 5]'),
        "properties.x": Source(f"{folder}/acme.toml", "contact.properties.x", 5, "true"),
    }


def test_tags_are_lists_and_other_lists_of_a_contact_become_texts(mapping: Load) -> None:
    contact = mapping(
        """
        [contact]
        tags = ["NEW", "{{ customer.tags }}", "{{ customer.role }}"]
        removeTags = "{{ customer.tags }}"
        company = ["{{ customer.company }}", "x", "{{ customer.tags }}"]
        [contact.properties]
        tags = "{{ customer.tags }}"
        """
    ).contact({"customer": Customer(tags=("a", "b"))})
    assert contact.values == {
        "tags": ["NEW", "a", "b"],
        "removeTags": ["a", "b"],
        "company": "x, a, b",
        "properties": {"tags": "a, b"},
    }


def test_an_event_types_table_refines_that_of_all_events(mapping: Load) -> None:
    loaded = mapping(
        """
        [event]
        value = "{{ event.value }}"
        detail1 = "all"
        [event.CANCELLATION]
        contactExtEventType = "CANCELLED"
        detail1 = "one"
        """
    )
    assert loaded.event("PURCHASE", {}).values == {"detail1": "all"}
    assert loaded.event("CANCELLATION", {}).values == {"contactExtEventType": "CANCELLED", "detail1": "one"}


def test_lists_of_events_keep_their_empty_places_and_get_their_separators(mapping: Load) -> None:
    event = mapping(
        """
        [event]
        detail1 = "{{ lines | map(attribute='name') }}"
        detail2 = "{{ lines | map(attribute='sku') }}"
        detail3 = "{{ lines | map(attribute='quantity') }}"
        [event.lists]
        detail2 = ";"
        detail3 = "/"
        """
    ).event("CART", {"lines": (Line(name="Shirt"), Line(sku=None, quantity=Decimal(2)))})
    assert event.values == {"detail1": ["Shirt", None], "detail3": [Decimal(1), Decimal(2)]}
    assert event.separators == {"detail1": ",", "detail3": "/"}


def test_a_product_has_texts_for_lists(mapping: Load) -> None:
    from relay.commerce import Product

    fields = mapping('[product]\ncategory = "{{ product.categories }}"').product(
        {"product": Product(id="1", categories=("A", "B"))}
    )
    assert fields.values == {"category": "A, B"}


API = """
[api.contacts]
email = "{{ data.epost }}"
name = "{{ data.first }} {{ data.last }}"
[api.contacts.properties]
shoes = "{{ data['shoe size'] }}"
[api.events]
detail1 = "{{ data.things }}"
[event.lists]
detail1 = "/"
"""


def test_a_line_wins_over_a_key_of_the_integrations_own_name(mapping: Load) -> None:
    data = {"epost": "anna@example.com", "email": "other@example.com", "city": "Warsaw", "first": "Anna", "fax": ""}
    fields = mapping(API).api("contacts", data, {})
    assert fields.values == {"email": "anna@example.com", "name": "Anna", "city": "Warsaw"}
    assert fields.sources["city"] == Source("request", "data.city")
    assert fields.unknown == ()


def test_a_line_that_gives_nothing_leaves_the_field_to_the_own_name(mapping: Load) -> None:
    assert mapping(API).api("contacts", {"email": "anna@example.com"}, {}).values == {"email": "anna@example.com"}


def test_properties_of_the_call_and_of_the_mapping_are_put_together(mapping: Load) -> None:
    data = {"properties": {"shoes": 38, "hat": "M"}, "shoe size": 40}
    assert mapping(API).api("contacts", data, {}).values == {"properties": {"shoes": 40, "hat": "M"}}


def test_keys_nobody_knows_are_named_and_kept_for_the_schema_to_refuse(mapping: Load) -> None:
    fields = mapping(API).api("contacts", {"emial": "x", "epost": "anna@example.com", "nothing": None}, {})
    assert fields.unknown == ("emial", "nothing")
    assert fields.values == {"email": "anna@example.com", "emial": "x"}


def test_lists_of_a_rest_event_get_the_separators_of_events(mapping: Load) -> None:
    fields = mapping(API).api("events", {"things": ["a", "b"], "value": 5}, {})
    assert fields.values == {"detail1": ["a", "b"], "value": 5}
    assert fields.separators == {"detail1": "/"}


def test_without_lines_the_own_names_of_a_product_pass(mapping: Load) -> None:
    fields = mapping("").api("products", {"id": "1", "price": Decimal("9.90"), "colour": "red"}, {})
    assert fields.values == {"id": "1", "price": Decimal("9.90"), "colour": "red"}
    assert fields.unknown == ("colour",)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("raw.text * 2", "calculates with str"),
        ("raw.object", "gives an object"),
        ("[raw.object]", "gives an object"),
        ("raw.text > 5", "'>' not supported"),
        ("[raw.text, 5] | sort", "'<' not supported"),
    ],
)
def test_a_failure_names_file_and_key_and_no_value(mapping: Load, expression: str, message: str) -> None:
    loaded = mapping(f'[contact]\nname = "{{{{ {expression} }}}}"')
    with pytest.raises(MappingFailed) as caught:
        loaded.contact({"raw": {"text": "anna@example.com", "object": {"a": "anna@example.com"}}})
    assert "/acme.toml:2 contact.name: " in str(caught.value)
    assert message in str(caught.value)
    assert "anna" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_one_mapping_serves_many_threads(mapping: Load) -> None:
    loaded = mapping('[contact]\nname = "{{ customer.name }}"\ncity = "{{ customer.address.city | upper }}"')

    def name_of(number: int) -> object:
        customer = Customer(name=f"n{number}", address=Address(city=f"c{number}"))
        return loaded.contact({"customer": customer, "order": Order(id=str(number))}).values

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(name_of, range(500)))
    assert results == [{"name": f"n{number}", "city": f"C{number}"} for number in range(500)]
