from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay import jsontext
from relay.commerce import Consent
from relay.translation.mapping import Fields
from relay.translation.versions import Version, microseconds
from relay.translation.words import Said, Words

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def version(minutes: int, tie: str = "") -> Version:
    return [microseconds(at(minutes)), microseconds(at(minutes)), tie]


def said(minutes: int, consent: Consent | None = None, tie: str = "", **values: Any) -> Said:
    return Said(Fields(values), version(minutes, tie), consent or Consent())


def words(*sayings: Said) -> Words:
    found = Words({})
    for each in sayings:
        found.add(each)
    return Words(jsontext.loads(jsontext.dumps(found.kept())))


def fields(found: Words) -> dict[str, Any]:
    return {target: value for target, (value, _) in found.fields.items()}


def test_each_field_is_that_of_the_newest_body_that_gave_one() -> None:
    found = words(said(0, name="Ann", phone="1"), said(9, name="Anna"), said(5, name="Annie", city="Visby"))
    assert fields(found) == {"name": "Anna", "phone": "1", "city": "Visby"}


def test_words_of_one_moment_are_told_apart_by_the_rest_of_their_version() -> None:
    for first, second in itertools.permutations([said(0, tie="01", name="early"), said(0, tie="02", name="late")]):
        assert fields(words(first, second)) == {"name": "late"}


def test_properties_are_fields_of_their_own_and_kept_as_json() -> None:
    found = words(said(0, properties={"size": Decimal("42.5"), "since": at(0)}), said(9, properties={"size": 43}))
    assert fields(found) == {"properties.size": 43, "properties.since": "2026-11-20T09:00:00Z"}


def test_tags_are_words_of_their_own() -> None:
    found = words(
        said(0, tags=["vip card", "new"]), said(9, removeTags="New"), said(5, tags=["new"]), said(4, tags=[None, ""])
    )
    assert {tag: is_set for tag, (is_set, _) in found.tags.items()} == {"VIP_CARD": True, "NEW": False}


@pytest.mark.parametrize("odd", ["ann", "ann@", "ann @example.com", "@example.com"])
def test_an_address_that_is_none_is_not_taken_for_one(odd: str) -> None:
    assert words(said(0, email=odd)).email is None
    assert words(said(0, email=odd)).has_odd_email
    assert words(said(0, email="Ann@example.com"), said(9, email=odd)).email == "Ann@example.com"


def test_nobody_has_an_odd_address_who_has_none() -> None:
    assert not words(said(0, name="Ann")).has_odd_email
    assert words().newest == -1


def test_the_newest_word_tells_how_far_the_words_go() -> None:
    assert words(said(5, name="Ann"), said(9, tags=["new"]), said(2, city="Visby")).newest == microseconds(at(9))


def test_a_body_that_names_no_account_does_not_take_it_back() -> None:
    found = Words({})
    assert found.account is None
    found.name_account("2", version(5))
    found.name_account("1", version(0))
    assert Words(jsontext.loads(jsontext.dumps(found.kept()))).account == "2"


def consent(*sayings: Said) -> dict[str, list[Any]]:
    return words(*sayings).consent()


def test_nothing_said_about_consent_is_no_answer() -> None:
    assert consent(said(0, name="Ann", forceOptIn=False, forceOptOut=False)) == {}


def test_a_newer_consent_counts_in_whatever_order_they_come() -> None:
    yes, no = said(9, Consent(email=True, email_at=at(0))), said(5, Consent(email=False, email_at=at(4)))
    for sayings in itertools.permutations([yes, no]):
        assert consent(*sayings) == {"email": [False, microseconds(at(4))]}


def test_channels_do_not_mix() -> None:
    found = consent(said(0, Consent(email=True, sms=False, sms_at=at(3))))
    assert found == {"email": [True, microseconds(at(0))], "sms": [False, microseconds(at(3))]}


def test_a_repeated_tick_is_no_change() -> None:
    """Somebody who ticked a box once, then refused, has not agreed again because the next order says the same."""
    ticks = [said(minutes, forceOptIn=True) for minutes in (0, 2, 8)]
    no = said(5, Consent(email=False, email_at=at(5)))
    for sayings in itertools.permutations([*ticks[:2], no]):
        assert consent(*sayings) == {"email": [False, microseconds(at(5))]}
    # A tick after the refusal is an answer of its own.
    for sayings in itertools.permutations([*ticks, no]):
        assert consent(*sayings) == {"email": [True, microseconds(at(8))]}


def test_how_long_somebody_has_agreed_does_not_depend_on_the_order_of_ticks() -> None:
    ticks = [said(0, forceOptIn=True), said(1, forceOptOut=True), said(2, forceOptIn=True), said(3, forceOptIn=True)]
    for sayings in itertools.permutations(ticks):
        assert consent(*sayings) == {"email": [True, microseconds(at(2))]}


def test_of_two_answers_of_one_moment_the_no_counts() -> None:
    for sayings in itertools.permutations([said(0, forcePhoneOptIn=True), said(0, forcePhoneOptOut=True)]):
        assert consent(*sayings) == {"sms": [False, microseconds(at(0))]}


def test_a_record_that_says_something_comes_before_a_flag_of_the_mapping() -> None:
    assert consent(said(5, Consent(email=False, email_at=at(1)), forceOptIn=True)) == {
        "email": [False, microseconds(at(1))]
    }


def test_a_hundred_ticks_are_still_one_consent_since_the_first() -> None:
    found = words(*(said(minutes, forceOptIn=True) for minutes in range(100)))
    assert found.consent() == {"email": [True, microseconds(at(0))]}
    assert len(found.kept()["consent"]["email"]) <= 20


def test_words_join_words_but_not_those_of_before() -> None:
    found = words(said(0, name="Ann", city="Visby", email="ann@example.com"))
    found.join(words(said(5, name="Anna", email="ANN@example.com", forceOptIn=True)), "ann@example.com", -1)
    assert fields(found) == {"name": "Anna", "city": "Visby", "email": "ANN@example.com"}
    assert found.consent() == {"email": [True, microseconds(at(5))]}

    late = words(said(4, company="Ann AB", tags=["old"], forceOptOut=True), said(6, phone="1", tags=["new"]))
    found.join(late, "ann@example.com", microseconds(at(5)))
    assert fields(found) == {"name": "Anna", "city": "Visby", "email": "ANN@example.com", "phone": "1"}
    assert list(found.tags) == ["NEW"]
    assert found.consent() == {"email": [True, microseconds(at(5))]}


def test_another_address_is_no_word_about_this_one() -> None:
    found = words(said(0, email="ann@example.com"))
    found.join(words(said(9, email="ann@work.example", name="Ann")), "ann@example.com", -1)
    assert fields(found) == {"email": "ann@example.com", "name": "Ann"}


SAYINGS = st.builds(
    lambda minutes, values, given, dated: said(
        minutes, Consent(email=given, email_at=at(dated) if dated is not None else None), **values
    ),
    st.integers(0, 3),
    st.dictionaries(st.sampled_from(["name", "phone", "city"]), st.sampled_from(["a", "b"])),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, 0, 1, 2, 3]),
)


@given(st.lists(SAYINGS, min_size=1, max_size=4))
def test_words_are_the_same_in_whatever_order_they_are_said(sayings: list[Said]) -> None:
    told_apart = [
        Said(each.fields, [*each.version[:2], str(place)], each.consent) for place, each in enumerate(sayings)
    ]
    expected = words(*told_apart)
    for order in itertools.permutations(told_apart):
        found = words(*order, *order[:1])
        assert (found.fields, found.consent()) == (expected.fields, expected.consent())
