"""How workers share a bound by what they see of each other."""

from __future__ import annotations

import random

import pytest

from relay.worker.crew import CALLS_PER_LANE
from relay.worker.presence import Presence
from relay.worker.sharing import FOR_NEWCOMERS, MOST_CALLS, Share
from relay.worker.watching import BLIND_S, DEAD_AFTER_S, Watch


def share():
    return Share(DEAD_AFTER_S, BLIND_S)


def settled(others):
    """Give a share that has seen so many others long enough."""
    mine = share()
    return [mine.note(others, float(second)) for second in range(10)][-1]


def test_worker_that_is_alone_makes_all_calls_at_once():
    assert share().note(0, 0.0) == CALLS_PER_LANE


def test_bound_is_shared_evenly():
    assert [settled(others) for others in range(6)] == [16, 14, 9, 7, 5, 4]
    assert settled(200) == 1


def test_newcomer_makes_one_call_at_a_time_until_all_others_know_it():
    mine = share()
    assert [mine.note(1, float(second)) for second in range(7)] == [1, 1, 1, 1, 1, 14, 14]


def test_worker_that_stood_still_is_a_newcomer():
    mine = share()
    for second in range(10):
        mine.note(1, float(second))
    assert mine.note(1, 9 + BLIND_S + 0.1) == 1


class Member:
    """A worker that beats about every second."""

    def __init__(self, store, clock, name, folder):
        self.others = 0
        self.may = 0
        mine = share()

        def on_others(others, at):
            self.may = mine.note(len(others), at)

        presence = Presence(folder, name)
        began = clock.now()
        self.watch = Watch(
            store, name, presence, clock, 60.0, lambda: (clock.now() - began).total_seconds(), on_others=on_others
        )
        self.next_at = 0.0


@pytest.mark.parametrize("seed", range(4))
def test_bound_holds_while_workers_come_go_and_stand_still(sqlite, clock, tmp_path, seed):
    chance = random.Random(seed)
    passed, members, number, most = 0.0, [], 0, 0
    while passed < 120:
        if len(members) < 7 and chance.random() < 0.02:
            number += 1
            members.append(Member(sqlite, clock, f"worker-{number}", tmp_path / "there-is-none"))
        if len(members) > 1 and chance.random() < 0.005:
            members.remove(chance.choice(members))  # it was killed
        for member in members:
            if passed >= member.next_at:
                member.watch.step()
                stands_still = chance.random() < 0.02
                member.next_at = passed + (chance.uniform(3, 12) if stands_still else chance.uniform(0.9, 1.4))
                if stands_still:
                    member.may = 0  # it makes no calls meanwhile; with the next beat it is a newcomer
        total = sum(member.may for member in members)
        most = max(most, total)
        assert total <= MOST_CALLS
        passed += 0.1
        clock.advance(0.1)
    assert most > (MOST_CALLS - FOR_NEWCOMERS) / 2, "the bound is used"
