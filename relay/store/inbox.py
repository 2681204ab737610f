"""SQLite's inbox: a file of its own for what shops deliver, so that nobody who works on the store keeps them waiting.

SQLite has one writer at a time for each file. A shop that delivers waits for those that deliver beside it, and they
take a fraction of what a worker's transaction takes. Workers take in what has come: it is inserted into the store, that
is synced, and only then is it deleted here. What is cut off in between is done again; the store takes nothing twice.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from relay.errors import StoreUnavailable
from relay.store.arrivals import (
    STORE,
    copy_into_store,
    count_arrivals,
    create_arrivals,
    delete_arrivals,
    insert_arrivals,
    last_arrival,
    last_of_next,
)
from relay.store.engine import Database, named_trouble
from relay.store.locking import WriteLock
from relay.store.logfile import LogFile
from relay.store.receiving import Row, insert_deliveries
from relay.store.sqlite import OwnConnection, rewrite

INBOX_LOCK_FILE = "inbox.lock"
TAKING_LOCK_FILE = "taking.lock"

TAKEN_AT_ONCE = 200
"""How many go into the store with one transaction."""

LARGE_BYTES = 64 * 1024 * 1024
"""What the file may keep of the disk once it is empty again."""

_LAYOUT = 1


def inbox_file(store: Path) -> Path:
    """Give the inbox's file, which is beside the store's own."""
    return store.with_name(f"{store.name}-inbox")


class Inbox:
    """Where deliveries go: here into the store itself, so that there is nothing to take in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def appending(self, wait_s: float) -> AbstractContextManager[Any]:
        """Give a connection for ``insert`` within a transaction that is committed at the end, and on disk then.

        Raises: StoreUnavailable when nothing can be written; then nothing was, or the disk could not be synced.
        """
        return self._database.appending(wait_s)

    def insert(self, connection: Any, rows: Sequence[Row]) -> list[bool]:
        """Insert rows as ``relay.store.receiving`` writes them; tells for each whether it has come before."""
        return [receipt.repeated for receipt in insert_deliveries(connection, rows)]

    def take_in(self, most: int | None = None) -> None:
        """Insert what has come by now into the store, in its order, or about ``most`` of it.

        Who does so at the same time takes turns with it. Raises: StoreUnavailable; then the rest is still here.
        """

    def count(self) -> int:
        """Count what has not been taken in, or not been deleted here since."""
        return 0

    def check_writing(self) -> None:
        """Commit a write that changes nothing; raises StoreUnavailable when that fails."""

    def scrub(self) -> bool:
        """Take what was here out of the file too; False to try again."""
        return True

    def give_way(self) -> None:
        """Let other processes write first."""

    def close(self) -> None:
        """Close all connections."""


class FileInbox(Inbox):
    """What has been delivered and not been taken in yet. Safe for threads, and for several processes."""

    def __init__(self, database: Database, store: Path, folder: Path) -> None:
        """Take the database things are taken into, its file, and the folder for locks; makes the inbox if need be.

        Raises: StoreUnavailable when the inbox cannot be used, or was made by a newer version of the relay.
        """
        super().__init__(database)
        self._store = store
        self._file = inbox_file(store)
        self._wait_s = database.commit_wait_s
        self._log = LogFile(self._file)
        self._lock = WriteLock(folder / INBOX_LOCK_FILE)
        self._taking = WriteLock(folder / TAKING_LOCK_FILE)  # one at a time: a second one would find the same
        self._counting = threading.Lock()
        self._appends, self._takes, self._reads = (OwnConnection(self._connect) for _ in range(3))
        with self._lock.held(self._wait_s), named_trouble():
            _prepare(self._appends.open())

    @contextmanager
    def appending(self, wait_s: float) -> Iterator[sqlite3.Connection]:
        """Give a connection to the file, with the store beside it."""
        self._log.check()
        with self._lock.held(wait_s), named_trouble(), self._appends.transaction() as connection:
            yield connection
        self._log.sync()

    def insert(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> list[bool]:
        """Insert rows into the file."""
        return insert_arrivals(connection, rows)

    def take_in(self, most: int | None = None) -> None:
        """Move what has come into the store, some with each transaction."""
        self._log.check()
        taken, last = 0, None
        while most is None or taken < most:
            with self._taking.held(self._wait_s), named_trouble():
                last = last_arrival(self._takes.open()) if last is None else last
                upto = last_of_next(self._takes.open(), TAKEN_AT_ONCE, last)
                if upto is None:
                    break
                taken += self._take(upto)

    def count(self) -> int:
        """Count what the file has."""
        with self._counting, named_trouble():  # two threads must not step through one connection's statement
            return count_arrivals(self._reads.open())

    def check_writing(self) -> None:
        """Commit a write to the file."""
        with self.appending(self._wait_s) as connection:
            connection.execute(f"PRAGMA main.user_version = {_LAYOUT}")

    def scrub(self) -> bool:
        """Rewrite the file, or tell that it is too large for now.

        A large one is not rewritten, since shops would have to wait for it: it is small again once all is taken in.
        """
        self._log.check()
        if self._file.stat().st_size > LARGE_BYTES:
            return False
        with self._taking.held(self._wait_s), self._lock.held(self._wait_s), named_trouble():
            return rewrite(self._takes.open().execute)

    def give_way(self) -> None:
        """Let other processes write to the file first."""
        self._lock.gives_way = True

    def close(self) -> None:
        """Close all connections."""
        for each in (self._appends, self._takes, self._reads):
            each.close()
        self._log.close()

    def _take(self, upto: int) -> int:
        with self._database.locked(), self._takes.transaction() as connection:
            copy_into_store(connection, upto)
        self._database.sync()
        with self._lock.held(self._wait_s):
            with self._takes.transaction() as connection:
                taken = delete_arrivals(connection, upto)
            if taken < TAKEN_AT_ONCE and self._file.stat().st_size > LARGE_BYTES:
                rewrite(self._takes.open().execute)  # gives back what a backlog took of the disk
        return taken

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, self._wait_s, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA main.journal_mode = WAL")
        connection.execute(f"ATTACH ? AS {STORE}", (str(self._store),))
        for schema in ("main", STORE):
            connection.execute(f"PRAGMA {schema}.synchronous = NORMAL")
            connection.execute(f"PRAGMA {schema}.secure_delete = ON")
        return connection


def open_inbox(database: Database) -> Inbox:
    """Give the inbox: a file on SQLite, where it keeps a write-ahead log; else the store itself."""
    if database.logged is None or database.folder is None:
        return Inbox(database)
    return FileInbox(database, database.logged, database.folder)


def _prepare(connection: sqlite3.Connection) -> None:
    [[layout]] = connection.execute("PRAGMA main.user_version")
    if layout > _LAYOUT:
        raise StoreUnavailable("A newer version of the relay has changed the store's inbox. Start that version.")
    if layout < _LAYOUT:
        with connection:
            connection.execute("BEGIN")
            create_arrivals(connection)
            connection.execute(f"PRAGMA main.user_version = {_LAYOUT}")
