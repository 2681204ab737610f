"""Hints for misspelt names."""

from __future__ import annotations

from relay.hints import listed, nearest


def test_the_nearest_name_is_asked_for():
    assert nearest("curency", ["currency", "client_id"]) == '; did you mean "currency"?'


def test_nothing_is_said_when_no_name_is_like_it():
    assert nearest("zzz", ["currency"]) == ""


def test_names_are_listed_in_order():
    assert listed({"b", "a"}) == "a, b"
    assert listed([]) == "none"
