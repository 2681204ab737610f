"""Wake-up across processes: whoever stored work rings, and every worker of this machine looks at once.

Each worker binds a datagram socket of its own in ``RELAY_DATA``. No ring has to be heard: workers poll as well.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from relay.log import get_logger

_PREFIX, _SUFFIX = "wake-", ".sock"
_LONGEST_ADDRESS = 100  # bytes; Linux takes 107, other systems 103
_OPEN_FOLDERS = Path("/proc/self/fd")  # another name for a folder whose own name is too long

log = get_logger(__name__)


class Bell:
    """Wakes the workers that listen in ``folder``. Holds nothing open, so it may be shared by forks and threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ring(self) -> None:
        """Wake every worker that listens; never waits and never raises."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            with _addressable(self._folder) as folder, os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                        self._ring_one(sender, folder / entry.name)

    def _ring_one(self, sender: socket.socket, address: Path) -> None:
        try:
            sender.sendto(b"", str(address))
        except OSError as error:
            # Nobody has the socket open any more. Names are used once and appear only when somebody listens, so it
            # cannot be another worker's. Any other trouble, such as a full queue, is left alone.
            if error.errno == errno.ECONNREFUSED and address.is_socket():
                with contextlib.suppress(OSError):
                    address.unlink()


class Ear:
    """A worker's own socket in ``folder``, open inside the ``with`` block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"{_PREFIX}{os.getpid()}-{uuid4().hex[:8]}"
        self._socket: socket.socket | None = None

    def __enter__(self) -> Ear:
        """Begin to listen; where that cannot be, the log says so and ``wait`` only waits."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            listener.setblocking(False)
            self._bind(listener)
        except OSError as error:
            listener.close()
            log.warning("wake_up_unavailable", folder=str(self._folder), error=str(error))
        else:
            self._socket = listener
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            with contextlib.suppress(OSError):
                (self._folder / (self._name + _SUFFIX)).unlink()

    def wait(self, timeout_s: float) -> bool:
        """Wait for a ring, at most ``timeout_s`` seconds; tells whether one came. Rings so far count as one."""
        if self._socket is None:
            time.sleep(timeout_s)
            return False
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1)
        return True

    def _bind(self, listener: socket.socket) -> None:
        """Bind under another name first: a bell that meets the socket half made would take it for a dead one."""
        with _addressable(self._folder) as folder:
            draft = folder / f"{self._name}.new"
            listener.bind(str(draft))
            draft.rename(folder / (self._name + _SUFFIX))


@contextmanager
def _addressable(folder: Path) -> Iterator[Path]:
    """Give a path of the folder that is short enough for a socket's address; raises OSError where there is none."""
    room = _LONGEST_ADDRESS - len(f"/{_PREFIX}1234567890-12345678{_SUFFIX}")
    if len(os.fsencode(folder)) <= room:
        yield folder
        return
    if not _OPEN_FOLDERS.is_dir():
        raise OSError(errno.ENAMETOOLONG, "The folder's path is too long for a socket", str(folder))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _OPEN_FOLDERS / str(descriptor)
    finally:
        os.close(descriptor)
