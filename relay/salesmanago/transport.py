"""One HTTP call: pooled connections, timeouts, and what each failure tells about whether the call was taken.

Nothing is repeated here and no redirect is followed: repeats are rows in the store, and a v2 body carries credentials
that another host must not see.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, MaxRetryError

from relay import jsontext
from relay.errors import AnswerLost, DispatchError, SettingsRefused, Unreachable
from relay.salesmanago.connections import HostConnections

_BAD_ADDRESS = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; header names are found whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends JSON and gives the reply. Safe for threads; keeps one pool of connections per endpoint host."""

    def __init__(self, *, connect_timeout_s: float, read_timeout_s: float, pool_size: int, user_agent: str) -> None:
        self._timeout = (connect_timeout_s, read_timeout_s)
        self._pool_size = pool_size
        self._user_agent = user_agent
        self._hosts: dict[str, HostConnections] = {}
        self._lock = Lock()

    def get(self, endpoint: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Make a GET call; raises as ``post`` does."""
        return self._call("GET", endpoint, path, headers, None)

    def post(self, endpoint: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Reply:
        """Send ``body`` as JSON in UTF-8, Decimals digit for digit.

        Raises: Unreachable when nothing was sent, AnswerLost when it was but no whole answer came, SettingsRefused when
        the endpoint is no web address. Any status counts as an answer.
        """
        return self._call("POST", endpoint, path, headers, jsontext.dumps(body).encode())

    def close(self) -> None:
        """Close every pooled connection."""
        with self._lock:
            for host in self._hosts.values():
                host.close()
            self._hosts.clear()

    def _call(self, method: str, endpoint: str, path: str, headers: Mapping[str, str], data: bytes | None) -> Reply:
        try:
            response = self._host(endpoint).send(method, path, headers, data)
        except (requests.RequestException, HTTPError) as error:
            raise _failure(error, endpoint) from error
        try:
            return Reply(response.status, response.headers, response.read(decode_content=True))
        except HTTPError as error:
            raise AnswerLost("The answer broke off.", status=response.status) from error
        finally:
            response.close()  # by now its connection is back in the pool, unless something went wrong

    def _host(self, endpoint: str) -> HostConnections:
        with self._lock:
            host = self._hosts.get(endpoint)
            if host is None:
                host = HostConnections(endpoint, self._pool_size, self._user_agent, *self._timeout)
                self._hosts[endpoint] = host
            return host


def _failure(error: Exception, endpoint: str) -> DispatchError:
    """Tell what a failed request means: was anything sent, or can nobody know?"""
    host = urlsplit(endpoint).netloc
    if isinstance(error, _BAD_ADDRESS):
        return SettingsRefused("The endpoint is not a web address; mend it in the configuration.")
    if isinstance(error, requests.ReadTimeout):
        return AnswerLost(f"{host} did not answer in time.")
    if _was_connecting(error):
        return Unreachable(f"No connection to {host}: {_reason(error)}.")
    return AnswerLost(f"The connection to {host} ended before the answer came.")


def _was_connecting(error: Exception) -> bool:
    """Tell whether the connection was still being made (name, TCP, proxy, TLS), so that nothing can have been sent."""
    if any(isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError) for cause in _causes(error)):
        return False  # The other side hung up, which may as well have been after the handshake.
    return isinstance(error, requests.ConnectTimeout) or any(
        isinstance(cause, MaxRetryError) for cause in _causes(error)
    )


def _reason(error: Exception) -> str:
    """Give the innermost cause's class and, for certificates, its words; other words may hold addresses and paths."""
    innermost = list(_causes(error))[-1]
    if isinstance(innermost, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({innermost.verify_message})"
    return type(innermost).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give the error and what it wraps, outermost first; the libraries wrap in arguments as well as in ``reason``."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        candidates = (getattr(inner, "reason", None), *inner.args, inner.__cause__)
        inner = next((item for item in candidates if isinstance(item, BaseException)), None)
