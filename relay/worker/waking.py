"""Wake-up across processes: whoever stored work rings, and every worker that can do it looks at once.

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
from relay.news import EVERYTHING, NOTHING, News
from relay.store.notifying import LOOK_AGAIN_S, Listener

RING_INTERVAL_S = 0.01
"""The least time between two rings of a process for the same news."""

_LOOK_AGAIN_HERE_S = 2 * RING_INTERVAL_S
_PREFIX, _SUFFIX = "wake-", ".sock"
_LONGEST_WORD = 10  # bytes
_LONGEST_ADDRESS = 100  # bytes; Linux takes 107, other systems 103
_OPEN_FOLDERS = Path("/proc/self/fd")  # another name for a folder whose own name is too long

log = get_logger(__name__)


class Bell:
    """Wakes the workers that listen in ``folder``. Holds nothing open, so it may be shared by forks and threads."""

    def __init__(
        self,
        folder: Path,
        elsewhere: Callable[[News], object] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the folder, and ``elsewhere``, which wakes the workers of other machines and does not raise."""
        self._folder = folder
        self._elsewhere = elsewhere
        self._monotonic = monotonic
        self._next_at: dict[News, float] = {}

    def ring(self, news: News = EVERYTHING) -> None:
        """Wake every worker that listens, and tell what for; never raises, and waits for nobody on this machine.

        Within RING_INTERVAL_S of the last ring for the same there is none: who heard that one looks again when this
        time is over.
        """
        now = self._monotonic()
        if now >= self._next_at.get(news, -math.inf):
            self._next_at[news] = now + RING_INTERVAL_S
            self._ring_here(news)
        self._elsewhere(news)

    def _ring_here(self, news: News) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            with _addressable(self._folder) as folder, os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                        self._ring_one(sender, folder / entry.name, news)

    def _ring_one(self, sender: socket.socket, address: Path, news: News) -> None:
        try:
            sender.sendto(news.text.encode(), str(address))
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
        self._look_again_at: dict[News, float] = {}

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

    def wait(self, timeout_s: float) -> News:
        """Wait for a ring, at most ``timeout_s`` seconds; gives what all rings so far told, NOTHING when none came.

        A process rings and notifies only every so often and leaves out what follows soon. So each counts a second time,
        soon after it. To have begun listening at the database counts as one too: some may have been missed.

        Connecting a listener that has no connection takes time of its own, a few seconds where no server answers.
        """
        if self._listener is not None and self._listener.connect():
            return self._heard(EVERYTHING, LOOK_AGAIN_S)
        next_look = min(self._look_again_at.values(), default=math.inf)
        left_s = min(timeout_s, max(next_look - self._monotonic(), 0))
        sources = [each for each in (self._socket, self._listener) if each is not None and each.fileno() >= 0]
        ready = select.select(sources, [], [], left_s)[0]
        rung = notified = NOTHING
        if self._socket is not None and self._socket in ready:
            rung = self._heard(_emptied(self._socket), _LOOK_AGAIN_HERE_S)
        if self._listener is not None and self._listener in ready:
            notified = self._heard(self._listener.heard(), LOOK_AGAIN_S)
        return rung | notified or self._due_again()

    def _heard(self, news: News, again_s: float) -> News:
        """Note when to look again, which an earlier note never brings forward: each look until then counts too."""
        again_at = self._monotonic() + again_s
        for each in news:
            self._look_again_at[each] = max(self._look_again_at.get(each, again_at), again_at)
        return news

    def _due_again(self) -> News:
        """Give what it is time to look for again."""
        now = self._monotonic()
        due = [each for each, at in self._look_again_at.items() if now >= at]
        for each in due:
            del self._look_again_at[each]
        return News.together(due)

    def _bind(self, listener: socket.socket) -> None:
        """Bind under another name first: a bell that meets the socket half made would take it for a dead one."""
        with _addressable(self._folder) as folder:
            draft = folder / f"{self._name}.new"
            listener.bind(str(draft))
            draft.rename(folder / (self._name + _SUFFIX))


def _emptied(bound: socket.socket) -> News:
    """Read all that waits in a socket, and give what it told."""
    told = NOTHING
    with contextlib.suppress(BlockingIOError):
        while True:
            told |= News.read(bound.recv(_LONGEST_WORD).decode(errors="replace"))
    return told


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
