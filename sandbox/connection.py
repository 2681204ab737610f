"""One connection to the simulator: HTTP/1.1 as far as a client of SALESmanago and a browser need it.

The standard library's handler parses a request's head as if it were an e-mail, which takes as long as the call itself.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import lru_cache
from http.client import responses
from io import BytesIO
from socketserver import StreamRequestHandler
from typing import Any
from urllib.parse import unquote

_LONGEST_LINE = 65_536
_MOST_HEADERS = 100


@lru_cache(1000)
def _header(line: bytes) -> tuple[str, str]:
    """Give a header's WSGI name and its value: nearly all are the same in every request."""
    name, _, value = line.decode("latin-1").partition(":")
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", value.strip()


class BadRequest(Exception):
    """What came is not a request that can be answered; ``status`` says why."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Connection(StreamRequestHandler):
    """Answers the requests of one connection, one after the other."""

    server: Any  # a SandboxServer, whose module imports this one
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Serve until one side closes the connection."""
        with suppress(ConnectionError):
            try:
                while self._answer(self._line()):
                    pass
            except BadRequest as bad:
                self._send(f"{bad.status} {responses[bad.status]}", [], b"", last=True)

    def _answer(self, request_line: bytes) -> bool:
        """Answer one request; tells whether another may follow."""
        environ = self._environ(request_line)
        last = environ["SERVER_PROTOCOL"] == "HTTP/1.0" or environ.get("HTTP_CONNECTION", "").lower() == "close"
        status, headers = "", list[tuple[str, str]]()

        def start_response(said: str, given: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status, headers
            status, headers = said, given

        pieces = self.server.app(environ, start_response)
        try:
            body = b"".join(pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        self._send(status, headers, body, last=last)
        return not last

    def _environ(self, request_line: bytes) -> dict[str, Any]:
        """Read one request and give it as WSGI wants it.

        The body is read whole even where the app ignores it: what it left would be taken for the next request. Raises:
        BadRequest; ConnectionResetError when the other side has gone, a part of a request is none.
        """
        try:
            method, target, protocol = request_line.decode("latin-1").split()
        except ValueError:
            raise BadRequest(400) from None
        path, _, query = target.partition("?")
        environ = self._headers()
        length = environ.get("CONTENT_LENGTH", "0")
        if "HTTP_TRANSFER_ENCODING" in environ or not length.isdecimal():
            raise BadRequest(411)
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError
        host, port = self.server.server_address
        return environ | {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": protocol,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

    def _headers(self) -> dict[str, Any]:
        headers: dict[str, Any] = {}
        for _ in range(_MOST_HEADERS):
            line = self._line()
            if not line:
                return headers
            name, value = _header(line)
            headers[name] = value
        raise BadRequest(431)

    def _line(self) -> bytes:
        """Give the next line without its end. Raises: ConnectionResetError when the other side has gone."""
        line = self.rfile.readline(_LONGEST_LINE)
        if len(line) == _LONGEST_LINE:
            raise BadRequest(431)
        if not line.endswith(b"\n"):
            raise ConnectionResetError
        return line.rstrip(b"\r\n")

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes, *, last: bool) -> None:
        """Send an answer, head and body together."""
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if not any(name.lower() == "content-length" for name, _ in headers):
            lines.append(f"Content-Length: {len(body)}")
        if last:
            lines.append("Connection: close")
        self.wfile.write("\r\n".join([*lines, "\r\n"]).encode("latin-1") + body)
