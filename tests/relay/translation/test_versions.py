from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay import jsontext
from relay.memory import Resource
from relay.translation.versions import Merged, merged, microseconds, moment_of, storable, version_of

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def remembered(result: Merged) -> Resource:
    """Give the resource as the store would give it back."""
    facts = jsontext.loads(jsontext.dumps(result.facts()))
    return Resource("acme", "order", "1", body=jsontext.dumps(result.body).encode(), facts=facts)


def merge(*bodies: tuple[int, dict[str, Any]], ranks: tuple[int, ...] = ()) -> Merged:
    """Merge bodies, each with the second it was changed in, in the order given."""
    known: Resource | None = None
    for seconds, body in bodies:
        result = merged(known, body, version_of(at(seconds), body, ranks))
        known = remembered(result)
    return result


def test_a_first_body_is_remembered_as_it_is() -> None:
    result = merge((0, {"a": 1}))
    assert (result.body, result.stamps, result.is_newest) == ({"a": 1}, {}, True)


def test_a_newer_body_overwrites_what_it_has_and_keeps_what_it_lacks() -> None:
    assert merge((0, {"a": 1, "b": 1}), (9, {"a": 2, "c": 2})).body == {"a": 2, "b": 1, "c": 2}


def test_a_stale_body_adds_what_was_missing_and_overwrites_nothing() -> None:
    result = merge((9, {"a": 2, "c": 2}), (0, {"a": 1, "b": 1}))
    assert (result.body, result.is_newest) == ({"a": 2, "b": 1, "c": 2}, False)


def test_each_key_has_the_age_of_the_body_that_gave_it() -> None:
    """The middle body is stale, but still newer than the one that gave ``b``."""
    assert merge((0, {"b": 1}), (9, {"a": 3}), (5, {"a": 2, "b": 2})).body == {"a": 3, "b": 2}


def test_null_and_empty_are_values() -> None:
    assert merge((0, {"a": 1, "b": [1]}), (9, {"a": None, "b": []})).body == {"a": None, "b": []}


def test_a_body_without_a_date_is_the_oldest() -> None:
    assert version_of(None, {"a": 1}) < version_of(at(0), {"a": 1})


def test_ranks_decide_between_bodies_of_one_second_and_never_more() -> None:
    assert version_of(at(0), {"a": 1}, (2,)) > version_of(at(0), {"a": 2}, (1,))
    assert version_of(at(0), {"a": 1}, (2,)) < version_of(at(1), {"a": 2}, (1,))


def test_a_repeat_is_the_newest_again_and_changes_nothing() -> None:
    once = merge((0, {"a": 1}))
    twice = merge((0, {"a": 1}), (0, {"a": 1}))
    assert twice == once


BODIES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, "", 0, 1, [2], {"d": 3}]))


@given(st.lists(st.tuples(st.integers(0, 2), BODIES), min_size=1, max_size=4))
def test_bodies_merge_the_same_in_whatever_order_they_come(bodies: list[tuple[int, dict[str, Any]]]) -> None:
    expected = merge(*bodies)
    for order in itertools.permutations(bodies):
        result = merge(*order)
        assert (result.body, result.version, result.stamps) == (expected.body, expected.version, expected.stamps)


@pytest.mark.parametrize("moment", [START, START + timedelta(microseconds=1), datetime(1969, 12, 31, tzinfo=UTC)])
def test_moments_survive_as_whole_numbers(moment: datetime) -> None:
    assert moment_of(microseconds(moment)) == moment


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal("9.90"), "9.90"),
        (date(1980, 10, 17), "1980-10-17"),
        (START, "2026-11-20T09:00:00Z"),
        (True, True),
        ("text", "text"),
        (["a"], ["a"]),
    ],
)
def test_mapped_values_are_kept_as_json(value: Any, kept: Any) -> None:
    assert storable(value) == kept
    jsontext.dumps(storable(value))
