"""SQLite's write-ahead log as a file, synced once the write lock is given back: nobody waits for another's sync.

SQLite itself would sync each commit before it lets the next writer begin, so that one sync after the other would be the
most that all processes together can do. With ``synchronous = NORMAL`` it writes the same log in the same order, and
leaves the sync to whoever needs it. It is one file: a sync is one of all that has been committed, by whomever. What a
checkpoint has moved into the database meanwhile it has synced itself, log and database, before the log begins anew.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from relay.errors import StoreUnavailable
from relay.log import get_logger

_LOST = (
    "The disk could not write what was given to it ({}). Mend it, then restart the relay: until then nothing is taken."
)

log = get_logger(__name__)


class LogFile:
    """The log of one database. Safe for threads."""

    def __init__(self, database: Path) -> None:
        """Take the database's file by its real path: SQLite keeps the log beside that."""
        self._path = database.with_name(f"{database.name}-wal")
        self._guard = threading.Lock()
        self._descriptors: list[int] = []  # the last one is the log's, the others those of logs before it
        self._trouble: str | None = None

    def check(self) -> None:
        """Raise StoreUnavailable once a sync has failed.

        Then nothing is to be written any more: by the next sync the system has forgotten what it did not write, and
        would call it written.
        """
        if self._trouble is not None:
            raise StoreUnavailable(_LOST.format(self._trouble))

    def sync(self) -> None:
        """Put on disk all that has been committed by now; raises StoreUnavailable where that fails, see ``check``."""
        try:
            descriptor = self._opened()
        except OSError as error:
            raise StoreUnavailable(f"The store's log cannot be opened: {error.strerror}.") from error
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            self._trouble = error.strerror or type(error).__name__
            log.critical("store_not_synced", problem=self._trouble)
        finally:
            os.close(descriptor)
        self.check()

    def close(self) -> None:
        """Close the file; the next sync opens it again."""
        with self._guard:
            while self._descriptors:
                os.close(self._descriptors.pop())

    def _opened(self) -> int:
        """Give a descriptor of the caller's own. One stays open: only that tells of what failed to be written since."""
        with self._guard:
            present = self._path.stat()
            if not self._descriptors or not os.path.samestat(os.fstat(self._descriptors[-1]), present):
                self._descriptors.append(os.open(self._path, os.O_RDWR | os.O_CLOEXEC))
            return os.dup(self._descriptors[-1])
