"""Scrubbing: what was erased must not be found in the database's files either.

PostgreSQL reclaims dead rows by itself. SQLite overwrites what is deleted (``secure_delete``), but not the copies that
stay behind in pages when rows move between them; only rewriting the file takes those away.
"""

from __future__ import annotations

from pathlib import Path

from relay.store.engine import Database

REWRITTEN_BYTES = 256 * 1024 * 1024
"""A larger file takes longer to rewrite than a shop may be kept waiting."""

_READERS_WAIT_MS = 250
_PATIENCE_S = 1.0


def scrub(database: Database, *, whole: bool = False) -> bool:
    """Rewrite the file, if it is small or ``whole`` asks for it, and empty the write-ahead log.

    False when somebody was reading, so that the log could not be emptied yet. While it runs, nobody can write.
    """
    if database.engine.dialect.name != "sqlite":
        return True
    file = Path(str(database.engine.url.database))
    with database.alone(_PATIENCE_S) as connection:
        usual_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_READERS_WAIT_MS}")
        try:
            if whole or file.stat().st_size <= REWRITTEN_BYTES:
                connection.exec_driver_sql("VACUUM")
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {usual_ms}")
    return not busy
