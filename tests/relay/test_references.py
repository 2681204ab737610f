"""References to environment variables inside configuration texts."""

from __future__ import annotations

import pytest

from relay.references import Resolver


def resolved(value, **environment):
    resolver = Resolver(environment)
    return resolver.table({"key": value}).get("key"), [str(fault) for fault in resolver.faults]


def test_references_are_replaced_wherever_texts_stand():
    table = {"a": "{{ env.X }}", "b": ["pre-{{env.X}}-{{ env.Y | optional }}", 5], "c": {"d": "{{env.X|optional}}"}}
    resolver = Resolver({"X": "ex", "Y": "why"})
    assert resolver.table(table) == {"a": "ex", "b": ["pre-ex-why", 5], "c": {"d": "ex"}}
    assert resolver.faults == []


def test_texts_without_references_stay_as_they_are():
    assert resolved("") == ("", [])
    assert resolved("a { b }") == ("a { b }", [])


def test_an_optional_variable_that_is_missing_or_empty_leaves_nothing_behind():
    assert resolved(["{{ env.OLD | optional }}", "{{ env.NEW }}"], NEW="n", OLD="") == (["n"], [])
    assert resolved("{{ env.OLD | optional }}") == (None, [])


@pytest.mark.parametrize(("environment", "state"), [({}, "not set"), ({"X": ""}, "empty")])
def test_a_missing_variable_is_told_with_its_dotted_key(environment, state):
    resolver = Resolver(environment)
    resolver.table({"shops": {"acme": {"secrets": ["ok", "{{ env.X }}"]}}})
    assert [fault.where for fault in resolver.faults] == ["shops.acme.secrets[1]"]
    assert f"environment variable X is {state}" in resolver.faults[0].problem


@pytest.mark.parametrize("text", ["{{ X }}", "{{ env.X | lower }}", "{{ env.X", "{{ env.X }} {{ vault.Y }}"])
def test_anything_else_in_braces_is_a_fault(text):
    value, faults = resolved(text, X="x")
    assert value is None
    assert "only {{ env.NAME }}" in faults[0]


def test_a_value_that_looks_like_a_reference_is_not_resolved_again():
    assert resolved("{{ env.X }}", X="{{ env.Y }}", Y="secret") == ("{{ env.Y }}", [])
