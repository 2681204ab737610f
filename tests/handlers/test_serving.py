"""How a web process takes requests: a real gunicorn on loopback, spoken to byte by byte."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from gunicorn.config import Config

from handlers.evenly import Shares
from handlers.serving import Worker
from relay import jsontext
from relay.platforms import Sending
from relay.store.locking import WriteLock
from tests.support.road import PLATFORMS, SHOPIFY, Road, running_road, wait_for

pytestmark = [pytest.mark.road, pytest.mark.xdist_group("road")]

PATIENCE_S = 20.0
THREADS = 4
_numbers = itertools.count(1)


class Answer(NamedTuple):
    """What a server said; ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def word(self) -> str:
        return str(jsontext.loads(self.body)["status"])


class Caller:
    """One connection to a server."""

    def __init__(self, road: Road) -> None:
        host, _, port = road.url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> Answer:
        """Read one answer, and nothing behind it."""
        line = self._answers.readline()
        assert line, "the server has hung up"
        lines = iter(self._answers.readline, b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.decode().partition(":") for each in lines)}
        return Answer(int(line.split()[1]), headers, self._answers.read(int(headers.get("content-length", 0))))

    def ask(self, data: bytes) -> Answer:
        self.send(data)
        return self.answer()

    def is_hung_up_on(self) -> bool:
        """Wait for the end of the connection, a clean one; anything else that comes is none."""
        return self._answers.read(1) == b""

    def hang_up_rudely(self) -> None:
        """End the connection with a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._answers.close()
        self._socket.close()


class Delivery(NamedTuple):
    """A signed delivery as bytes, and what it is known by."""

    id: str
    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body


def a_delivery(size: int = 0, secret: str = SHOPIFY.secrets[0], length: bool = True, **more: str) -> Delivery:
    """Write a delivery nobody has seen before, of ``size`` bytes or a few."""
    number = next(_numbers)
    body = jsontext.dumps({"id": 1000 + number, "note": "x" * size}).encode()
    sending = Sending(
        replace(SHOPIFY, secrets=(secret,)), "orders/create", body, f"serving-{number}", datetime.now(UTC)
    )
    headers = {"Host": "relay.example"} | dict(PLATFORMS["shopify"].headers_of(sending))
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    if length:
        headers["Content-Length"] = str(len(body))
    lines = [f"POST /webhooks/{SHOPIFY.key} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return Delivery(f"serving-{number}", "\r\n".join([*lines, "", ""]).encode(), body)


@contextmanager
def serving(folder: Path) -> Iterator[Road]:
    """Run gunicorn with one web process and nothing beside it."""
    settings = {"worker": "off", "web_processes": "1", "web_threads": str(THREADS), "log_level": "warning"}
    with running_road(folder, started=False, **settings) as road:
        road.launch()
        wait_for(lambda: _answers(road), f"gunicorn to answer; it said:\n{road.log}")
        yield road


def _answers(road: Road) -> bool:
    assert road.gunicorn is not None
    assert road.gunicorn.poll() is None, f"gunicorn ended:\n{road.log}"
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{road.url}/healthz", timeout=5).ok
    return False


@pytest.fixture(scope="module")
def shared_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with serving(tmp_path_factory.mktemp("serving")) as road:
        yield road


@pytest.fixture
def road(shared_road: Road) -> Iterator[Road]:
    """The server of this module; after each test the same process answers, and has complained of nothing."""
    before = shared_road.processes("gunicorn")
    yield shared_road
    assert shared_road.processes("gunicorn") == before
    assert _answers(shared_road)
    assert "Traceback" not in shared_road.log


@pytest.fixture
def caller(road: Road) -> Iterator[Caller]:
    with Caller(road) as caller:
        yield caller


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: relay.example\r\n\r\n"


def is_answered(road: Road) -> bool:
    """Ask for something else on another connection; what was sent before has been looked at by then."""
    with Caller(road) as other:
        return other.ask(HEALTH).status == 200


def stored(road: Road) -> dict[str | None, bytes | None]:
    """Give the bodies of all deliveries in the store by the id of the platform."""
    with road.store() as store:
        views = [store.reading.delivery(each.id) for each in store.reading.deliveries(limit=10_000)]
    return {view.delivery_id: view.body for view in views if view is not None}


def are_stored(road: Road, *deliveries: Delivery) -> bool:
    found = stored(road)
    return all(found.get(delivery.id) == delivery.body for delivery in deliveries)


def test_webhook_in_one_piece_is_stored_and_answered(road: Road, caller: Caller) -> None:
    delivery = a_delivery()
    answer = caller.ask(delivery.whole)
    assert (answer.status, answer.word) == (200, "stored")
    assert answer.headers["content-type"] == "application/json"
    assert are_stored(road, delivery)
    assert caller.ask(delivery.whole).word == "repeated"


def test_webhook_byte_by_byte_is_answered(road: Road, caller: Caller) -> None:
    delivery = a_delivery()
    for byte in delivery.whole:
        caller.send(bytes([byte]))
    assert caller.answer().word == "stored"
    assert are_stored(road, delivery)


@pytest.mark.parametrize(
    "cut", ["in the first word", "in the head", "before the body", "in the body", "before the end"]
)
def test_webhook_in_two_parts_is_answered(road: Road, caller: Caller, cut: str) -> None:
    delivery = a_delivery()
    ends = len(delivery.head)
    at = {
        "in the first word": 2,
        "in the head": ends // 2,
        "before the body": ends,
        "in the body": ends + 3,
        "before the end": len(delivery.whole) - 1,
    }[cut]
    caller.send(delivery.whole[:at])
    assert is_answered(road)
    assert caller.ask(delivery.whole[at:]).word == "stored"


def test_connection_serves_many_requests_of_all_kinds(road: Road, caller: Caller) -> None:
    deliveries = [a_delivery() for _ in range(10)]
    for delivery in deliveries:
        assert caller.ask(delivery.whole).word == "stored"
        assert caller.ask(HEALTH).status == 200
    assert are_stored(road, *deliveries)


def test_two_webhooks_at_once_on_one_connection_are_answered_in_their_order(road: Road, caller: Caller) -> None:
    known, new = a_delivery(), a_delivery()
    assert caller.ask(known.whole).word == "stored"
    caller.send(known.whole + new.whole)
    assert [caller.answer().word for _ in range(2)] == ["repeated", "stored"]
    caller.send(new.whole + known.whole + HEALTH + a_delivery().whole)
    assert [caller.answer().status for _ in range(4)] == [200] * 4
    assert caller.ask(a_delivery().whole).word == "stored"


def test_webhook_that_begins_behind_another_request_is_awaited(road: Road, caller: Caller) -> None:
    first, second = a_delivery(), a_delivery()
    for cut in (2, len(second.head), len(second.whole) - 1):
        assert caller.ask(first.whole + second.whole[:cut]).status == 200
        assert is_answered(road)
        assert caller.ask(second.whole[cut:]).status == 200
    assert are_stored(road, first, second)


def test_large_webhook_is_stored_and_the_connection_goes_on(road: Road, caller: Caller) -> None:
    large, small = a_delivery(200_000), a_delivery()
    assert caller.ask(small.whole).word == "stored"
    assert caller.ask(large.whole).word == "stored"
    assert caller.ask(small.whole).word == "repeated"
    assert are_stored(road, large)


def test_chunked_webhook_is_stored(road: Road, caller: Caller) -> None:
    delivery = a_delivery(length=False, Transfer_Encoding="chunked")
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(delivery.body), delivery.body)
    assert caller.ask(delivery.head + chunk).word == "stored"
    assert are_stored(road, delivery)
    assert caller.ask(a_delivery().whole).word == "stored"


def test_shop_that_asks_first_is_told_to_go_on(caller: Caller) -> None:
    delivery = a_delivery(Expect="100-continue")
    assert caller.ask(delivery.head).status == 100
    assert caller.ask(delivery.body).word == "stored"


def test_wrong_signature_is_401_and_the_connection_goes_on(road: Road, caller: Caller) -> None:
    wrong, right = a_delivery(secret="an-invented-wrong-secret"), a_delivery()
    assert caller.ask(wrong.whole).status == 401
    assert caller.ask(right.whole).word == "stored"
    assert wrong.id not in stored(road)


def test_unknown_shop_is_404_and_its_body_is_no_request(caller: Caller) -> None:
    nobody = a_delivery().whole.replace(b"/webhooks/nordljus", b"/webhooks/nobody", 1)
    assert caller.ask(nobody).status == 404
    assert caller.ask(a_delivery().whole).word == "stored"


@pytest.mark.parametrize("rude", [False, True])
@pytest.mark.parametrize("cut", [0, 5, -1, None])
def test_client_that_hangs_up_does_no_harm_to_the_next(road: Road, cut: int | None, rude: bool) -> None:
    with Caller(road) as gone:
        gone.send(a_delivery().whole[:cut])
        if rude:
            gone.hang_up_rudely()
    with Caller(road) as next_one:
        assert next_one.ask(a_delivery().whole).word == "stored"


MALFORMED = {
    "two lengths": (b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}"),
    "a length and chunks": (b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "chunks and a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 12\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "no name": (b"Content-Length: 2\r\n: nothing\r\n", b"{}"),
    "no colon": (b"Content-Length: 2\r\nnothing\r\n", b"{}"),
    "a folded line": (b"Content-Length: 2\r\nX-One: 1\r\n and more\r\n", b"{}"),
    "a bad length": (b"Content-Length: +2\r\n", b"{}"),
    "too many lines": (b"Content-Length: 2\r\n" + b"X-One: 1\r\n" * 200, b"{}"),
    "too long a line": (b"Content-Length: 2\r\nX-One: " + b"1" * 9000 + b"\r\n", b"{}"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_head_is_refused_and_nothing_behind_it_is_taken_for_a_request(
    road: Road, caller: Caller, case: str
) -> None:
    lines, body = MALFORMED[case]
    caller.send(b"POST /webhooks/nordljus HTTP/1.1\r\nHost: relay.example\r\n" + lines + b"\r\n" + body)
    assert 400 <= caller.answer().status < 500
    assert caller.is_hung_up_on()


@pytest.mark.parametrize(
    "line",
    [
        b"POST /webhooks/nordljus",
        b"POST /webhooks/nordljus HTTP/9.9",
        b"POST /webhooks/nordljus HTTP/1.1 again",
        b"POST /webhooks/" + b"x" * 5000 + b" HTTP/1.1",
        b"nonsense",
        b"\x16\x03\x01\x02",
    ],
)
def test_bad_request_line_is_refused(road: Road, caller: Caller, line: bytes) -> None:
    assert 400 <= caller.ask(line + b"\r\nContent-Length: 0\r\n\r\n").status < 500
    assert caller.is_hung_up_on()


def test_deliveries_that_come_at_once_are_all_answered_and_all_stored(road: Road) -> None:
    deliveries = [a_delivery() for _ in range(60)]
    with ExitStack() as stack:
        callers = [stack.enter_context(Caller(road)) for _ in deliveries]
        for caller, delivery in zip(callers, deliveries, strict=True):
            caller.send(delivery.whole)
        assert [caller.answer().word for caller in callers] == ["stored"] * 60
    assert are_stored(road, *deliveries)


def test_webhooks_are_answered_while_all_threads_wait_for_slow_clients(road: Road, caller: Caller) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(Caller(road)) for _ in range(THREADS)]
        for each in slow:
            each.send(HEALTH[:10])
        assert caller.ask(a_delivery().whole).word == "stored"
        assert caller.ask(a_delivery().whole).word == "stored"
        assert [each.ask(HEALTH[10:]).status for each in slow] == [200] * THREADS


def test_other_requests_are_answered_while_deliveries_wait_for_their_commit(road: Road) -> None:
    deliveries = [a_delivery() for _ in range(5)]
    with ExitStack() as stack:
        callers = [stack.enter_context(Caller(road)) for _ in deliveries]
        with WriteLock(road.folder / "inbox.lock").held(PATIENCE_S):
            for caller, delivery in zip(callers, deliveries, strict=True):
                caller.send(delivery.whole)
                assert is_answered(road)
            callers[0].hang_up_rudely()
            assert is_answered(road)
        assert [caller.answer().word for caller in callers[1:]] == ["stored"] * 4
    assert are_stored(road, *deliveries)


def test_store_that_nobody_can_write_to_is_503_for_webhooks_and_no_matter_to_others(road: Road) -> None:
    deliveries = [a_delivery() for _ in range(3)]
    with ExitStack() as stack:
        callers = [stack.enter_context(Caller(road)) for _ in deliveries]
        with WriteLock(road.folder / "inbox.lock").held(PATIENCE_S):
            for caller, delivery in zip(callers, deliveries, strict=True):
                caller.send(delivery.whole)
            assert is_answered(road)
            answers = [caller.answer() for caller in callers]
        assert [(answer.status, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 3
        assert not any(delivery.id in stored(road) for delivery in deliveries)
        again = [caller.ask(delivery.whole) for caller, delivery in zip(callers, deliveries, strict=True)]
    assert [answer.word for answer in again] == ["stored"] * 3


def test_process_that_is_about_to_end_lets_the_others_have_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "shares", Shares(2))
    ending, other = (Worker(1, os.getpid(), [], None, 30, Config(), None) for _ in range(2))
    ending.set_accept_enabled(True)
    assert not Worker.shares.may_take(other.place, 100)
    ending.alive = False
    ending.set_accept_enabled(False)
    assert Worker.shares.may_take(other.place, 100)
    for worker in (ending, other):
        worker.tmp.close()


def test_end_under_load_answers_what_was_begun_and_stores_what_was_answered(tmp_path: Path) -> None:
    with serving(tmp_path) as road:
        acknowledged: dict[int, set[str]] = {number: set() for number in range(6)}
        ended_well: list[int] = []

        def deliver(number: int) -> None:
            with Caller(road) as caller:
                while True:
                    delivery = a_delivery()
                    answer = caller.ask(delivery.whole)
                    assert answer.status == 200
                    acknowledged[number].add(delivery.id)
                    if answer.headers["connection"] == "close":
                        assert caller.is_hung_up_on()
                        ended_well.append(number)
                        return

        threads = [threading.Thread(target=deliver, args=(number,)) for number in acknowledged]
        for thread in threads:
            thread.start()
        wait_for(lambda: all(len(ids) > 5 for ids in acknowledged.values()), "deliveries on all connections")
        assert road.gunicorn is not None
        os.kill(road.gunicorn.pid, signal.SIGTERM)
        for thread in threads:
            thread.join(PATIENCE_S)
        assert road.gunicorn.wait(PATIENCE_S) == 0
        assert sorted(ended_well) == sorted(acknowledged)
        assert set().union(*acknowledged.values()) == set(stored(road))
