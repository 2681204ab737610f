"""Reading ahead in a large SQLite file: what will be looked up is brought into memory, several pages at a time.

Addresses and tokens that come together are far apart in an index. Once a file is larger than the memory, each of them
is a page on the disk, and a transaction waits for one after the other, with everybody waiting for it. The disk is
faster when it is asked for many.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from relay.chunks import in_chunks
from relay.memory import ResourceKey
from relay.store.memory import Person, by_kind
from relay.store.tables import contact_addresses, contacts, resources

_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_READERS = 8
_PATIENCE_S = 0.1  # who settles a call must not wait for all that a slice looks up
_TOGETHER = 8  # keys in a statement: few, so that all readers get some of a slice

Lookup = tuple[str, Sequence[str]]


class ReadAhead:
    """Looks things up and forgets them again. Safe for threads."""

    def __init__(self, file: Path | None, large_bytes: int | None = None) -> None:
        """Take SQLite's file, and the size from which on it is read ahead; without a file nothing ever is.

        By default that is half the memory: a smaller file stays there as a rule, and then this is work for nothing.
        """
        self._file = file
        self._large_bytes = memory_bytes() // 2 if large_bytes is None else large_bytes
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(_READERS, "ahead")
        self._asked: list[Future[None]] = []

    def begin(self, keys: Collection[ResourceKey], people: Collection[Person]) -> None:
        """Begin to touch what the store has, or would have to insert, under these keys and addresses; never raises.

        What was begun before is finished by then. One thread at a time may call it.
        """
        wait(self._asked)
        self._asked = self._begin(_lookups(keys, people))

    def contact_ids(self, ids: Collection[tuple[str, str]]) -> None:
        """Touch the places of contacts' ids, each with its group, and wait a little for it; never raises."""
        wait(self._begin((_CONTACT_ID, each) for each in ids), _PATIENCE_S)

    def close(self) -> None:
        """End the readers and close their connections."""
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()

    def _begin(self, lookups: Iterable[Lookup]) -> list[Future[None]]:
        begun: list[Future[None]] = []
        if self._is_large():
            with suppress(RuntimeError):  # no thread can be started, or the store has been closed
                begun.extend(self._readers.submit(self._look_up, each) for each in lookups)
        return begun

    def _is_large(self) -> bool:
        try:
            return self._file is not None and self._file.stat().st_size >= self._large_bytes
        except OSError:
            return False

    def _look_up(self, lookup: Lookup) -> None:
        # Whatever is wrong is met again, and told, by those who need what they read.
        with suppress(sqlite3.Error):
            self._connection().execute(*lookup).fetchall()

    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if known is None:
            known = self._own.connection = sqlite3.connect(self._file or "", check_same_thread=False)
            self._connections.append(known)
        return known


def memory_bytes() -> int:
    """Give the memory of the machine, or of the container where that has a limit."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CONTAINER.read_text()))
    except (OSError, ValueError):  # there is no container, or "max"
        return machine


def _lookups(keys: Collection[ResourceKey], people: Collection[Person]) -> Iterator[Lookup]:
    """Write the statements; they read indexes alone."""
    for named in by_kind(keys):
        words = (named["of_shop"], named["of_kind"])
        yield from _some(f"{resources.name} WHERE shop = ? AND kind = ? AND id", words, named["among"])
    addresses: defaultdict[str, list[str]] = defaultdict(list)
    for group, address in people:
        addresses[group].append(address)
    for group, mine in addresses.items():
        yield from _some(f"{contact_addresses.name} WHERE group_key = ? AND address", (group,), mine)
        yield from _some(f"{contacts.name} WHERE address IS NOT NULL AND group_key = ? AND address", (group,), mine)
        yield from _some(f"{resources.name} WHERE email IS NOT NULL AND email", (), mine)


def _some(where: str, words: Sequence[str], values: Iterable[str]) -> Iterator[Lookup]:
    for some in in_chunks(sorted(values), _TOGETHER):
        among = ", ".join("?" * len(some))
        yield f"SELECT 1 FROM {where} IN ({among})", [*words, *some]  # noqa: S608 - ours


_CONTACT_ID = f"SELECT 1 FROM {contacts.name} WHERE group_key = ? AND contact_id = ?"  # noqa: S608 - ours
