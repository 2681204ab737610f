"""Who may write: one lock file for all SQLite writers of the machine, advisory locks on PostgreSQL."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import BigInteger, Connection, bindparam, func, select

from relay.errors import StoreUnavailable

POLL_S = 0.001
NEXT_POLL_S = 0.0001


class WriteLock:
    """An advisory lock on a side file, taken before every ``BEGIN IMMEDIATE``.

    SQLite makes a second writer sleep and try again, ever longer, which ruins the slowest answers; this queue does
    not. It also keeps two connections from writing and checkpointing at once, the condition of SQLite's WAL-reset bug
    (before 3.51.3). Threads of one process queue on a plain lock, so only one of them watches the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()

    @contextmanager
    def held(self, wait_s: float) -> Iterator[None]:
        """Hold the lock; raises StoreUnavailable when it is not free within ``wait_s`` seconds."""
        deadline = time.monotonic() + wait_s
        if not self._threads.acquire(timeout=wait_s):
            raise StoreUnavailable("Another thread has been writing to the store for too long.")
        try:
            # The file is opened anew each time: a descriptor that a forked process inherits would share its lock.
            descriptor = self._open(self._path)
            try:
                self._take_in_turn(descriptor, deadline)
                yield
            finally:
                os.close(descriptor)
        finally:
            self._threads.release()

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"The lock file {path} cannot be opened: {error.strerror}.") from error

    def _take_in_turn(self, descriptor: int, deadline: float) -> None:
        """Take the lock by way of a second one, whose holder is the next.

        Who watches a file finds it free now and then only, and a process that gives the lock back and wants it again
        would be there first each time. So it has to queue behind whoever is next.
        """
        place = self._open(self._path.with_name(f"{self._path.name}.next"))
        try:
            self._take(place, deadline, POLL_S)
            self._take(descriptor, deadline, NEXT_POLL_S)
        finally:
            os.close(place)

    def _take(self, descriptor: int, deadline: float, poll_s: float) -> None:
        # A blocking flock has no time limit, and its holders are done within milliseconds, so the file is watched.
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise StoreUnavailable("Another process has been writing to the store for too long.") from None
                time.sleep(poll_s)
            else:
                return


class Contended(Exception):
    """Another transaction works on the same thing, and this one holds too much to wait for it."""


def serialise(connection: Connection, *things: tuple[str, ...], wait: bool = True) -> None:
    """Let no other transaction work on the same things until this one ends.

    On SQLite a writing transaction is alone anyway. On PostgreSQL each thing is an advisory lock, taken in one fixed
    order so that two transactions that want the same ones cannot wait for each other. Whoever holds some already must
    not ``wait``: it raises Contended instead.
    """
    if connection.dialect.name != "postgresql":
        return
    for number in sorted({_number(thing) for thing in things}):
        if wait:
            connection.execute(_WAIT_FOR, {"number": number})
        elif not connection.scalar(_TRY, {"number": number}):
            raise Contended


_WAIT_FOR = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))
_TRY = select(func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger)))


def _number(thing: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\x1f".join(thing).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
