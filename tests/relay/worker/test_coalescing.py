"""Waiting commands of one contact or product, and what they amount to."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.commands import CommandKind, EventKey
from relay.worker.coalescing import merged, plan
from tests.support.outgoing import command

KEY = EventKey("acme", "order", "1001", "CART")
OTHER = EventKey("acme", "order", "1002", "PURCHASE")


def upsert(number, payload=None, **changes):
    payload = {"contact": {"email": "ann@example.com"}} | (payload or {})
    return command(CommandKind.CONTACT_UPSERT, payload, id=number, subject="contact:1", **changes)


def put(number, key=KEY, value=10, **changes):
    event = {"contactEvent": {"value": value}}
    return command(CommandKind.EVENT_PUT, event, id=number, subject="contact:1", event=key, **changes)


def delete(number, key=KEY, **changes):
    return command(CommandKind.EVENT_DELETE, {}, id=number, subject="contact:1", event=key, **changes)


def shape(commands):
    """Give the ids each call sends and supersedes."""
    return [([each.id for each in call.sent], [each.id for each in call.said]) for call in plan(commands)]


def test_contact_and_its_event_share_a_call():
    assert shape([upsert(1), put(2)]) == [([1, 2], [])]


def test_newest_upsert_stands_for_those_before_it_also_across_events():
    assert shape([upsert(1), put(2), upsert(3), put(4, OTHER)]) == [([3, 2], [1]), ([4], [])]


def test_field_that_one_upsert_names_and_clears_is_cleared():
    given = {"contact": {"email": "ann@example.com", "fax": "1"}, "setAsNull": ["fax"]}
    for upserts in ([upsert(1, given)], [upsert(1), upsert(2, given)]):
        [call] = plan(upserts)
        assert call.sent[0].payload == {"contact": {"email": "ann@example.com"}, "setAsNull": ["fax"]}


def test_changing_cart_is_one_update():
    assert shape([put(1), put(2), put(3)]) == [([3], [1, 2])]
    assert plan([put(1, value=10), put(2, value=20)])[0].sent[0].payload == {"contactEvent": {"value": 20}}


def test_event_taken_back_before_it_was_sent_is_not_sent():
    assert shape([put(1), delete(2)]) == [([2], [1])]


def test_event_taken_back_and_added_anew_keeps_both_steps():
    """It moves to another contact: an update would leave it where it is."""
    assert shape([delete(1), put(2)]) == [([1], []), ([2], [])]
    assert shape([upsert(1), delete(2), put(3)]) == [([1], []), ([2], []), ([3], [])]


def test_events_without_a_link_are_all_sent():
    assert shape([put(1, None), put(2, None)]) == [([1], []), ([2], [])]


@pytest.mark.parametrize("tried", [{"attempts": 1}, {"answer_lost": True}, {"doubted": True}])
def test_what_was_tried_is_sent_alone(tried):
    assert shape([put(1, **tried), put(2), upsert(3)]) == [([1], []), ([3, 2], [])]
    assert shape([upsert(1, **tried), put(2)]) == [([1], []), ([2], [])]


@pytest.mark.parametrize(
    "ending",
    [upsert(1, {"newEmail": "bo@example.com"}), command(CommandKind.CONTACT_DELETE, {}, id=1, subject="contact:1")],
)
def test_change_of_who_it_is_about_ends_the_chain(ending):
    assert shape([upsert(0), ending, put(2)]) == [([0], []), ([1], [])]


@pytest.mark.parametrize("said", [{"consentDetails": [{"consentName": "a"}]}, {"useApiDoubleOptIn": True}])
def test_what_a_later_upsert_does_not_repeat_is_sent_by_itself(said):
    assert shape([upsert(1, said), upsert(2), put(3)]) == [([1], []), ([2, 3], [])]


# Two upserts, one after the other, against their merger


def applied(state, payload):
    """Do to a contact or product what SALESmanago does: what is not named stays as it is."""
    plain = {key: value for key, value in payload.items() if key not in ("tags", "removeTags", "setAsNull", *FLAGS)}
    state = named(deepcopy(state), plain)
    tags = {*state.get("tags", ())} - {*payload.get("removeTags", ())} | {*payload.get("tags", ())}
    state["tags"] = tags
    for opt_in, opt_out in (("forceOptIn", "forceOptOut"), ("forcePhoneOptIn", "forcePhoneOptOut")):
        if payload.get(opt_out):
            state[opt_in] = "out"
        elif payload.get(opt_in):
            state[opt_in] = "in"
    for name in payload.get("setAsNull", ()):
        state.pop(name, None)
        for value in state.values():
            if isinstance(value, dict):
                value.pop(name, None)
    return state


def named(state, fields):
    for key, value in fields.items():
        state[key] = named(state.get(key, {}), value) if isinstance(value, dict) else value
    return state


FLAGS = ("forceOptIn", "forceOptOut", "forcePhoneOptIn", "forcePhoneOptOut", "useApiDoubleOptIn")
_TEXT = st.sampled_from(["a", "b", "c"])
_FIELDS = st.dictionaries(_TEXT, _TEXT, max_size=3)


@st.composite
def contacts(draw):
    payload = {"contact": draw(_FIELDS) | {"address": draw(_FIELDS)}, "properties": draw(_FIELDS)} | draw(_FIELDS)
    payload |= {flag: draw(st.booleans()) for flag in FLAGS} | {"useApiDoubleOptIn": False}
    payload["forceOptIn"] = payload["forceOptIn"] and not payload["forceOptOut"]
    payload["forcePhoneOptIn"] = payload["forcePhoneOptIn"] and not payload["forcePhoneOptOut"]
    tags = draw(st.lists(_TEXT, unique=True))
    removed = [tag for tag in draw(st.lists(_TEXT, unique=True)) if tag not in tags]
    return payload | ({"tags": tags} if tags else {}) | ({"removeTags": removed} if removed else {})


@st.composite
def products(draw):
    cleared = draw(st.lists(_TEXT, unique=True))
    details = {name: each for name, each in draw(_FIELDS).items() if name not in cleared}
    fields = {name.upper(): each for name, each in draw(_FIELDS).items()}
    return fields | {"details": details} | ({"setAsNull": cleared} if cleared else {})


@given(before=contacts(), older=contacts(), newer=contacts())
def test_merged_contact_is_what_both_make_of_it(before, older, newer):
    state = applied({}, before)
    assert applied(state, merged(older, newer)) == applied(applied(state, older), newer)


@given(before=products(), older=products(), newer=products())
def test_merged_product_is_what_both_make_of_it(before, older, newer):
    state = applied({}, before)
    assert applied(state, merged(older, newer)) == applied(applied(state, older), newer)


@given(contacts())
def test_alone_it_stays_what_it_is(payload):
    assert {key: value for key, value in merged({}, payload).items() if value != {}} == {
        key: value for key, value in payload.items() if value != {}
    }
