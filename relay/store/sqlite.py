"""Connections to SQLite: a write-ahead log that is synced apart from it, and transactions that write from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from relay.store.logfile import LogFile


def open_sqlite_engine(address: URL, commit_wait_s: float, **pool: Any) -> Engine:
    """Give an engine for ``address`` that waits at most ``commit_wait_s`` seconds for what others have locked.

    ``pool`` has the sizes. Errors tell no values: they go into logs.
    """
    own = {"timeout": commit_wait_s}
    engine = create_engine(address, pool_timeout=commit_wait_s, hide_parameters=True, connect_args=own, **pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def log_of(connection: Connection) -> LogFile | None:
    """Give the log of the database, None when it has none: then SQLite syncs each commit itself."""
    if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
        return None
    # As SQLite itself calls the file, which may have been given by a link: the log is beside the file it leads to.
    return LogFile(Path(connection.exec_driver_sql("PRAGMA database_list").one()[2]))


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
