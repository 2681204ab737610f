"""Scrubbing: what was erased must not be found in the database's files either.

PostgreSQL reclaims dead rows by itself. SQLite overwrites what is deleted (``secure_delete``), but not the copies that
stay behind in pages when rows move between them; only rewriting the file takes those away.
"""

from __future__ import annotations

from pathlib import Path

from relay.store.engine import Database
from relay.store.inbox import Inbox
from relay.store.sqlite import rewrite

REWRITTEN_BYTES = 256 * 1024 * 1024
"""A larger file takes longer to rewrite than a shop may be kept waiting."""

_PATIENCE_S = 1.0


def scrub(database: Database, inbox: Inbox, *, whole: bool = False) -> bool:
    """Rewrite the file, if it is small or ``whole`` asks for it, and empty the write-ahead log.

    The inbox comes first. False when somebody was reading, so that a log could not be emptied yet, or when the inbox is
    too large for now. While it runs, nobody can write.
    """
    if database.engine.dialect.name != "sqlite":
        return True
    if not inbox.scrub():
        return False  # before the store's file is rewritten for nothing
    file = Path(str(database.engine.url.database))
    with database.alone(_PATIENCE_S) as connection:
        return rewrite(connection.exec_driver_sql, whole=whole or file.stat().st_size <= REWRITTEN_BYTES)
