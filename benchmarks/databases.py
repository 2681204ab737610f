"""Databases of a benchmark's own: made, measured and dropped; SQLite in the run's folder, PostgreSQL on a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from relay.store.inbox import inbox_file


@contextmanager
def database(server: str | None, folder: Path) -> Iterator[str]:
    """Give the URL of a new database: on the PostgreSQL server, or an SQLite file in ``folder`` where there is none."""
    if server is None:
        folder.mkdir(parents=True, exist_ok=True)
        yield f"sqlite:///{folder / 'relay.sqlite3'}"
        return
    name = f"bench_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def is_sqlite(url: str) -> bool:
    """Tell which engine it is."""
    return url.startswith("sqlite:")


def name_of(url: str) -> str:
    """Give the name by which PostgreSQL's processes tell which database they work for."""
    return url.rpartition("/")[2]


def engine_of(url: str | None) -> str:
    """Name the engine, and its version where it is a server."""
    if url is None or is_sqlite(url):
        return f"SQLite {sqlite3.sqlite_version}"
    with psycopg.connect(url) as connection:
        version = connection.info.server_version
    return f"PostgreSQL {version // 10_000}.{version % 10_000}"


def rows(url: str, statement: str) -> list[Sequence[Any]]:
    """Run one query."""
    if is_sqlite(url):
        with closing(sqlite3.connect(_file(url), timeout=60)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(url) as server:
        return list(server.execute(statement.encode()).fetchall())


def settle(url: str) -> None:
    """Bring what the engine still has to write into its files, so that sizes are true."""
    if is_sqlite(url):
        for file in _files(url):
            with closing(sqlite3.connect(file, timeout=60)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("VACUUM ANALYZE")
            server.execute("CHECKPOINT")


def size(url: str) -> int:
    """Give the bytes on disk, without the log of changes that is written anew again and again."""
    if is_sqlite(url):
        return sum(file.stat().st_size for file in _files(url))
    return int(rows(url, "SELECT pg_database_size(current_database())")[0][0])


def _files(url: str) -> list[Path]:
    store = Path(_file(url))
    return [file for file in (store, inbox_file(store)) if file.exists()]


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")
