"""The keep file: the state as JSON texts, one a line, replaced atomically shortly after a change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

DELAY_S = 0.2
# Writing costs as much as there is to write, so the pause grows with the time the last writing took.
PAUSE_PER_WRITING = 10


class Keeper:
    """Writes the lines of ``render()`` to ``path`` soon after ``touch()``; many changes share one writing."""

    def __init__(self, path: Path, render: Callable[[], Iterable[str]]) -> None:
        self._path = path
        self._render = render
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._due = False
        self._delay_s = DELAY_S

    def read(self) -> Iterator[str]:
        """Give the lines that were kept, none when there is nothing yet."""
        if self._path.exists():
            with self._path.open(encoding="utf-8", newline="\n") as kept:
                yield from kept

    def touch(self) -> None:
        """Ask for a writing, unless one is already coming."""
        with self._lock:
            if not self._due:
                self._due = True
                self._timer = threading.Timer(self._delay_s, self._write)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Write now what is still to be written; nothing may be touched afterwards."""
        with self._lock:
            timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join()
        if self._due:
            self._write()

    def _write(self) -> None:
        # Said before the text is rendered: a change made while it is being written asks for a writing of its own.
        with self._lock:
            self._due = False
        started = time.monotonic()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(self._path.name + ".new")
        with draft.open("w", encoding="utf-8", newline="\n") as lines:
            lines.writelines(f"{line}\n" for line in self._render())
        draft.replace(self._path)
        self._delay_s = max(DELAY_S, PAUSE_PER_WRITING * (time.monotonic() - started))
