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


def each(jobs):
    for job in jobs:
        job()


def test_slow_lane_keeps_nobody_else_waiting():
    go, done = threading.Event(), threading.Event()
    with crew() as working:
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)] * 50, each)
        working.add(QUICK, [done.set], each)
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
        working.add(SLOW, [job] * 20, each)
        working.wait()
    assert len(most) == 20
    assert max(most) == 3


def test_jobs_of_a_lane_are_begun_in_their_order():
    begun = []
    with crew(per_lane=1) as working:
        working.add(SLOW, [lambda number=number: begun.append(number) for number in range(30)], each)
        working.add(SLOW, [lambda: begun.append("last")], each)
    assert begun == [*range(30), "last"]


def test_lanes_take_turns_where_threads_are_few():
    go, begun = threading.Event(), []
    with crew(lanes=1, per_lane=1) as working:
        working.add(SLOW, [lambda: (begun.append("slow"), go.wait(PATIENCE_S))] * 3, each)
        working.add(QUICK, [lambda: begun.append("quick")], each)
        go.set()
    assert begun == ["slow", "quick", "slow", "slow"]


def test_thread_goes_on_with_the_jobs_of_its_lane():
    turns = []
    with crew(lanes=1, per_lane=1) as working:
        working.add(SLOW, range(5), lambda jobs: turns.append([*jobs]))
    assert turns == [[0, 1, 2, 3, 4]]


def test_thread_lets_another_lane_go_first_when_that_has_none():
    go, turns = threading.Event(), []

    def work(jobs):
        turns.append([next(jobs)])
        go.wait(PATIENCE_S)
        turns[-1] += jobs

    with crew(lanes=1, per_lane=1) as working:
        working.add(SLOW, range(3), work)
        working.add(QUICK, ["quick"], work)
        go.set()
    assert turns == [[0], ["quick"], [1, 2]]


def test_lane_is_full_when_a_new_job_would_wait():
    go = threading.Event()
    with crew(per_lane=2) as working:
        assert (working.busy(), working.full()) == (set(), set())
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)], each)
        assert (working.busy(), working.full()) == ({SLOW}, set())
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)], each)
        assert (working.busy(), working.full()) == ({SLOW}, {SLOW})
        go.set()
        working.wait()
        assert (working.busy(), working.full()) == (set(), set())


def test_room_in_a_lane_is_told_and_no_job_that_another_follows():
    freed = []
    with crew(per_lane=2, on_free=lambda: freed.append(1)) as working:
        working.add(SLOW, [lambda: None] * 5, each)
    assert len(freed) == 2


def test_lane_is_stocked_while_two_jobs_wait_for_each_that_is_under_way():
    go, stocked = threading.Event(), []
    with crew(per_lane=1, on_free=lambda: stocked.append(working.stocked())) as working:
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)] * 2, each)
        assert (working.full(), working.stocked()) == ({SLOW}, set())
        working.add(SLOW, [lambda: go.wait(PATIENCE_S)] * 2, each)
        assert working.stocked() == {SLOW}
        go.set()
    assert stocked == [set(), set()], "told once that few wait, and once that there is room"


class Counting:
    """Jobs that wait for a nod each, and how many are under way."""

    def __init__(self):
        self.nods, self.changed = threading.Semaphore(0), threading.Condition()
        self.under_way = 0

    def __call__(self):
        with self.changed:
            self.under_way += 1
            self.changed.notify_all()
        self.nods.acquire(timeout=PATIENCE_S)
        with self.changed:
            self.under_way -= 1
            self.changed.notify_all()

    def until(self, number):
        with self.changed:
            assert self.changed.wait_for(lambda: self.under_way == number, PATIENCE_S)

    def nod(self, times):
        for _ in range(times):
            self.nods.release()


@pytest.mark.parametrize("narrow", [lambda working, n: working.allow(SLOW, n), lambda working, n: working.limit(n)])
def test_lane_is_made_narrower_as_its_jobs_end_and_wider_at_once(narrow):
    jobs = Counting()
    with crew(per_lane=4) as working:
        working.add(SLOW, [jobs] * 20, each)
        jobs.until(4)
        narrow(working, 2)
        assert working.full() == {SLOW}
        jobs.nod(2)
        jobs.until(2)
        jobs.nod(3)  # others take their places, but no more than two at a time
        jobs.until(2)
        narrow(working, 3)
        jobs.until(3)
        narrow(working, 9)
        jobs.until(4)
        jobs.nod(100)
    assert jobs.under_way == 0


def test_lane_that_is_made_as_narrow_as_can_be_goes_on():
    jobs = Counting()
    with crew(per_lane=4) as working:
        working.limit(0)
        working.allow(SLOW, 0)
        working.add(SLOW, [jobs] * 3, each)
        jobs.until(1)
        jobs.nod(3)
    assert jobs.under_way == 0


def test_narrow_lane_leaves_the_others_as_wide_as_they_are():
    jobs = Counting()
    with crew(per_lane=2) as working:
        working.allow(SLOW, 1)
        working.add(QUICK, [jobs] * 2, each)
        jobs.until(2)
        assert working.full() == {QUICK}
        jobs.nod(2)


def test_leaving_waits_for_what_is_under_way():
    done = []
    with crew() as working:
        working.add(SLOW, [lambda: done.append(threading.Event().wait(0.05))] * 5, each)
    assert len(done) == 5


def test_crew_may_be_put_together_again():
    working, done = crew(), []
    for _ in range(2):
        with working:
            working.add(SLOW, [lambda: done.append(1)], each)
    assert done == [1, 1]


def test_jobs_are_not_taken_outside_the_block():
    with pytest.raises(RuntimeError):
        crew().add(SLOW, [lambda: None], each)


def test_number_of_threads_is_bounded_however_many_lanes_there_are():
    go, begun = threading.Event(), []
    with crew(lanes=1000, per_lane=4) as working:
        for number in range(100):
            working.add(LaneKey(str(number), Lane.CONTACTS), [lambda: (begun.append(1), go.wait(PATIENCE_S))], each)
        assert threading.active_count() <= MOST_THREADS + 10
        go.set()
    assert len(begun) == 100
