"""A lock on a file, between processes: ends with its holder, has a time limit, and wakes those that wait for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from relay.errors import StoreUnavailable

LOOK_S = 0.01
"""How often to look all the same: a holder that was killed wakes nobody."""

_LOOK_BLINDLY_S = 0.001  # where there are no pipes


class FileLock:
    """An advisory lock on a file.

    A flock that waits has no time limit, and one that is tried again and again takes a good part of a processor. So
    those that wait listen at a named pipe beside the file, and who gives the lock back writes to it if anybody does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pipe = path.with_name(f"{path.name}.freed")

    @contextmanager
    def held(self, deadline: float) -> Iterator[None]:
        """Hold the lock; raises StoreUnavailable when it is not free by ``deadline`` (of ``time.monotonic``)."""
        # Opened anew each time: a descriptor that a forked process inherits would share its lock.
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"The lock file {self._path} cannot be opened: {error.strerror}.") from error
        try:
            if not _taken(descriptor):
                self._wait(descriptor, deadline)
            yield
        finally:
            os.close(descriptor)
            self._tell()

    def _wait(self, descriptor: int, deadline: float) -> None:
        with self._listening() as listen:
            while not _taken(descriptor):  # for the first time after having begun to listen
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise StoreUnavailable("Another process has been writing to the store for too long.", is_busy=True)
                listen(min(left_s, LOOK_S))

    @contextmanager
    def _listening(self) -> Iterator[Callable[[float], object]]:
        """Give what waits some seconds, or less when the lock is given back meanwhile."""
        try:
            with contextlib.suppress(FileExistsError):
                os.mkfifo(self._pipe, 0o600)
            pipe = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)  # a pipe without writers would be ready all the time
        except OSError:
            yield lambda _: time.sleep(_LOOK_BLINDLY_S)
            return
        try:
            yield lambda seconds: _heard(pipe, seconds)
        finally:
            os.close(pipe)

    def _tell(self) -> None:
        with contextlib.suppress(OSError):  # nobody listens, or has done so ever
            pipe = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, b".")
            finally:
                os.close(pipe)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _heard(pipe: int, seconds: float) -> None:
    ready = select.poll()
    ready.register(pipe, select.POLLIN)
    if ready.poll(1000 * seconds):
        with contextlib.suppress(BlockingIOError):  # somebody else who waits has read it
            os.read(pipe, 1000)
