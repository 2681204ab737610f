"""Wake-up across processes: whoever stored work rings, and every worker looks at once.

Each worker binds a datagram socket of its own in ``RELAY_DATA``; on PostgreSQL it also listens at the database, where
those of other machines are heard. No ring has to be heard: workers poll as well.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from relay.log import get_logger
from relay.store.notifying import LOOK_AGAIN_S, Listener

RING_INTERVAL_S = 0.01
"""The least time between two rings of a process."""

_LOOK_AGAIN_HERE_S = 2 * RING_INTERVAL_S
_PREFIX, _SUFFIX = "wake-", ".sock"
_LONGEST_ADDRESS = 100  # bytes; Linux takes 107, other systems 103
_OPEN_FOLDERS = Path("/proc/self/fd")  # another name for a folder whose own name is too long

log = get_logger(__name__)


class Bell:
    """Wakes the workers that listen in ``folder``. Holds nothing open, so it may be shared by forks and threads."""

    def __init__(
        self,
        folder: Path,
        elsewhere: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the folder, and ``elsewhere``, which wakes the workers of other machines and does not raise."""
        self._folder = folder
        self._elsewhere = elsewhere
        self._monotonic = monotonic
        self._next_at = -math.inf

    def ring(self) -> None:
        """Wake every worker that listens; never raises, and waits for nobody on this machine.

        Within RING_INTERVAL_S of the last ring there is none: who heard that one looks again when this time is over.
        """
        now = self._monotonic()
        if now >= self._next_at:
            self._next_at = now + RING_INTERVAL_S
            self._ring_here()
        self._elsewhere()

    def _ring_here(self) -> None:
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
    """A worker's own socket in ``folder``, open inside the ``with`` block; and a ``listener``, closed at its end."""

    def __init__(
        self, folder: Path, listener: Listener | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._name = f"{_PREFIX}{os.getpid()}-{uuid4().hex[:8]}"
        self._socket: socket.socket | None = None
        self._listener = listener
        self._monotonic = monotonic
        self._look_again_at = math.inf

    def __enter__(self) -> Ear:
        """Begin to listen; where that cannot be, the log says so and ``wait`` only waits."""
        own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            own.setblocking(False)
            self._bind(own)
        except OSError as error:
            own.close()
            log.warning("wake_up_unavailable", folder=str(self._folder), error=str(error))
        else:
            self._socket = own
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            with contextlib.suppress(OSError):
                (self._folder / (self._name + _SUFFIX)).unlink()

    def wait(self, timeout_s: float) -> bool:
        """Wait for a ring, at most ``timeout_s`` seconds; tells whether one came. Rings so far count as one.

        A process rings and notifies only every so often and leaves out what follows soon. So each counts a second time,
        soon after it. To have begun listening at the database counts as one too: some may have been missed.

        Connecting a listener that has no connection takes time of its own, a few seconds where no server answers.
        """
        if self._listener is not None and self._listener.connect():
            return self._heard(LOOK_AGAIN_S)
        left_s = min(timeout_s, max(self._look_again_at - self._monotonic(), 0))
        sources = [each for each in (self._socket, self._listener) if each is not None and each.fileno() >= 0]
        ready = select.select(sources, [], [], left_s)[0]
        rung = self._socket is not None and self._socket in ready and _emptied(self._socket)
        if self._listener in ready and self._listener.heard():
            return self._heard(LOOK_AGAIN_S)
        if rung:
            return self._heard(_LOOK_AGAIN_HERE_S)
        if self._monotonic() >= self._look_again_at:
            self._look_again_at = math.inf
            return True
        return False

    def _heard(self, again_s: float) -> bool:
        """Note when to look again, which an earlier note never brings forward: each look until then counts too."""
        again_at = self._monotonic() + again_s
        self._look_again_at = again_at if math.isinf(self._look_again_at) else max(self._look_again_at, again_at)
        return True

    def _bind(self, listener: socket.socket) -> None:
        """Bind under another name first: a bell that meets the socket half made would take it for a dead one."""
        with _addressable(self._folder) as folder:
            draft = folder / f"{self._name}.new"
            listener.bind(str(draft))
            draft.rename(folder / (self._name + _SUFFIX))


def _emptied(bound: socket.socket) -> bool:
    """Read all that waits in a socket, and say that there was something."""
    with contextlib.suppress(BlockingIOError):
        while True:
            bound.recv(1)
    return True


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
