"""Proof of life on one machine: a file each worker keeps locked, which the system unlocks when the worker dies.

It tells at once, and for certain, what silence can only suggest after a while. Workers of other machines show nothing
here, and one that is stopped without being dead keeps its lock: for these there are the beats.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType

from relay.log import get_logger

log = get_logger(__name__)


class Presence:
    """A worker's locked file in ``folder``, inside the ``with`` block. The process must not fork meanwhile."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._worker = worker
        self._descriptor: int | None = None

    def __enter__(self) -> Presence:
        """Show that the worker lives; where that cannot be, the log says so."""
        try:
            self._descriptor = os.open(self._file(self._worker), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            log.warning("presence_not_shown", folder=str(self._folder), error=str(error))
            self._withdraw()  # a file without a lock would say that the worker is dead
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the file away."""
        self._withdraw()

    def is_gone(self, worker: str) -> bool:
        """Tell whether another worker of this folder has died; False also when nobody can tell."""
        file = self._file(worker)
        try:
            descriptor = os.open(file, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def forget(self, worker: str) -> None:
        """Take away the file of a worker that has died."""
        with contextlib.suppress(OSError):
            self._file(worker).unlink()

    def _withdraw(self) -> None:
        if self._descriptor is not None:
            self.forget(self._worker)
            os.close(self._descriptor)
            self._descriptor = None

    def _file(self, worker: str) -> Path:
        # The name of a host may hold what a file's name may not.
        return self._folder / f"worker-{hashlib.blake2b(worker.encode(), digest_size=8).hexdigest()}.lock"
