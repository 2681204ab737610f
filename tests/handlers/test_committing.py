"""Who commits what webhooks wait for: the thread that reads, and another one only where it has to wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from handlers import serving
from handlers.serving import Worker


class Clock:
    """Stands for the module ``time``."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Waiting:
    """An answer that waits for its commit, which takes ``seconds``; ``free`` tells whether the database is."""

    def __init__(self, clock: Clock, seconds: float = 0.001, free: bool = True) -> None:
        self.is_settled = False
        self._clock = clock
        self._seconds = seconds
        self._free = free
        self.thread: threading.Thread | None = None

    def is_kept_within(self, seconds: float) -> bool:
        self._clock.now += self._seconds if self._free else seconds
        self.is_settled = self._free
        return self._free

    def read(self) -> None:
        if not self._free:
            self._clock.now += self._seconds
        self.thread = threading.current_thread()


class Served:
    """A worker of gunicorn's without connections; what a thread leaves to its main thread is done by ``go_on``."""

    def __init__(self, clock: Clock) -> None:
        self.sent: list[Any] = []
        self._clock = clock
        self._left: Queue[Any] = Queue()
        self.worker = Worker(1, os.getpid(), [], None, 30, Config(), None)
        self.worker._awaited = []
        self.worker._commit = None
        self.worker._commits_are_quick = True
        self.worker._committer = ThreadPoolExecutor(1)
        self.worker.method_queue = SimpleNamespace(defer=lambda *call: self._left.put(call))
        self.worker._send = self.sent.extend

    def commit(self, seconds: float = 0.001, free: bool = True) -> bool:
        """Have an answer committed; tells whether the thread that reads did it."""
        answer = Waiting(self._clock, seconds, free)
        self.worker._awaited.append(answer)
        self.worker.wait_for_and_dispatch_events(0)
        if self.worker._commit is not None:
            assert answer not in self.sent
            self.go_on()
        assert self.sent[-1] is answer
        return answer.thread is threading.current_thread()

    def go_on(self) -> None:
        method, *arguments = self._left.get(timeout=10)
        method(*arguments)

    def close(self) -> None:
        self.worker._committer.shutdown()
        self.worker.tmp.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    clock = Clock()
    monkeypatch.setattr(serving, "time", clock)
    monkeypatch.setattr(ThreadWorker, "wait_for_and_dispatch_events", lambda worker, timeout: None)
    served = Served(clock)
    yield served
    served.close()


def test_thread_that_reads_commits_as_long_as_that_is_quick(served: Served) -> None:
    assert [served.commit(0.004) for _ in range(3)] == [True] * 3


def test_database_that_is_somebody_elses_is_waited_for_by_a_thread(served: Served) -> None:
    assert not served.commit(free=False)
    assert served.commit(), "it was quick once it was free"


def test_commit_that_was_slow_leaves_one_to_the_thread(served: Served) -> None:
    assert [served.commit(0.1), served.commit(), served.commit()] == [True, False, True]


def test_store_that_is_stuck_is_waited_for_by_a_thread_until_it_is_not(served: Served) -> None:
    assert [served.commit(3.0, free=False) for _ in range(3)] == [False] * 3
    assert not served.commit(0.001, free=False)
    assert served.commit()


def test_those_that_no_longer_fit_into_a_commit_are_a_threads(served: Served) -> None:
    worker, clock = served.worker, served._clock
    first, second, beyond = (Waiting(clock) for _ in range(3))
    second.is_settled = True
    worker._awaited.extend([first, second, beyond])
    worker.wait_for_and_dispatch_events(0)
    assert served.sent == [first, second]
    served.go_on()
    assert served.sent == [first, second, beyond]
    assert beyond.thread is not threading.current_thread()


def test_what_went_along_with_a_threads_commit_is_sent_with_it(served: Served) -> None:
    worker, clock = served.worker, served._clock
    first, settled, late = Waiting(clock, free=False), Waiting(clock), Waiting(clock)
    worker._awaited.append(first)
    worker.wait_for_and_dispatch_events(0)
    settled.is_settled = True
    worker._awaited.extend([settled, late])
    worker.wait_for_and_dispatch_events(0)
    assert served.sent == [], "a second commit does not begin beside the first"
    served.go_on()
    assert served.sent == [first, settled]
    assert worker._awaited == [late]
