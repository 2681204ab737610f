"""Threads that play in invented time: one at a time, and when all of them sleep it is later."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

_BEGIN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_PATIENCE_S = 60


class Theatre:
    """A clock, and a ``sleep`` that moves it. Everything else a thread does takes no time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._numbers = 0
        self._over = threading.Event()

    def now(self) -> datetime:
        """Give the invented time, as a clock."""
        return _BEGIN + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        """Let the others play until it is ``seconds`` later."""
        mine = self._enter(seconds)
        self._next()
        if not mine.wait(_PATIENCE_S):
            raise TimeoutError

    def play(self, parts: Sequence[Callable[[], object]]) -> None:
        """Run the parts to their ends, each in a thread."""
        threads = [threading.Thread(target=self._part, args=(part, self._enter(0)), daemon=True) for part in parts]
        for thread in threads:
            thread.start()
        self._next()
        assert self._over.wait(_PATIENCE_S)

    def _part(self, part: Callable[[], object], cue: threading.Event) -> None:
        cue.wait(_PATIENCE_S)
        try:
            part()
        finally:
            self._next()

    def _enter(self, seconds: float) -> threading.Event:
        self._numbers += 1
        cue = threading.Event()
        heapq.heappush(self._sleepers, (self.seconds + max(seconds, 0), self._numbers, cue))
        return cue

    def _next(self) -> None:
        if not self._sleepers:
            self._over.set()
            return
        self.seconds, _, cue = heapq.heappop(self._sleepers)
        cue.set()
