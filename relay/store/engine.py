"""The open database: how connections are made, how a transaction begins, and what trouble is called."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from relay.errors import ConfigurationError, Fault, StoreUnavailable
from relay.log import get_logger
from relay.store.locking import WriteLock
from relay.store.logfile import LogFile
from relay.store.postgresql import open_engine
from relay.store.sqlite import logged_file, open_sqlite_engine

LOCK_FILE = "store.lock"
MEMORY_LOCK_FILE = "memory.lock"
POOL_SIZE = 8
POOL_OVERFLOW = 24  # a gthread worker has 16 request threads, the relay's worker fewer

INSERTS: Mapping[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The INSERT of each engine that can go on with ``on_conflict_...``, which SQLAlchemy has per engine only."""

# These mean that a statement or a value is wrong, and would be wrong again: not for the caller to wait out.
MISTAKES = (
    *(IntegrityError, ProgrammingError, DataError, NotSupportedError),
    *(sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.NotSupportedError),
)

_SQLITE_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_POSTGRESQL_DAMAGE = ("XX001", "XX002")  # data_corrupted, index_corrupted

log = get_logger(__name__)


class Database:
    """An engine whose transactions are either reading or writing, and whose troubles are all StoreUnavailable."""

    def __init__(
        self,
        engine: Engine,
        lock: WriteLock | None,
        commit_wait_s: float,
        memory_lock: WriteLock | None = None,
        logged: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        """Take the parts; SQLite's are ``logged``, its file where commits are synced apart from it, and the locks'."""
        self.engine = engine
        self.logged = logged
        self.folder = folder
        self._memory_lock = memory_lock
        self._log_file = None if logged is None else LogFile(logged)
        self._writer = engine.execution_options(writing=True)
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._bare = engine.execution_options(bare=True)
        self._lock = lock
        self.commit_wait_s = commit_wait_s

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection within a transaction that only reads."""
        with named_trouble(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, wait_s: float | None = None, *, synced: bool = True) -> Iterator[Connection]:
        """Give a connection within a transaction that is committed at the end, and rolled back on any exception.

        On SQLite it waits up to ``wait_s`` seconds (default: the store's ``commit_wait_s``) for the write lock, and
        with ``synced=False`` nobody waits for the disk: a crash of the machine, though not of a process, may lose it as
        long as nothing after it was synced. For what would be done again then, and has had no effect elsewhere.

        Raises: StoreUnavailable when nothing can be written; then nothing was, or the disk could not be synced.
        """
        with named_trouble():
            if self._lock is None:
                with self._writer.begin() as connection:
                    yield connection
            else:
                with self.locked(wait_s), self._writer.begin() as connection:
                    yield connection
                if synced:
                    self.sync()

    @contextmanager
    def appending(self, wait_s: float | None = None) -> Iterator[Connection]:
        """Give what ``writing`` gives, for one statement that changes something and any that read after it.

        On PostgreSQL each is a transaction of its own, which saves two of three round trips.
        """
        if self._lock is not None:
            with self.writing(wait_s) as connection:
                yield connection
        else:
            with named_trouble(), self._single.connect() as connection:
                yield connection

    @property
    def has_one_writer(self) -> bool:
        """Whether the whole database is locked by whoever writes, as SQLite's is."""
        return self._lock is not None

    def give_way(self) -> None:
        """Let other processes write first, as those that nobody waits for should: matters on SQLite alone."""
        if self._lock is not None:
            self._lock.gives_way = True

    @contextmanager
    def memory(self) -> Iterator[None]:
        """Let nobody else change what translation reads; on PostgreSQL each thing is locked by itself (``serialise``).

        Translating takes time that nobody else should wait for, so on SQLite this is a lock beside that of writing.
        """
        if self._memory_lock is None:
            yield
        else:
            with self._memory_lock.held(self.commit_wait_s):
                yield

    @contextmanager
    def remembering(self) -> Iterator[Connection]:
        """Give what ``writing`` gives, for changes of what translation reads."""
        with self.memory(), self.writing() as connection:
            yield connection

    @contextmanager
    def alone(self, wait_s: float) -> Iterator[Connection]:
        """Give a connection without a transaction while nobody else writes, for what works on the whole of SQLite."""
        with named_trouble(), self.locked(wait_s), self._bare.connect() as connection:
            yield connection
        self.sync()

    @contextmanager
    def locked(self, wait_s: float | None = None) -> Iterator[None]:
        """Keep everybody else from writing to SQLite's file; what is written meanwhile still has to be synced."""
        if self._lock is None:
            raise ValueError("Only SQLite is one file.")
        if self._log_file is not None:
            self._log_file.check()
        with self._lock.held(self.commit_wait_s if wait_s is None else wait_s):
            yield

    def sync(self) -> None:
        """Put on disk all that has been committed by now; raises StoreUnavailable when the disk cannot take it."""
        if self._log_file is not None:
            self._log_file.sync()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._log_file is not None:
            self._log_file.close()


def open_database(url: str, folder: Path, commit_wait_s: float) -> Database:
    """Open SQLite (``sqlite:///file``) or PostgreSQL (``postgresql+psycopg://``); the lock file goes to ``folder``.

    Raises: ConfigurationError for any other URL, StoreUnavailable when the folder cannot be made.
    """
    address = checked_url(url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The folder {folder} cannot be made: {error.strerror}.") from error
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address, folder, commit_wait_s)
    return _open_postgresql(address, commit_wait_s)


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Begin an INSERT that can go on with ``on_conflict_...``."""
    begun: sqlite.Insert | postgresql.Insert = INSERTS[connection.dialect.name](table)
    return begun


def checked_url(url: str) -> URL:
    """Give the parts of a store's URL; raises ConfigurationError for one that is none."""
    try:
        address = make_url(url)
    except ArgumentError:
        raise ConfigurationError([Fault("RELAY_DATABASE_URL", "is no database URL")]) from None
    if address.drivername == "postgresql+psycopg":
        return address
    if address.drivername == "sqlite" and address.database not in (None, "", ":memory:"):
        return address
    raise ConfigurationError(
        [Fault("RELAY_DATABASE_URL", "must begin with sqlite:/// and name a file, or with postgresql+psycopg://")]
    )


def _open_sqlite(address: URL, folder: Path, commit_wait_s: float) -> Database:
    engine = open_sqlite_engine(address, commit_wait_s, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW)
    lock, memory_lock = WriteLock(folder / LOCK_FILE), WriteLock(folder / MEMORY_LOCK_FILE)
    # Two processes that turn a new file into WAL at the same time would meet "database is locked".
    with named_trouble(), lock.held(commit_wait_s), engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        logged = logged_file(connection)
    return Database(engine, lock, commit_wait_s, memory_lock, logged, folder)


def _open_postgresql(address: URL, commit_wait_s: float) -> Database:
    engine = open_engine(address, commit_wait_s, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW)
    return Database(engine, None, commit_wait_s)


@contextmanager
def named_trouble() -> Iterator[None]:
    """Turn trouble with the database into StoreUnavailable, without the statement and its values."""
    try:
        yield
    except MISTAKES:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        words = str(cause).strip().partition("\n")[0]
        if is_damage(cause):
            log.critical("store_damaged", problem=words)
            raise StoreUnavailable(f"The store is damaged: {words}. `flask --app app prepare` tells more.") from error
        raise StoreUnavailable(f"The store cannot be used right now: {words}") from error
    except PoolTimeout as error:
        raise StoreUnavailable("All connections to the store are busy.") from error


def is_damage(error: BaseException | None) -> bool:
    """Tell whether a driver's error says that the database itself is damaged; waiting mends nothing then."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF  # the rest tells what was being read
    return primary in _SQLITE_DAMAGE or getattr(error, "sqlstate", None) in _POSTGRESQL_DAMAGE
