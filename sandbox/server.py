"""An HTTP/1.1 server for the simulator: a thread per connection, keep-alive, and an end that leaves nothing behind.

werkzeug's own server closes every connection and waits 10 ms after each answer, which no pooled client would notice in
production and every measurement would.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from flask import Flask

from sandbox.app import state_of
from sandbox.connection import Connection

_POLL_S = 0.05


class SandboxServer(ThreadingMixIn, TCPServer):
    """Serves one simulator app. Use ``start`` and ``stop``, or ``serve_forever`` in a thread of your own."""

    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, app: Flask, host: str = "127.0.0.1", port: int = 0) -> None:
        self._connections: set[socket.socket] = set()
        self._state = state_of(app)
        self._thread: threading.Thread | None = None
        super().__init__((host, port), Connection)
        self.app = app

    @property
    def url(self) -> str:
        """The address it listens at, with the port that was chosen when none was given."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL_S,), name="sandbox")
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close, see ``server_close``."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Let go of calls that are held back, close every connection, wait for their threads, keep the state."""
        self._state.release()
        for connection in list(self._connections):
            with suppress(OSError):  # It may have ended a moment ago.
                connection.shutdown(socket.SHUT_RD)
        super().server_close()
        self._state.close()


def serve(
    app: Flask, host: str = "127.0.0.1", port: int = 8070, announce: Callable[[str], object] = lambda url: None
) -> None:
    """Serve until SIGINT or SIGTERM. ``announce`` is given the address as soon as calls are taken."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = SandboxServer(app, host, port)
    try:
        with suppress(KeyboardInterrupt):
            announce(server.url)
            server.serve_forever(_POLL_S)
    finally:
        server.server_close()
