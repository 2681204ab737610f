"""The open database: how connections are made, how a transaction begins, and what trouble is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
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
from relay.store.locking import WriteLock

LOCK_FILE = "store.lock"
POOL_SIZE = 8
POOL_OVERFLOW = 24  # a gthread worker has 16 request threads, the relay's worker fewer

# These mean that a statement or a value is wrong, and would be wrong again: not for the caller to wait out.
MISTAKES = (IntegrityError, ProgrammingError, DataError, NotSupportedError)


class Database:
    """An engine whose transactions are either reading or writing, and whose troubles are all StoreUnavailable."""

    def __init__(self, engine: Engine, lock: WriteLock | None, commit_wait_s: float) -> None:
        self.engine = engine
        self._writer = engine.execution_options(writing=True)
        self._bare = engine.execution_options(bare=True)
        self._lock = lock
        self.commit_wait_s = commit_wait_s

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection within a transaction that only reads."""
        with _named_trouble(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, wait_s: float | None = None) -> Iterator[Connection]:
        """Give a connection within a transaction that is committed at the end, and rolled back on any exception.

        On SQLite it waits up to ``wait_s`` seconds (default: the store's ``commit_wait_s``) for the write lock.

        Raises: StoreUnavailable when nothing can be written; then nothing was.
        """
        with _named_trouble():
            if self._lock is None:
                with self._writer.begin() as connection:
                    yield connection
            else:
                limit_s = self.commit_wait_s if wait_s is None else wait_s
                with self._lock.held(limit_s), self._writer.begin() as connection:
                    yield connection

    @contextmanager
    def alone(self, wait_s: float) -> Iterator[Connection]:
        """Give a connection without a transaction while nobody else writes, for what works on the whole of SQLite."""
        if self._lock is None:
            raise ValueError("Only SQLite is one file.")
        with _named_trouble(), self._lock.held(wait_s), self._bare.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str, folder: Path, commit_wait_s: float) -> Database:
    """Open SQLite (``sqlite:///file``) or PostgreSQL (``postgresql+psycopg://``); the lock file goes to ``folder``.

    Raises: ConfigurationError for any other URL, StoreUnavailable when the folder cannot be made.
    """
    address = _checked(url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The folder {folder} cannot be made: {error.strerror}.") from error
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address, folder, commit_wait_s)
    return _open_postgresql(address, commit_wait_s)


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Begin an INSERT that can go on with ``on_conflict_...``, which SQLAlchemy has per engine only."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _checked(url: str) -> URL:
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
    engine = create_engine(
        address,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=commit_wait_s,
        connect_args={"timeout": commit_wait_s},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    lock = WriteLock(folder / LOCK_FILE)
    # Two processes that turn a new file into WAL at the same time would meet "database is locked".
    with _named_trouble(), lock.held(commit_wait_s), engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    return Database(engine, lock, commit_wait_s)


def _prepare_sqlite(driver_connection: Any, record: object) -> None:
    driver_connection.isolation_level = None  # sqlite3 must not begin transactions of its own
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        driver_connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail half-way, so a writer is one from the start.
    options = connection.get_execution_options()
    if not options.get("bare", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing", False) else "BEGIN")


def _open_postgresql(address: URL, commit_wait_s: float) -> Database:
    engine = create_engine(
        address,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=commit_wait_s,
        connect_args={"connect_timeout": max(2, round(commit_wait_s))},
    )

    @event.listens_for(engine, "connect")
    def limit_waiting(driver_connection: Any, record: object) -> None:
        with driver_connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{round(commit_wait_s * 1000)}ms'")
        driver_connection.commit()

    return Database(engine, None, commit_wait_s)


@contextmanager
def _named_trouble() -> Iterator[None]:
    """Turn trouble with the database into StoreUnavailable, without the statement and its values."""
    try:
        yield
    except MISTAKES:
        raise
    except DBAPIError as error:
        words = str(error.orig).strip().partition("\n")[0]
        raise StoreUnavailable(f"The store cannot be used right now: {words}") from error
    except PoolTimeout as error:
        raise StoreUnavailable("All connections to the store are busy.") from error
