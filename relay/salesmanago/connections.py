"""The connections to one endpoint, and what is the same for all of its calls: how it is reached, and each call's head.

A session of ``requests`` works all this out anew for every call, from the environment up to the netrc file, which costs
more than the call itself. Here it is worked out once; what goes over the wire is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, Timeout

from relay.salesmanago.one_piece import in_one_piece


class HostConnections:
    """Sends requests to one endpoint over pooled connections. Safe for threads.

    Proxies and certificates come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE`` and so
    on) as it is when this is made. No cookie is kept: it would be shared state of threads and of groups of one host.
    """

    def __init__(self, endpoint: str, pool_size: int, user_agent: str, connect_s: float, read_s: float) -> None:
        """Take how long to wait for a connection and for each piece of an answer, in seconds.

        Raises: RequestException when the endpoint is no web address.
        """
        self._endpoint = endpoint.rstrip("/")
        # Some hosts refuse a library's own name.
        self._headers = {**requests.utils.default_headers(), "User-Agent": user_agent}
        self._heads: dict[tuple[Any, ...], requests.PreparedRequest] = {}
        self._head("POST", "/", {})
        with requests.Session() as session:
            found = session.merge_environment_settings(self._endpoint, {}, True, None, None)
        self._given: Any = {"proxies": found["proxies"], "verify": found["verify"] or True}
        self._given["timeout"] = Timeout(connect=connect_s, read=read_s)
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> BaseHTTPResponse:
        """Make one call and give the answer's head; its body is still to be read.

        Raises: RequestException, HTTPError.
        """
        head = self._head(method, path, headers)
        request = requests.PreparedRequest()
        request.method, request.url, request.headers = head.method, head.url, head.headers
        if body is not None:
            request.body = body
            request.headers = cast(Any, {**head.headers, "Content-Length": str(len(body))})
        # Streamed, so that a failure before the answer and one inside it can be told apart.
        return cast(BaseHTTPResponse, self._adapter.send(request, stream=True, **self._given))

    def close(self) -> None:
        """Close every pooled connection."""
        self._adapter.close()

    def _head(self, method: str, path: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
        """Give the prepared URL and headers of a call; there are as many as the client has paths, times its keys."""
        key = (method, path, *headers.items())
        head = self._heads.get(key)
        if head is None:
            head = requests.Request(method, self._endpoint + path, headers=self._headers).prepare()
            head.headers.update(headers)
            head.headers = cast(Any, dict(head.headers))  # one that knows no cases is copied in no time
            self._heads[key] = head
        return head


class _Adapter(HTTPAdapter):
    """The adapter of one endpoint: its pool is chosen, and the certificates are looked at, with the first call."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pool: Any = None
        self._verified: Any = None
        self._urls: dict[str | None, str] = {}

    def get_connection_with_tls_context(self, *given: Any, **named: Any) -> Any:
        """Give the pool."""
        if self._pool is None:
            self._pool = in_one_piece(super().get_connection_with_tls_context(*given, **named))
        return self._pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Set the pool's certificates up, once."""
        if self._verified is not conn:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
            self._verified = conn

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Give what the request's first line names; the proxies are always the same."""
        target = self._urls.get(request.url)
        if target is None:
            target = self._urls[request.url] = super().request_url(request, proxies)
        return target

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> Any:
        """Give the pool's own answer: all that is read is in it; ``requests`` would look for cookies and much else."""
        return resp
