"""Who may write: one lock file for all SQLite writers of the machine, advisory locks on PostgreSQL."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, func, select

from relay.errors import StoreUnavailable
from relay.store.filelock import FileLock


class WriteLock:
    """An advisory lock on a side file, taken before every ``BEGIN IMMEDIATE``.

    SQLite makes a second writer sleep and try again, ever longer, which ruins the slowest answers; this queue does
    not. It also keeps two connections from writing and checkpointing at once, the condition of SQLite's WAL-reset bug
    (before 3.51.3). Threads of one process queue on a plain lock, so only one of them watches the file.
    """

    def __init__(self, path: Path) -> None:
        self.gives_way = False
        """Whether this process lets others go first: those that do so stand in the queue one at a time."""
        self._threads = threading.Lock()
        self._file = FileLock(path)
        self._next = FileLock(path.with_name(f"{path.name}.next"))
        self._gate = FileLock(path.with_name(f"{path.name}.gate"))

    @contextmanager
    def held(self, wait_s: float) -> Iterator[None]:
        """Hold the lock; raises StoreUnavailable when it is not free within ``wait_s`` seconds."""
        deadline = time.monotonic() + wait_s
        if not self._threads.acquire(timeout=wait_s):
            raise StoreUnavailable("Another thread has been writing to the store for too long.", is_busy=True)
        try:
            with ExitStack() as stack:
                if self.gives_way:
                    stack.enter_context(self._gate.held(deadline))
                # By way of a second lock, whose holder is the next: a process that gives the lock back and wants it
                # again would be there first each time, and has to queue behind whoever is next.
                with self._next.held(deadline):
                    stack.enter_context(self._file.held(deadline))
                yield
        finally:
            self._threads.release()


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
    numbers = sorted({_number(thing) for thing in things})
    if wait and numbers:
        connection.execute(_WAIT_FOR_EACH, {"numbers": numbers})
    elif not all(connection.scalar(_TRY, {"number": number}) for number in numbers):
        raise Contended


def serialise_free(connection: Connection, things: Collection[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Do the same for those of the things that no other transaction works on; gives these."""
    if connection.dialect.name != "postgresql" or not things:
        return set(things)
    numbers = {thing: _number(thing) for thing in things}
    rows = connection.execute(_TRY_EACH, {"numbers": sorted(set(numbers.values()))})
    taken = {row.number for row in rows if row.taken}
    return {thing for thing, number in numbers.items() if number in taken}


_TRY = select(func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger)))
_EACH = func.unnest(bindparam("numbers", type_=ARRAY(BigInteger))).column_valued("number")
# Each row's lock is taken before the next row is looked at, so in the order of the numbers.
_WAIT_FOR_EACH = select(func.pg_advisory_xact_lock(_EACH))
_TRY_EACH = select(_EACH, func.pg_try_advisory_xact_lock(_EACH).label("taken"))


def _number(thing: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\x1f".join(thing).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
