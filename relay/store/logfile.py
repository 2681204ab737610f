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
        self._path = database.with_name(f"{database.name}-wal")
        self._guard = threading.Lock()
        self._descriptors: list[int] = []  # the last one is the log's, the others those of logs before it
        self._trouble: str | None = None

    def sync(self) -> None:
        """Put on disk all that has been committed by now.

        A log that is not there has been moved into the database, and synced, by the last one who closed it.

        Raises: StoreUnavailable when the disk fails, and from then on always: by the next sync the system has forgotten
        what it did not write, and would call it written.
        """
        if self._trouble is None:
            try:
                descriptor = self._descriptor()
                if descriptor is not None:
                    os.fdatasync(descriptor)
            except OSError as error:
                self._trouble = error.strerror or type(error).__name__
                log.critical("store_not_synced", problem=self._trouble)
        if self._trouble is not None:
            raise StoreUnavailable(_LOST.format(self._trouble))

    def close(self) -> None:
        """Close the file; the next sync opens it again."""
        with self._guard:
            while self._descriptors:
                os.close(self._descriptors.pop())

    def _descriptor(self) -> int | None:
        """Give the open log. It stays open: only a file that was open when a write failed tells of it."""
        with self._guard:
            try:
                present = self._path.stat()
                if not self._descriptors or not os.path.samestat(os.fstat(self._descriptors[-1]), present):
                    self._descriptors.append(os.open(self._path, os.O_RDWR | os.O_CLOEXEC))
            except FileNotFoundError:
                return None
            return self._descriptors[-1]
