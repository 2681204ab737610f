"""The pace in any window: many workers in invented time, on a machine where nothing happens when it should."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import pytest

from benchmarks.pace import windows
from relay.worker.pacing import Pacer
from tests.support.theatre import Theatre
from tests.support.working import a_group

SECONDS = 150
LEASE_S = 60


class Turns:
    """What ``LaneStore.take_turn`` does, in memory; that it does so is tested with the store."""

    def __init__(self):
        self.next_at = None

    def take_turn(self, group, interval_s, now, latest=None):
        granted = max(now, self.next_at or now)
        if latest is None or granted <= latest:
            self.next_at = granted + timedelta(seconds=interval_s)
        return granted


def arrivals(per_minute, seed, *, workers, threads, wake_s, begin_s, road_s, answer_s, idle_s=0.0):
    """Let workers send for a while; gives when calls arrived, in order, and how many were begun in vain."""
    theatre, chance, turns = Theatre(), random.Random(seed), Turns()
    group = a_group(requests_per_minute=per_minute)
    arrived, in_vain = [], []

    def upto(most):
        """Give a time that is mostly short and now and then as long as can be."""
        return most * chance.random() ** 3

    def thread(pacer):
        while theatre.seconds < SECONDS:
            latest = theatre.now() + timedelta(seconds=LEASE_S)
            turn = pacer.book(group, latest)
            if not turn.put_off:
                theatre.sleep(upto(begin_s))
                turn = pacer.meet(group, turn)
                if turn.put_off:
                    in_vain.append(turn)
            if turn.put_off:
                theatre.sleep((turn.at - theatre.now()).total_seconds())
                continue
            road = upto(road_s)
            arrived.append(theatre.seconds + road)
            theatre.sleep(road + upto(answer_s) + upto(idle_s))

    def late(seconds):
        theatre.sleep(seconds + upto(wake_s))

    pacers = [Pacer(turns, theatre, lambda: False, late) for _ in range(workers)]
    theatre.play([lambda pacer=pacer: thread(pacer) for pacer in pacers for _ in range(threads)])
    return sorted(arrived), len(in_vain)


LOADED = {"wake_s": 0.02, "begin_s": 0.2, "road_s": 0.04, "answer_s": 0.5}
BUSY = {"wake_s": 0.01, "begin_s": 0.2, "road_s": 0.02, "answer_s": 0.2}
AWFUL = {"wake_s": 0.5, "begin_s": 1.5, "road_s": 0.6, "answer_s": 2.0}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("per_minute", "machine"), [(60, LOADED), (600, LOADED), (1200, BUSY)])
def test_no_minute_sees_more_than_the_group_allows_and_no_second_more_than_one_more(per_minute, machine, seed):
    moments, _ = arrivals(per_minute, seed, workers=4, threads=16, **machine)
    assert windows(moments, 60, per_minute)[1] == 0
    for seconds in (0.1, 0.5, 1, 2, 5, 10, 30):
        assert windows(moments, seconds, math.ceil(per_minute * seconds / 60) + 1)[1] == 0
    used = (len(moments) - 1) / ((moments[-1] - moments[0]) * per_minute / 60)
    assert used >= 0.95


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("per_minute", [60, 600])
def test_minute_holds_where_nothing_happens_in_time(per_minute, seed):
    moments, _ = arrivals(per_minute, seed, workers=3, threads=16, **AWFUL)
    assert len(moments) > 60
    assert windows(moments, 60, per_minute)[1] == 0


@pytest.mark.parametrize("seed", range(3))
def test_minute_holds_when_the_group_is_idle_between(seed):
    moments, _ = arrivals(600, seed, workers=4, threads=8, **LOADED, idle_s=8.0)
    assert windows(moments, 60, 600)[1] == 0
    assert windows(moments, 1, 11)[1] == 0


def test_calls_are_seldom_begun_in_vain():
    moments, in_vain = arrivals(600, 1, workers=4, threads=16, **LOADED)
    assert in_vain < len(moments) / 50
