"""What is looked at before the relay starts: whether SQLite's file is whole, and whether PostgreSQL keeps its word.

It works without opening the store, which would already write to a damaged file.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL

from relay.errors import StoreUnavailable
from relay.log import get_logger
from relay.store.engine import checked_url, is_damage, named_trouble
from relay.store.inbox import inbox_file

BUDGET_S = 10.0
"""How long a start may be held up by reading the file: some gigabytes, once they are in the machine's memory."""

_RISKS = {
    "fsync": "a crash of the machine can destroy the database",
    "full_page_writes": "a crash of the machine can leave pages half written, unless the file system rules that out",
}
"""PostgreSQL's settings that have to be on, and what is at stake; the relay's own sessions see to the commits."""

_WAL_RESET_MENDED = (3, 51, 3)

log = get_logger(__name__)


def check_store(url: str, budget_s: float = BUDGET_S) -> None:
    """Check the database at ``url``, as far as ``budget_s`` seconds allow; changes nothing in it.

    What can be lived with goes to the log. Raises: ConfigurationError for a URL that is none; StoreUnavailable when the
    database is damaged, with what to do about it, or cannot be reached.
    """
    address = checked_url(url)
    if address.get_backend_name() == "sqlite":
        file = Path(str(address.database)).resolve()
        for each in (file, inbox_file(file)):
            _check_file(each, budget_s)
    else:
        _check_server(address)


def _check_file(file: Path, budget_s: float) -> None:
    if sqlite3.sqlite_version_info < _WAL_RESET_MENDED:
        log.debug("sqlite_wal_reset_bug", version=sqlite3.sqlite_version, kept_away_by="the lock file of writers")
    if not file.is_file() or not file.stat().st_size:
        return
    try:
        found = _read_through(file, budget_s)
    except sqlite3.Error as error:
        if not is_damage(error):
            log.warning("store_not_checked", file=str(file), problem=str(error))
            return
        found = str(error)
    if found is not None:
        raise StoreUnavailable(_damaged(file, found))


def _read_through(file: Path, budget_s: float) -> str | None:
    """Give what is wrong with a file, None when nothing is, or when the time did not suffice to find it."""
    # Read-only: the last connection to close would else write the log's pages into the file.
    address = f"file:{quote(str(file.resolve()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
        interrupted = threading.Timer(budget_s, connection.interrupt)
        interrupted.start()
        try:
            [[first]] = connection.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            log.warning("store_check_cut_short", file=str(file), seconds=budget_s)
            return None
        finally:
            interrupted.cancel()
            interrupted.join()
    return None if first == "ok" else " ".join(str(first).split())


def _damaged(file: Path, found: str) -> str:
    return (
        f"The store's file {file} is damaged ({found}), so the relay does not start on it, and has not changed it. "
        f"Copy it together with {file.name}-wal where there is one. Then put the newest backup in its place, or save "
        f"what can still be read: sqlite3 {file} .recover | sqlite3 mended.db, and put that in its place."
    )


def _check_server(address: URL) -> None:
    engine = create_engine(address, poolclass=NullPool)
    names = ", ".join(f"'{name}'" for name in _RISKS)
    off = text(f"SELECT name FROM pg_settings WHERE name IN ({names}) AND setting = 'off' ORDER BY name")  # noqa: S608 - ours
    with named_trouble(), engine.connect() as connection:
        for name in connection.scalars(off):
            log.warning("postgresql_setting_risks_loss", setting=f"{name} = off", risk=_RISKS[name])
