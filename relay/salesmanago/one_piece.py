"""Connections that send a request's head together with its body.

urllib3 sends them one after the other: two packets, two records of TLS, and a server that is woken twice.
"""

from __future__ import annotations

from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection


def in_one_piece(pool: Any) -> Any:
    """Let a pool make such connections, unless it has a kind of its own, as that of a SOCKS proxy has."""
    pool.ConnectionCls = _KINDS.get(pool.ConnectionCls, pool.ConnectionCls)
    return pool


class _OnePiece(HTTPConnection):
    """Keeps what it is to send first, the head, until the body comes."""

    _keeps = False
    _kept = b""

    def request(self, method: str, url: str, body: Any = None, *given: Any, **named: Any) -> None:
        """Send a request."""
        self._keeps, self._kept = isinstance(body, bytes) and bool(body), b""
        super().request(method, url, body, *given, **named)

    def send(self, data: Any) -> None:
        """Send some bytes."""
        if self._keeps:
            self._keeps, self._kept = False, data
            return
        kept, self._kept = self._kept, b""
        super().send(kept + data if kept else data)


class _OnePieceTls(_OnePiece, HTTPSConnection):
    """The same over TLS."""


_KINDS: dict[Any, Any] = {HTTPConnection: _OnePiece, HTTPSConnection: _OnePieceTls}
