"""Connections to SQLite: a write-ahead log that is synced apart from it, and transactions that write from the start."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

_READERS_WAIT_MS = 250


def open_sqlite_engine(address: URL, commit_wait_s: float, **pool: Any) -> Engine:
    """Give an engine for ``address`` that waits at most ``commit_wait_s`` seconds for what others have locked.

    ``pool`` has the sizes. Errors tell no values: they go into logs.
    """
    own = {"timeout": commit_wait_s}
    engine = create_engine(address, pool_timeout=commit_wait_s, hide_parameters=True, connect_args=own, **pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def logged_file(connection: Connection) -> Path | None:
    """Give the database's file, None when it has no write-ahead log: then SQLite syncs each commit itself."""
    if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
        return None
    # As SQLite itself calls the file, which may have been given by a link: the log is beside the file it leads to.
    return Path(connection.exec_driver_sql("PRAGMA database_list").one()[2])


def rewrite(execute: Callable[[str], Any], *, whole: bool = True) -> bool:
    """Write the main file anew, if ``whole``, and empty its log; ``execute`` runs a statement outside transactions.

    False when somebody was reading, so that the log could not be emptied yet. Nobody may write meanwhile.
    """
    [usual_ms] = execute("PRAGMA busy_timeout").fetchone()
    execute(f"PRAGMA busy_timeout = {_READERS_WAIT_MS}")
    try:
        if whole:
            execute("VACUUM main")
        busy, *_ = execute("PRAGMA main.wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        execute(f"PRAGMA busy_timeout = {usual_ms}")
    return not busy


class OwnConnection:
    """A connection of the driver's own, for what is done so often that SQLAlchemy's share of it would count.

    Whoever writes with it sees to it that nobody else does. Trouble is not named here (``named_trouble``).
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def open(self) -> sqlite3.Connection:
        """Give the connection, made when it is first asked for."""
        with self._guard:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give it within a transaction that is committed at the end, and rolled back on any exception."""
        connection = self.open()
        connection.execute("BEGIN")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # some troubles end it themselves
                connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close it; it is made anew when it is asked for again."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _prepare(driver_connection: Any, record: object) -> None:
    driver_connection.isolation_level = None  # sqlite3 must not begin transactions of its own
    [[mode]] = driver_connection.execute("PRAGMA journal_mode = WAL")  # which not every file system lets it have
    synced = "NORMAL" if mode == "wal" else "FULL"
    for pragma in (f"synchronous = {synced}", "foreign_keys = ON", "secure_delete = ON"):
        driver_connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail half-way, so a writer is one from the start.
    options = connection.get_execution_options()
    if not options.get("bare", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing", False) else "BEGIN")
