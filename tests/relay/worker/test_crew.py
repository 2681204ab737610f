from __future__ import annotations

import threading

import pytest

from relay.commands import Lane
from relay.store import LaneKey
from relay.worker.crew import MOST_THREADS, Crew

PATIENCE_S = 20
SLOW = LaneKey("slow", Lane.CONTACTS)
QUICK = LaneKey("quick", Lane.CONTACTS)


def crew(lanes=2, per_lane=2, on_free=lambda: None):
    return Crew(lanes, on_free, per_lane)


def test_slow_lane_keeps_nobody_else_waiting():
    go, done = threading.Event(), threading.Event()
    with crew() as working:
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)] * 50)
        working.add(QUICK, [done.set])
        assert done.wait(PATIENCE_S)
        go.set()


def test_lane_has_no_more_at_a_time_than_its_share():
    go, lock = threading.Event(), threading.Lock()
    under_way, most = [], []

    def job():
        with lock:
            under_way.append(1)
            most.append(len(under_way))
        go.wait(0.01)
        with lock:
            under_way.pop()

    with crew(per_lane=3) as working:
        working.add(SLOW, [job] * 20)
        working.wait()
    assert len(most) == 20
    assert max(most) == 3


def test_jobs_of_a_lane_are_begun_in_their_order():
    begun = []
    with crew(per_lane=1) as working:
        working.add(SLOW, [lambda number=number: begun.append(number) for number in range(30)])
        working.add(SLOW, [lambda: begun.append("last")])
    assert begun == [*range(30), "last"]


def test_lanes_take_turns_where_threads_are_few():
    go, begun = threading.Event(), []
    with crew(lanes=1, per_lane=1) as working:
        working.add(SLOW, [lambda: (begun.append("slow"), go.wait(PATIENCE_S))] * 3)
        working.add(QUICK, [lambda: begun.append("quick")])
        go.set()
    assert begun == ["slow", "quick", "slow", "slow"]


def test_lane_is_full_when_a_new_job_would_wait():
    go = threading.Event()
    with crew(per_lane=2) as working:
        assert (working.busy(), working.full()) == (set(), set())
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)])
        assert (working.busy(), working.full()) == ({SLOW}, set())
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)])
        assert (working.busy(), working.full()) == ({SLOW}, {SLOW})
        go.set()
        working.wait()
        assert (working.busy(), working.full()) == (set(), set())


def test_room_in_a_lane_is_told_and_no_job_that_another_follows():
    freed = []
    with crew(per_lane=2, on_free=lambda: freed.append(1)) as working:
        working.add(SLOW, [lambda: None] * 7)
    assert len(freed) == 2


def test_leaving_waits_for_what_is_under_way():
    done = []
    with crew() as working:
        working.add(SLOW, [lambda: done.append(threading.Event().wait(0.05))] * 5)
    assert len(done) == 5


def test_crew_may_be_put_together_again():
    working, done = crew(), []
    for _ in range(2):
        with working:
            working.add(SLOW, [lambda: done.append(1)])
    assert done == [1, 1]


def test_jobs_are_not_taken_outside_the_block():
    with pytest.raises(RuntimeError):
        crew().add(SLOW, [lambda: None])


def test_number_of_threads_is_bounded_however_many_lanes_there_are():
    go, begun = threading.Event(), []
    with crew(lanes=1000, per_lane=4) as working:
        for number in range(100):
            working.add(LaneKey(str(number), Lane.CONTACTS), [lambda: (begun.append(1), go.wait(PATIENCE_S))])
        assert threading.active_count() <= MOST_THREADS + 10
        go.set()
    assert len(begun) == 100
