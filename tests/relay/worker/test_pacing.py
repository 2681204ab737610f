from __future__ import annotations

from itertools import pairwise

import pytest

from relay.worker.pacing import EARLY_S, SPREAD_S, Pacer, Turn, pause
from tests.support.stored import LEASE_S, NOW, after, ask, upsert
from tests.support.working import a_group


class Sleeper:
    """Moves a clock and counts."""

    def __init__(self, clock=None):
        self.clock = clock
        self.slept = []

    def __call__(self, seconds):
        self.slept.append(seconds)
        if self.clock:
            self.clock.advance(seconds)


def pacer(store, clock, sleep=None, stopped=lambda: False):
    return Pacer(store.lanes, clock, stopped, sleep or clock.advance)


def test_no_pace_means_no_waiting(sqlite, clock):
    sleep = Sleeper(clock)
    pace = pacer(sqlite, clock, sleep)
    for _ in range(3):
        assert pace.meet(a_group(), pace.book(a_group(), after(60))) == Turn()
    assert sleep.slept == []


def test_turns_come_at_even_distances(store, clock):
    group = a_group(requests_per_minute=122)
    moments = []
    for _ in range(5):
        pace = pacer(store, clock)
        turn = pace.meet(group, pace.book(group, after(60)))
        assert (turn.put_off, turn.at) == (False, clock.now())
        moments.append(clock.now())
    assert [(later - earlier).total_seconds() for earlier, later in pairwise(moments)] == [0.5] * 4


def test_call_is_begun_before_its_turn_comes(sqlite, clock):
    group = a_group(requests_per_minute=1)
    pace = pacer(sqlite, clock)
    pace.book(group, after(30))
    turn = pace.book(group, after(90))
    assert clock.now() == after(60 + SPREAD_S - EARLY_S)
    clock.advance(0.3)  # the attempt is written
    assert pace.meet(group, turn).at == clock.now() == after(60 + SPREAD_S)


def test_turn_that_comes_too_late_is_told_and_not_waited_for(sqlite, clock):
    group = a_group(requests_per_minute=1)
    sleep = Sleeper(clock)
    pace = pacer(sqlite, clock, sleep)
    assert not pace.book(group, after(30)).put_off
    put_off = pace.book(group, after(30))
    assert (put_off.put_off, put_off.at) == (True, after(61))
    assert sleep.slept == []

    clock.advance(61)
    assert not pace.book(group, after(90)).put_off, "the turn was left for whoever comes back then"


def test_stop_interrupts_the_waiting(sqlite, clock):
    group = a_group(requests_per_minute=1)
    sleep = Sleeper(clock)
    pace = pacer(sqlite, clock, sleep, stopped=lambda: len(sleep.slept) == 3)
    pace.book(group, after(100))
    pace.book(group, after(100))
    assert sum(sleep.slept) < 1


def test_lost_turn_is_not_used_late(sqlite, clock):
    group = a_group(requests_per_minute=610)  # a turn each tenth of a second
    pace, others = pacer(sqlite, clock), pacer(sqlite, clock)
    mine = pace.book(group, after(60))
    for _ in range(4):
        others.book(group, after(60))
    clock.advance(0.06)  # more than a quarter of the distance
    assert pace.meet(group, mine).at == clock.now() == after(0.5)


def test_call_that_lost_its_turn_is_put_off_when_the_next_is_far(sqlite, clock):
    group = a_group(requests_per_minute=10)
    pace = pacer(sqlite, clock)
    turn = pace.book(group, after(60))
    clock.advance(0.6)
    late = pace.meet(group, turn)
    assert (late.put_off, late.at) == (True, after(6.1))
    assert clock.now() == after(0.6), "nobody waited"


def test_call_a_little_late_is_made(sqlite, clock):
    group = a_group(requests_per_minute=610)
    pace = pacer(sqlite, clock)
    turn = pace.book(group, after(60))
    clock.advance(0.02)
    assert pace.meet(group, turn).at == NOW


def test_idle_group_learns_to_book_as_late_as_its_attempts_take_to_be_written(sqlite, clock):
    group = a_group(requests_per_minute=610)
    pace = pacer(sqlite, clock)
    turns = []
    for _ in range(3):
        clock.advance(10)
        asked = clock.now()
        turn = pace.book(group, after(60))
        clock.advance(0.07)
        turns.append(((pace.meet(group, turn).at - asked).total_seconds(), turn.at == clock.now()))
    assert turns == [(0.1, False), (0.07, True), (0.07, True)], "the first one needed a second turn"


