"""The transport over real sockets: what each failure tells about whether anything was sent."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
import responses
from pytest_httpserver import HTTPServer
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout
from werkzeug import Request, Response

from relay import jsontext
from relay.errors import AnswerLost, DispatchError, SettingsRefused, Unreachable
from relay.salesmanago.transport import Transport


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(connect_timeout_s=1, read_timeout_s=0.3, pool_size=4, user_agent="relay-test/1")
    yield made
    made.close()


def drain(connection: socket.socket) -> None:
    """Read a whole request, so that closing the connection is orderly."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection on loopback with ``behave``; gives the endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)
        assert not thread.is_alive()


def hang_until_the_caller_leaves(connection: socket.socket) -> None:
    drain(connection)
    assert connection.recv(1) == b""


def close_after_reading(connection: socket.socket) -> None:
    drain(connection)


def reset_after_reading(connection: socket.socket) -> None:
    drain(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def break_off_inside_the_answer(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"success": tr')


def stall_inside_the_answer(connection: socket.socket) -> None:
    drain(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    assert connection.recv(1) == b""


@pytest.mark.parametrize(
    "behave",
    [
        hang_until_the_caller_leaves,
        close_after_reading,
        reset_after_reading,
        break_off_inside_the_answer,
        stall_inside_the_answer,
    ],
)
def test_answer_that_never_comes_whole_is_lost(transport: Transport, behave: Callable[[socket.socket], None]) -> None:
    with server(behave) as endpoint, pytest.raises(AnswerLost):
        transport.post(endpoint, "/api", {}, {"a": 1})


def test_closed_port_is_unreachable(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match=rf"^No connection to 127\.0\.0\.1:{port}: ConnectionRefusedError"):
        transport.post(f"http://127.0.0.1:{port}", "/api", {}, {})


def test_unknown_host_is_unreachable(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable, match="nowhere.example"):
        transport.post("http://nowhere.example", "/api", {}, {})


def test_failed_tls_handshake_is_unreachable(transport: Transport) -> None:
    def answer_in_plain_http(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with server(answer_in_plain_http) as endpoint, pytest.raises(Unreachable, match="SSLError"):
        transport.post(endpoint.replace("http:", "https:"), "/api", {}, {})


def test_connection_that_ends_inside_tls_may_have_been_used(transport: Transport) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)

    with server(hang_up) as endpoint, pytest.raises(AnswerLost):
        transport.post(endpoint.replace("http:", "https:"), "/api", {}, {})


@pytest.mark.parametrize(
    ("raised", "expected"), [(ConnectTimeout("slow"), Unreachable), (RequestsConnectionError("odd"), AnswerLost)]
)
def test_failures_that_loopback_cannot_make(
    transport: Transport, raised: Exception, expected: type[DispatchError]
) -> None:
    with responses.RequestsMock() as mock, pytest.raises(expected):
        mock.post("https://app9.salesmanago.example/api", body=raised)
        transport.post("https://app9.salesmanago.example", "/api", {}, {})


@pytest.mark.parametrize("endpoint", ["app9.salesmanago.example", "ftp://app9.salesmanago.example", "https://"])
def test_endpoint_that_is_no_web_address_is_a_matter_of_settings(transport: Transport, endpoint: str) -> None:
    with pytest.raises(SettingsRefused, match="not a web address"):
        transport.post(endpoint, "/api", {}, {})


def test_messages_name_the_host_and_nothing_of_the_request(transport: Transport) -> None:
    with server(close_after_reading) as endpoint, pytest.raises(AnswerLost) as caught:
        transport.post(endpoint, "/api", {"API-KEY": "secret"}, {"email": "anna@example.com"})
    assert "secret" not in str(caught.value)
    assert "anna" not in str(caught.value)


def test_body_is_utf8_json_with_every_digit(transport: Transport, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api").respond_with_data("{}")
    transport.post(
        httpserver.url_for("/"), "/api", {"X-Test": "1"}, {"value": Decimal("19999999999999999.10"), "name": "Żółw"}
    )
    request, _ = httpserver.log[0]
    assert request.get_data() == '{"value":19999999999999999.10,"name":"Żółw"}'.encode()
    assert (request.headers["User-Agent"], request.headers["X-Test"]) == ("relay-test/1", "1")


def test_redirect_is_an_answer_and_is_not_followed(transport: Transport, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api").respond_with_data(status=307, headers={"Location": httpserver.url_for("/other")})
    reply = transport.post(httpserver.url_for(""), "/api", {}, {"apiSecret": "s"})
    assert (reply.status, reply.headers["location"]) == (307, httpserver.url_for("/other"))
    assert [request.path for request, _ in httpserver.log] == ["/api"]


def test_failing_call_is_made_once(transport: Transport, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api").respond_with_data("later", status=503)
    assert transport.post(httpserver.url_for(""), "/api", {}, {}).status == 503
    assert len(httpserver.log) == 1


def test_connection_is_kept_for_the_next_call_and_cookies_are_not(transport: Transport, httpserver: HTTPServer) -> None:
    seen = []

    def answer(request: Request) -> Response:
        seen.append((request.environ["REMOTE_PORT"], request.headers.get("Cookie")))
        return Response("{}", headers={"Set-Cookie": "session=1"})

    httpserver.expect_request("/api").respond_with_handler(answer)
    transport.get(httpserver.url_for(""), "/api", {})
    reply = transport.get(httpserver.url_for(""), "/api", {})
    assert jsontext.loads(reply.body) == {}
    assert [cookie for _, cookie in seen] == [None, None]
