from __future__ import annotations

from itertools import pairwise

import pytest

from relay.worker.pacing import Pacer, pause
from tests.support.stored import LEASE_S, after, ask, upsert
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
    for _ in range(3):
        assert pacer(sqlite, clock, sleep).wait(a_group(), after(60)) is None
    assert sleep.slept == []


def test_turns_come_at_even_distances(store, clock):
    group = a_group(requests_per_minute=120)
    moments = []
    for _ in range(5):
        assert pacer(store, clock).wait(group, after(60)) is None
        moments.append(clock.now())
    assert [(later - earlier).total_seconds() for earlier, later in pairwise(moments)] == [0.5] * 4


def test_turn_that_comes_too_late_is_told_and_not_waited_for(sqlite, clock):
    group = a_group(requests_per_minute=1)
    sleep = Sleeper(clock)
    pace = pacer(sqlite, clock, sleep)
    assert pace.wait(group, after(30)) is None
    assert pace.wait(group, after(30)) == after(60)
    assert sleep.slept == []

    clock.advance(60)
    assert pace.wait(group, after(90)) is None, "the turn was left for whoever comes back then"


def test_stop_interrupts_the_waiting(sqlite, clock):
    group = a_group(requests_per_minute=1)
    sleep = Sleeper(clock)
    pace = pacer(sqlite, clock, sleep, stopped=lambda: len(sleep.slept) == 3)
    pace.wait(group, after(100))
    assert pace.wait(group, after(100)) is None
    assert sum(sleep.slept) < 1


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
    assert waiting.due_at == after(60)
    assert waiting.due_at - shift.clock.now() > after(LEASE_S - 3) - after(0)