def test_sleeps_that_last_too_long_do_not_add_up(sqlite, clock):
    group = a_group(requests_per_minute=6)
    pace = pacer(sqlite, clock, lambda seconds: clock.advance(seconds * 1.1))
    for turn in [pace.book(group, after(60)), pace.book(group, after(60))]:
        met = pace.meet(group, turn)
    assert not met.put_off
    assert 0 <= (clock.now() - met.at).total_seconds() < 0.05


def test_clock_that_is_put_back_keeps_nobody_waiting_for_the_old_time(sqlite, clock):
    group = a_group(requests_per_minute=6)
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        clock.advance(seconds - (3600 if len(slept) == 2 else 0))

    pace = pacer(sqlite, clock, sleep)
    pace.book(group, after(60))
    turn = pace.book(group, after(60))
    assert sum(slept) <= 11
    assert pace.meet(group, turn).put_off, "what the moment means now, nobody knows"


@pytest.mark.parametrize("seconds", [0, -1, 0.1, 0.25, 1.1, 30])
def test_pause_lasts_as_long_as_asked(seconds):
    sleep = Sleeper()
    pause(seconds, lambda: False, sleep)
    assert sum(sleep.slept) == pytest.approx(max(seconds, 0))


def test_no_minute_sees_more_calls_than_the_group_allows(both):
    both.groups = [a_group(requests_per_minute=6)]
    deliveries = [ask(both.store, upsert(f"{number}@example.com")) for number in range(15)]

    for _ in range(30):  # several workers, one after the other, each with only what a lease allows
        both.work(calls_per_lane=1)
        both.clock.advance(3)

    moments = [sent.at for sent in both.client.sent]
    assert set(both.states(*deliveries)) == {"done"}
    assert len(moments) == 15
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert min(gaps) >= 10
    windows = [sum(moment <= each and (each - moment).total_seconds() < 60 for each in moments) for moment in moments]
    assert max(windows) == 6


def test_pace_that_is_slower_than_the_lease_starves_nobody(shift):
    shift.groups = [a_group(requests_per_minute=1)]
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(4)]

    for _ in range(40):
        shift.work(calls_per_lane=1)
        shift.clock.advance(7)

    assert set(shift.states(*deliveries)) == {"done"}
    assert all(view.attempts[0].number == 1 for each in deliveries for view in shift.store.commands.of_delivery(each))


def test_commands_whose_turn_comes_after_their_lease_are_given_back_until_then(shift):
    shift.groups = [a_group(requests_per_minute=1)]
    first, second = (ask(shift.store, upsert(f"{name}@example.com")) for name in "ab")
    shift.work(calls_per_lane=1)

    waiting = shift.command(second)
    assert shift.command(first).state == "done"
    assert (waiting.state, waiting.attempts) == ("waiting", ())
    assert waiting.due_at == after(61)
    assert waiting.due_at - shift.clock.now() > after(LEASE_S - 3) - after(0)


def test_call_whose_turn_was_lost_while_its_attempt_was_written_is_put_back(both, monkeypatch):
    both.groups = [a_group(requests_per_minute=6)]
    delivery = ask(both.store, upsert())
    begin = both.store.commands.begin

    def slowly(*given):
        both.clock.advance(0.6)
        return begin(*given)

    with monkeypatch.context() as patch:
        patch.setattr(both.store.commands, "begin", slowly)
        both.work(calls_per_lane=1)
    view = both.command(delivery)
    assert both.client.sent == []
    assert (view.state, [each.verdict for each in view.attempts]) == ("waiting", ["released"])
    assert view.due_at > both.clock.now() + (after(9) - NOW)

    both.clock.advance(11)
    both.work(calls_per_lane=1)
    [sent] = both.client.sent
    assert both.command(delivery).state == "done"
    assert sent.commands[0].attempts == 0, "what was put back counts as no attempt"


def test_worker_that_stops_while_a_call_waits_for_its_turn_does_not_make_it_early(shift, monkeypatch):
    shift.groups = [a_group(requests_per_minute=6)]
    delivery = ask(shift.store, upsert())
    worker = shift.worker(calls_per_lane=1)
    begin = shift.store.commands.begin

    def last_of_all(*given):
        worker.stop()
        return begin(*given)

    monkeypatch.setattr(shift.store.commands, "begin", last_of_all)
    worker.run_until_idle()
    assert shift.client.sent == []
    assert (shift.command(delivery).state, shift.command(delivery).due_at <= shift.clock.now()) == ("waiting", True)
