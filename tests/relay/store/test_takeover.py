"""What becomes due at once when a worker dies or the clock is put back, and what has to wait for its lease."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relay.commands import CommandState, Lane, Outcome, Verdict
from relay.deliveries import DeliveryState, Translation
from relay.store import Store
from relay.store.takeover import Released
from tests.support.stored import NOW, after, ask, contact_delete, end, new_delivery, product, put, upsert

DEAD, ALIVE = "host_1:7:abc", "host%1:8:def"
WAITING, CLAIMED = CommandState.WAITING, CommandState.CLAIMED
LONG_S = 3600.0


def claim(store: Store, holder: str = DEAD, at=NOW):
    return store.commands.claim(at, LONG_S, 100, holder=holder)


def take_over(store: Store, at=NOW) -> Released | None:
    store.workers.beat(DEAD, after(-10))
    return store.workers.take_over(DEAD, after(-10), at)


def views(store: Store, delivery: int):
    return store.commands.of_delivery(delivery)


def test_work_that_was_not_begun_is_due_at_once(store: Store):
    received = [store.deliveries.record(new_delivery(shop=shop)).id for shop in ("acme", "other", None)]
    asked = [ask(store, upsert(), put(), product("7"), group=group) for group in ("main", "second")]
    assert len(store.deliveries.claim(NOW, LONG_S, 100, holder=DEAD)) == 3
    taken = claim(store)
    assert take_over(store, after(1)) == Released(3, len(taken), 0)

    again = store.deliveries.claim(after(1), LONG_S, 100, holder=ALIVE)
    while more := store.deliveries.claim(after(1), LONG_S, 100, holder=ALIVE):
        again += more
    assert sorted(each.id for each in again) == received
    assert {each.id for each in claim(store, ALIVE, after(1))} == {each.id for each in taken}
    assert not any(view.attempts for delivery in asked for view in views(store, delivery))


def test_what_the_others_hold_is_left_to_them(store: Store):
    store.deliveries.record(new_delivery())
    asked = ask(store, upsert())
    store.deliveries.claim(NOW, LONG_S, 100, holder=ALIVE)
    claim(store, ALIVE)
    store.deliveries.record(new_delivery())
    store.deliveries.claim(NOW, LONG_S, 100)
    assert take_over(store) == Released(0, 0, 0)
    assert [view.state for view in views(store, asked)] == [CLAIMED]
    assert store.deliveries.claim(NOW, LONG_S, 100) == []


@pytest.mark.parametrize("command", [upsert(), contact_delete(), product()])
def test_call_that_may_be_repeated_is_due_at_once_and_its_attempt_is_over(store: Store, command):
    asked = ask(store, command)
    store.commands.begin(claim(store), NOW, LONG_S)
    assert take_over(store, after(5)) == Released(0, 1, 0)
    [again] = claim(store, ALIVE, after(5))
    assert (again.attempts, again.answer_lost) == (1, True)
    [view] = views(store, asked)
    assert [(each.finished_at, each.verdict) for each in view.attempts] == [(after(5), None)]


def test_event_whose_adding_was_begun_waits_for_its_lease(store: Store):
    asked = ask(store, put())
    store.commands.begin(claim(store), NOW, LONG_S)
    assert take_over(store, after(5)) == Released(0, 0, 1)
    [view] = views(store, asked)
    assert (view.state, view.due_at) == (WAITING, after(LONG_S))
    assert claim(store, ALIVE, after(LONG_S - 1)) == []
    [again] = claim(store, ALIVE, after(LONG_S))
    assert again.answer_lost


def test_what_follows_an_event_under_way_waits_behind_it(store: Store):
    asked = ask(store, put(), upsert())
    first, *_ = claim(store)
    store.commands.begin([first], NOW, LONG_S)
    take_over(store, after(5))
    assert claim(store, ALIVE, after(6)) == []
    assert [view.state for view in views(store, asked)] == [WAITING, WAITING]


def test_event_with_an_id_is_changed_again_at_once(store: Store):
    ask(store, put())
    end(store, Verdict.DONE, event_id="e-1")
    ask(store, put(value=12))
    store.commands.begin(claim(store), NOW, LONG_S)
    assert take_over(store) == Released(0, 1, 0)


def test_event_that_was_only_looked_for_is_looked_for_again_at_once(store: Store):
    ask(store, put())
    end(store, Verdict.RETRY, due_at=NOW, answer_lost=True)
    store.commands.begin(claim(store), NOW, LONG_S)
    assert take_over(store) == Released(0, 1, 0)


def test_worker_that_beat_meanwhile_keeps_its_work_and_of_two_only_one_takes_over(store: Store):
    ask(store, upsert())
    claim(store)
    store.workers.beat(DEAD, NOW)
    assert store.workers.take_over(DEAD, after(-10), NOW) is None
    assert store.workers.take_over(DEAD, NOW, NOW) == Released(0, 1, 0)
    assert store.workers.take_over(DEAD, NOW, NOW) is None
    assert store.workers.beat(ALIVE, NOW) == {}


def test_worker_that_lives_on_learns_that_it_is_too_late(store: Store):
    store.deliveries.record(new_delivery())
    ask(store, upsert("a@example.com"), at=NOW)
    ask(store, upsert("b@example.com"), at=after(1))
    [delivery] = store.deliveries.claim(NOW, LONG_S, 100, holder=DEAD)
    begun, not_begun = claim(store, at=after(1))
    store.commands.begin([begun], NOW, LONG_S)
    take_over(store, after(6))
    store.deliveries.claim(after(6), LONG_S, 100, holder=ALIVE)
    claim(store, ALIVE, after(6))

    assert store.commands.begin([not_begun], after(7), LONG_S) == []
    assert store.commands.settle([Outcome(begun, Verdict.DONE)], after(7)) == 0
    with store.deliveries.translating() as bench:
        assert not bench.finish(delivery, Translation(DeliveryState.IGNORED), after(7))
    assert store.workers.beat(DEAD, after(8)) == {}


def test_after_the_clock_was_put_back_what_waits_is_due_and_claims_are_left_alone(store: Store):
    """What was stored within the hour that comes again would else wait for it to pass."""
    late = after(LONG_S)
    received = store.deliveries.record(new_delivery(received_at=late)).id
    held = store.deliveries.record(
        new_delivery(), Translation(DeliveryState.HELD, reason="cart-after", due_at=after(2 * LONG_S))
    ).id
    claimed = ask(store, upsert("a@example.com"), at=NOW)
    claim(store, ALIVE)
    waiting = ask(store, upsert(), product(), at=late, group="second")
    store.workers.catch_up(NOW)

    assert {each.id for each in store.deliveries.claim(NOW, LONG_S, 100)} == {received, held}
    assert {view.due_at for view in views(store, waiting)} == {NOW}
    assert [(view.state, view.due_at) for view in views(store, claimed)] == [(CLAIMED, after(LONG_S))]


def test_catching_up_goes_on_until_nothing_is_left(store: Store, monkeypatch):
    monkeypatch.setattr("relay.store.takeover.SLICE", 2)
    late = after(LONG_S)
    asked = [ask(store, upsert(f"{number}@example.com"), at=late) for number in range(5)]
    received = [store.deliveries.record(new_delivery(received_at=late)).id for _ in range(5)]
    store.workers.catch_up(NOW)
    assert {view.due_at for delivery in asked for view in views(store, delivery)} == {NOW}
    assert [each.id for each in store.deliveries.claim(NOW, LONG_S, 100)] == received


def test_pace_and_pauses_of_a_clock_that_was_put_back_end_and_those_of_an_operator_stay(store: Store):
    late = after(LONG_S)
    store.lanes.take_turn("main", 60.0, late)
    store.lanes.hold("main", Lane.CONTACTS, late + timedelta(seconds=5), "busy", late)
    store.lanes.pause("main", Lane.CATALOG, None, "the operator", late)
    store.lanes.hold("second", Lane.CONTACTS, after(30), "busy", after(-1))
    store.workers.catch_up(NOW)

    assert store.lanes.take_turn("main", 60.0, NOW) == NOW
    assert [(view.group, view.lane, view.until) for view in store.lanes.paused(NOW)] == [
        ("main", Lane.CATALOG, None),
        ("second", Lane.CONTACTS, after(30)),
    ]


def test_contact_and_event_of_one_call_are_both_carried_through(store: Store):
    """The contact may be repeated, the event may not; neither must keep the other from being claimed for good."""
    asked = ask(store, upsert(), put())
    taken = claim(store)
    if len(taken) == 1:
        pytest.skip("They do not share a call.")
    store.commands.begin(taken, NOW, LONG_S)
    assert take_over(store, after(5)) == Released(0, 1, 1)
    done: list[int] = []
    for at in (after(6), after(LONG_S), after(LONG_S + 1)):
        claimed = claim(store, ALIVE, at)
        begun = store.commands.begin(claimed, at, LONG_S)
        store.commands.settle([Outcome(each, Verdict.DONE) for each in begun], at)
        done += [each.id for each in begun]
    assert done == [view.id for view in views(store, asked)]
