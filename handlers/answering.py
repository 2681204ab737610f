"""One webhook on its way through gunicorn: its request, and what is written of its answer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from gunicorn.http import wsgi

from handlers.later import Awaited


class _Outbox:
    """Stands for the socket while an answer is written, so that it leaves in one piece."""

    def __init__(self) -> None:
        self.data = b""

    def sendall(self, data: bytes) -> None:
        """Keep what is to be sent."""
        self.data += data


class Answer:
    """A webhook that is being answered. ``body`` is what the application gave; ``error`` what it raised instead."""

    def __init__(self, connection: Any, request: Any, config: Any) -> None:
        """Begin with a request that gunicorn's parser has read."""
        self.connection = connection
        self.request = request
        self.body: Iterable[bytes] = ()
        self.error: Exception | None = None
        self._outbox = _Outbox()
        self._begun = time.monotonic()
        self.response, self.environ = wsgi.create(request, self._outbox, connection.client, connection.server, config)
        self.environ["wsgi.multithread"] = True

    @property
    def took(self) -> timedelta:
        """How long it has been on its way."""
        return timedelta(seconds=time.monotonic() - self._begun)

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not isinstance(self.body, Awaited) or self.body.commitment.done

    def is_kept_within(self, seconds: float) -> bool:
        """Have what it waits for written, with all that waits beside it; False when others wrote for as long."""
        return not isinstance(self.body, Awaited) or self.body.commitment.is_kept_within(seconds)

    def read(self) -> None:
        """Write down what the application answers, which may have to be waited for; raises nothing."""
        try:
            for part in self.body:
                self.response.write(part)
            self.response.close()
        except Exception as error:
            self.error = error
        finally:
            if hasattr(self.body, "close"):
                self.body.close()

    def send(self) -> bool:
        """Send what has been written; gives whether all of it went, and the client may ask for more."""
        data = self._outbox.data
        try:
            sent = self.connection.sock.send(data)
        except OSError:  # whoever asked has gone, or reads nothing
            return False
        return sent == len(data) and not self.response.should_close() and bool(self.connection.parser.finish_body())
