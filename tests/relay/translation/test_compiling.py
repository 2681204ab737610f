from typing import Any

from relay.translation.compiling import Entry, compile_mapping
from relay.translation.mapping import Source


def entry(value: Any, key: str = "contact.name") -> Entry:
    return Entry(value, Source("mappings/acme.toml", key, 1))


def test_a_faulty_line_is_told_and_gives_nothing() -> None:
    mapping, faults = compile_mapping(
        "acme", {("contact", "name"): entry("{{ custmer.name }}"), ("contact", "city"): entry("Warsaw")}
    )
    assert [fault.where for fault in faults] == ["mappings/acme.toml:1 contact.name"]
    assert mapping.contact({}).values == {"city": "Warsaw"}


def test_every_problem_of_a_list_is_told() -> None:
    _, faults = compile_mapping("acme", {("contact", "tags"): entry(["{{ a }}", "{{ b. }}", "{{ c }}"])})
    assert ["syntax error" in fault.problem for fault in faults] == [False, True, False]


def test_separators_can_be_taken_out_again() -> None:
    lists = {("event", "lists", "detail1"): entry("/"), ("event", "lists", "detail2"): entry("")}
    details = {("event", "detail1"): entry(["a", "b"]), ("event", "detail2"): entry(["a", "b"])}
    mapping, _ = compile_mapping("acme", {**lists, **details})
    assert mapping.event("OTHER", {}).separators == {"detail1": "/", "detail2": ","}


def test_a_property_may_be_called_like_a_field() -> None:
    mapping, faults = compile_mapping(
        "acme", {("contact", "properties", "name"): entry("x"), ("contact", "name"): entry("y")}
    )
    assert faults == []
    assert mapping.contact({}).values == {"properties": {"name": "x"}, "name": "y"}
