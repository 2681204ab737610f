"""Threads that make the calls: a few for each lane, so that a slow account keeps nobody else waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from relay.store import LaneKey

Job: TypeAlias = Callable[[], object]

CALLS_PER_LANE = 16
MOST_THREADS = 64


class Crew:
    """Runs jobs inside the ``with`` block: each lane's in their order, some side by side, the lanes by turns."""

    def __init__(self, lanes: int, on_free: Callable[[], object], per_lane: int = CALLS_PER_LANE) -> None:
        """Take the number of lanes there may be, and what to call when one has room again. Jobs must not raise."""
        self._threads = max(1, min(lanes * per_lane, MOST_THREADS))
        self._per_lane = per_lane
        self._on_free = on_free
        self._waiting: dict[LaneKey, deque[Job]] = {}
        self._running: dict[LaneKey, int] = {}
        self._changed = threading.Condition()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Crew:
        """Let threads be started."""
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="dispatch")
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until every job is over."""
        self.wait()
        if self._pool is not None:
            self._pool.shutdown()

    def add(self, lane: LaneKey, jobs: Iterable[Job]) -> None:
        """Take jobs of one lane; those that find no thread wait."""
        with self._changed:
            self._waiting.setdefault(lane, deque()).extend(jobs)
            while self._waiting[lane] and self._running.get(lane, 0) < self._per_lane:
                self._running[lane] = self._running.get(lane, 0) + 1
                self._submit(lane, self._waiting[lane].popleft())

    def busy(self) -> set[LaneKey]:
        """Give the lanes that have anything running or waiting."""
        with self._changed:
            return {lane for lane, number in self._running.items() if number}

    def full(self) -> set[LaneKey]:
        """Give the lanes in which a new job would have to wait."""
        with self._changed:
            return {lane for lane, number in self._running.items() if number >= self._per_lane}

    def wait(self) -> None:
        """Wait until no job is left."""
        with self._changed:
            self._changed.wait_for(lambda: not any(self._running.values()))

    def _submit(self, lane: LaneKey, job: Job) -> None:
        if self._pool is None:
            raise RuntimeError("The crew has no threads outside its with block.")
        self._pool.submit(self._run, lane, job)

    def _run(self, lane: LaneKey, job: Job) -> None:
        try:
            job()
        finally:
            with self._changed:
                has_room = not self._waiting[lane]
                if has_room:
                    self._running[lane] -= 1
                    self._changed.notify_all()
                else:  # the next one queues behind the other lanes' in the pool
                    self._submit(lane, self._waiting[lane].popleft())
            if has_room:
                self._on_free()
