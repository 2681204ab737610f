"""What the simulator makes of the bytes on a connection."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from sandbox.faults import FaultSchema
from tests.support.sandbox import ACCOUNT, RunningSandbox, running_sandbox, signed

BODY = json.dumps(signed(contact={"email": "anna@example.com"})).encode()
HEAD = b"POST /api/contact/upsert HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(BODY)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def connected(running: RunningSandbox) -> socket.socket:
    address = urlsplit(running.url)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=5)


def read_to_the_end(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def answered(running: RunningSandbox, *pieces: bytes) -> bytes:
    """Send pieces on a connection of their own and give all that comes until it is closed."""
    with connected(running) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read_to_the_end(connection)


@pytest.mark.parametrize("header", [b"Connection: close\r\n", b"connection:Close\r\n"])
def test_connection_is_closed_when_the_caller_asks_for_it(running: RunningSandbox, header: bytes) -> None:
    answer = answered(running, HEAD + header + b"\r\n" + BODY)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer


def test_caller_of_the_old_protocol_gets_one_answer(running: RunningSandbox) -> None:
    assert b"HTTP/1.1 200 OK" in answered(running, HEAD.replace(b"1.1", b"1.0") + b"\r\n" + BODY)


def test_requests_that_come_together_or_in_pieces_are_told_apart(running: RunningSandbox) -> None:
    last = HEAD + b"Connection: close\r\n\r\n" + BODY
    whole = HEAD + b"\r\n" + BODY + HEAD + b"\r\n" + BODY + last
    pieces = [whole[place : place + 37] for place in range(0, len(whole), 37)]
    assert answered(running, *pieces).count(b"HTTP/1.1 200 OK") == 3


def test_caller_that_asks_first_is_told_to_go_on(running: RunningSandbox) -> None:
    with connected(running) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"HELLO\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 100 + b"\r\n", b"431 Request Header Fields Too Large"),
        (b"GET /" + b"x" * 65_536, b"431 Request Header Fields Too Large"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    running: RunningSandbox, sent: bytes, status: bytes
) -> None:
    assert answered(running, sent) == b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status


@pytest.mark.parametrize("sent", [b"", HEAD[:10], HEAD, HEAD + b"\r\n" + BODY[:-1]])
def test_caller_that_leaves_inside_its_request_has_made_none(running: RunningSandbox, sent: bytes) -> None:
    before = running.state.journal.counts()
    with connected(running) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert read_to_the_end(connection) == b""
    assert running.state.journal.counts() == before


def test_pages_are_served_beside_the_calls(running: RunningSandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=5)
    for method, path, status in (("GET", "/", 200), ("HEAD", "/", 200), ("GET", "/_sandbox/calls?x=%20", 200)):
        connection.request(method, path)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (status, method == "GET")
    connection.close()


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/contact/upsert"), ("POST", "/v3/product/catalogList")])
def test_other_methods_are_not_allowed(running: RunningSandbox, method: str, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=5)
    connection.request(method, path, "{}")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Allow"]) == (405, "GET" if method == "POST" else "POST")
    connection.close()


def test_status_without_a_name_is_sent() -> None:
    with running_sandbox() as running:
        running.state.faults.add(FaultSchema().load({"kind": "fail", "status": 599, "retry_after": 3}))
        answer = answered(running, HEAD + b"Connection: close\r\n\r\n" + BODY)
    assert answer.startswith(b"HTTP/1.1 599 Unknown\r\nRetry-After: 3\r\n")


def test_many_connections_are_served_at_once() -> None:
    with running_sandbox() as running:
        connections = [connected(running) for _ in range(40)]
        for number, connection in enumerate(connections):
            body = json.dumps(signed(contact={"email": f"p{number}@example.com"})).encode()
            connection.sendall(HEAD.replace(b"%d" % len(BODY), b"%d" % len(body)) + b"\r\n" + body)
        for connection in connections:
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        assert len(running.state.holdings[ACCOUNT.client_id].contacts) == 40
        for connection in connections:
            connection.close()


def test_calls_on_many_connections_are_carried_out_once_each() -> None:
    with running_sandbox() as running:
        connections = [http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=5) for _ in range(24)]
        barrier = threading.Barrier(len(connections))
        statuses: list[int] = []

        def call(number: int, connection: http.client.HTTPConnection) -> None:
            barrier.wait()
            for round_ in range(5):
                body = signed(contact={"email": f"p{number}-{round_}@example.com"})
                connection.request("POST", "/api/contact/upsert", json.dumps(body))
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)
            connection.close()

        threads = [threading.Thread(target=call, args=given) for given in enumerate(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 120
        assert len(running.state.holdings[ACCOUNT.client_id].contacts) == running.state.journal.total == 120
