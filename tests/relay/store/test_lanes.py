from __future__ import annotations

import threading
from datetime import timedelta

from relay.commands import Lane
from relay.store import LaneView
from tests.support.stored import NOW, after, ask, claim, product, upsert


def test_pause_is_shown_until_it_is_over(store):
    store.lanes.pause("main", Lane.CONTACTS, after(60), "too many requests", NOW)

    view = LaneView("main", Lane.CONTACTS, NOW, after(60), "too many requests")
    assert store.lanes.paused(NOW) == store.lanes.paused(after(59)) == [view]
    assert store.lanes.paused(after(60)) == []


def test_pause_without_an_end_lasts_until_it_is_resumed(store):
    ask(store, upsert())
    store.lanes.pause("main", Lane.CONTACTS, None, "credentials refused", NOW)
    assert claim(store, after(10**7)) == []
    assert [view.until for view in store.lanes.paused(after(10**7))] == [None]

    store.lanes.resume("main", Lane.CONTACTS)
    assert store.lanes.paused(NOW) == []
    assert len(claim(store)) == 1


def test_later_pause_replaces_the_earlier_one(store):
    store.lanes.pause("main", Lane.CONTACTS, after(60), "first", NOW)
    store.lanes.pause("main", Lane.CONTACTS, None, "second", after(1))

    assert [(view.reason, view.until, view.paused_at) for view in store.lanes.paused(NOW)] == [
        ("second", None, after(1))
    ]


def test_hold_never_shortens_a_pause(store):
    store.lanes.hold("main", Lane.CONTACTS, after(60), "first", NOW)
    store.lanes.hold("main", Lane.CONTACTS, after(30), "shorter", after(1))
    assert [(view.reason, view.until) for view in store.lanes.paused(after(1))] == [("first", after(60))]

    store.lanes.hold("main", Lane.CONTACTS, after(90), "longer", after(2))
    assert [(view.reason, view.until) for view in store.lanes.paused(after(2))] == [("longer", after(90))]

    store.lanes.hold("main", Lane.CONTACTS, after(120), "anew", after(100))
    assert [(view.reason, view.until) for view in store.lanes.paused(after(100))] == [("anew", after(120))]


def test_hold_leaves_an_operators_pause_alone(store):
    store.lanes.pause("main", Lane.CONTACTS, None, "the operator", NOW)
    store.lanes.hold("main", Lane.CONTACTS, after(60), "trouble", after(1))
    assert [(view.reason, view.until) for view in store.lanes.paused(after(100))] == [("the operator", None)]

    store.lanes.resume("main")
    store.lanes.hold("main", Lane.CONTACTS, after(160), "trouble", after(100))
    assert [view.reason for view in store.lanes.paused(after(101))] == ["trouble"]


def test_resuming_a_group_resumes_all_its_lanes_and_no_others(store):
    ask(store, upsert(), product())
    for group, lane in [("main", Lane.CONTACTS), ("main", Lane.CATALOG), ("other", Lane.CONTACTS)]:
        store.lanes.pause(group, lane, None, "why", NOW)
    store.lanes.resume("main")

    assert [view.group for view in store.lanes.paused(NOW)] == ["other"]
    assert len(claim(store)) == 2


def test_turns_are_evenly_spaced_and_an_idle_group_saves_up_none(store):
    assert [store.lanes.take_turn("main", 2.5, NOW) for _ in range(3)] == [NOW, after(2.5), after(5)]
    assert store.lanes.take_turn("other", 2.5, NOW) == NOW
    assert store.lanes.take_turn("main", 2.5, after(100)) == after(100)
    assert store.lanes.take_turn("main", 2.5, after(100)) == after(102.5)


def test_turn_later_than_asked_for_is_told_and_left_for_whoever_asks_then(store):
    assert store.lanes.take_turn("main", 60, NOW) == NOW
    for _ in range(3):
        assert store.lanes.take_turn("main", 60, after(1), latest=after(30)) == after(60)
    assert store.lanes.take_turn("main", 60, after(60), latest=after(90)) == after(60)
    assert store.lanes.take_turn("main", 60, after(60), latest=after(120)) == after(120), "just in time"


def test_no_two_callers_are_granted_the_same_moment(store):
    granted = []

    def take() -> None:
        for _ in range(10):
            granted.append(store.lanes.take_turn("main", 1, NOW))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(granted) == [NOW + timedelta(seconds=second) for second in range(40)]
