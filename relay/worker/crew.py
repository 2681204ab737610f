"""Threads that make the calls: a few for each lane, so that a slow account keeps nobody else waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Generic, TypeVar

from relay.store import LaneKey

Job = TypeVar("Job")

CALLS_PER_LANE = 16
MOST_THREADS = 64

_STOCK = 2
"""Jobs that wait for each that a lane may have under way: they last until others have been claimed."""


class Crew(Generic[Job]):
    """Does jobs inside the ``with`` block: each lane's in their order, some side by side, the lanes by turns."""

    def __init__(self, lanes: int, on_free: Callable[[], object], per_lane: int = CALLS_PER_LANE) -> None:
        """Take the number of lanes there may be, and what to call when one has room again or is no longer stocked."""
        self._threads = max(1, min(lanes * per_lane, MOST_THREADS))
        self._per_lane = per_lane
        self._on_free = on_free
        self._waiting: dict[LaneKey, deque[Job]] = {}
        self._running: dict[LaneKey, int] = {}
        self._allowed: dict[LaneKey, int] = {}
        self._limit = per_lane
        self._workers: dict[LaneKey, Callable[[Iterator[Job]], object]] = {}
        self._without_thread = 0
        self._changed = threading.Condition()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Crew[Job]:
        """Let threads be started."""
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="dispatch")
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until every job is over."""
        self.wait()
        if self._pool is not None:
            self._pool.shutdown()

    def add(self, lane: LaneKey, jobs: Iterable[Job], work: Callable[[Iterator[Job]], object]) -> None:
        """Take jobs of one lane; those that find no thread wait.

        ``work`` does them: it is given one, then others of the lane as long as some wait and no other lane does, so
        that a thread can do at once what ends one job and begins the next. It must not raise.
        """
        with self._changed:
            self._waiting.setdefault(lane, deque()).extend(jobs)
            self._workers[lane] = work
            self._begin(lane)

    def allow(self, lane: LaneKey, number: int) -> None:
        """Let the lane have so many jobs side by side, at least one; those that are too many by now go on."""
        if self._allowed.get(lane, self._per_lane) == number:
            return  # as after nearly every call
        with self._changed:
            self._allowed[lane] = max(number, 1)
            self._begin(lane)

    def limit(self, number: int) -> None:
        """Let no lane have more than so many jobs side by side, at least one, whatever it is allowed."""
        with self._changed:
            self._limit = max(number, 1)
            for lane in self._waiting:
                self._begin(lane)

    def busy(self) -> set[LaneKey]:
        """Give the lanes that have anything running or waiting."""
        with self._changed:
            return {lane for lane, number in self._running.items() if number}

    def full(self) -> set[LaneKey]:
        """Give the lanes in which a new job would have to wait."""
        with self._changed:
            return {lane for lane, number in self._running.items() if number >= self._most(lane)}

    def stocked(self) -> set[LaneKey]:
        """Give the full lanes in which more jobs wait than are done before somebody has fetched others."""
        full = self.full()
        with self._changed:
            return {lane for lane in full if len(self._waiting[lane]) >= self._stock(lane)}

    def wait(self) -> None:
        """Wait until no job is left."""
        with self._changed:
            self._changed.wait_for(lambda: not any(self._running.values()))

    def _most(self, lane: LaneKey) -> int:
        return min(self._allowed.get(lane, self._per_lane), self._limit, self._per_lane)

    def _stock(self, lane: LaneKey) -> int:
        return _STOCK * self._most(lane)

    def _begin(self, lane: LaneKey) -> None:
        while self._waiting.get(lane) and self._running.get(lane, 0) < self._most(lane):
            self._running[lane] = self._running.get(lane, 0) + 1
            self._submit(lane, self._workers[lane])

    def _submit(self, lane: LaneKey, work: Callable[[Iterator[Job]], object]) -> None:
        if self._pool is None:
            raise RuntimeError("The crew has no threads outside its with block.")
        self._without_thread += 1
        self._pool.submit(self._run, lane, self._waiting[lane].popleft(), work)

    def _run(self, lane: LaneKey, first: Job, work: Callable[[Iterator[Job]], object]) -> None:
        with self._changed:
            self._without_thread -= 1
        try:
            work(chain([first], self._others(lane)))
        finally:
            with self._changed:
                is_too_many = self._running[lane] > self._most(lane)
                has_room = not self._waiting[lane] and not is_too_many
                if has_room or is_too_many:
                    self._running[lane] -= 1
                    self._changed.notify_all()
                else:  # the next one queues behind the other lanes' in the pool
                    self._submit(lane, work)
            if has_room:
                self._on_free()

    def _others(self, lane: LaneKey) -> Iterator[Job]:
        """Give jobs that wait in a lane while no job waits for a thread."""
        while True:
            with self._changed:
                if self._without_thread or not self._waiting[lane] or self._running[lane] > self._most(lane):
                    return
                job = self._waiting[lane].popleft()
                is_short = len(self._waiting[lane]) == self._stock(lane) - 1
            if is_short:  # told once
                self._on_free()
            yield job
