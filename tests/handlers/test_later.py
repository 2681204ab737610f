"""Answers that wait for their commit, under any server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from handlers import problems
from handlers.later import Awaited, Later
from relay.errors import StoreUnavailable


class Waiting:
    """Something that nobody has taken in hand."""

    done = False

    def is_kept_within(self, seconds: float) -> bool:
        return False


class Counter:
    """An app whose one view answers later; ``settle`` is what it does then."""

    def __init__(self) -> None:
        self.settle: Callable[[], Response] = lambda: Response("settled", 201, {"X-Settled": "yes"})
        self.asked = 0
        self.app = Flask(__name__)
        self.app.add_url_rule("/", view_func=lambda: Later(self._settle, Waiting()), methods=["POST"])
        problems.install(self.app)

    def _settle(self) -> Response:
        self.asked += 1
        return self.settle()

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()


@pytest.fixture
def counter() -> Counter:
    return Counter()


def _raises(error: Exception) -> Callable[[], Response]:
    def settle() -> Response:
        raise error

    return settle


def test_answer_is_what_settle_gives(counter: Counter) -> None:
    answer = counter.client.post("/")
    assert (answer.status_code, answer.text, answer.headers["X-Settled"]) == (201, "settled", "yes")
    assert answer.headers["Content-Length"] == "7"
    assert counter.asked == 1


def test_nothing_is_waited_for_until_the_answer_is_read(counter: Counter) -> None:
    begun: list[str] = []
    body = _begun(counter, lambda status, headers, *_: begun.append(status))
    assert isinstance(body, Awaited)
    assert (counter.asked, begun) == (0, [])
    assert list(body) == [b"settled"]
    assert (counter.asked, begun) == (1, ["201 CREATED"])


def test_store_that_is_unavailable_is_answered_as_if_the_view_had_said_so(counter: Counter) -> None:
    counter.settle = _raises(StoreUnavailable("The disk is full.", retry_after_s=7))
    answer = counter.client.post("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json is not None
    assert (answer.json["success"], answer.json["messages"]) == (False, ["The disk is full."])


def test_unexpected_error_is_answered_500_and_tells_nothing(counter: Counter) -> None:
    counter.settle = _raises(RuntimeError("hush"))
    answer = counter.client.post("/")
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["success"] is False
    assert answer.json["requestId"]
    assert "hush" not in answer.text


def test_error_is_the_same_however_late_it_is_read(counter: Counter) -> None:
    """By then the request is over for Flask, and another may have been begun in its place."""
    counter.settle = _raises(StoreUnavailable())
    said: list[str] = []
    first, second = (_begun(counter, lambda status, headers, *_: said.append(status)) for _ in range(2))
    assert b"".join(second) != b"".join(first)  # each has a request id of its own
    assert said == ["503 SERVICE UNAVAILABLE"] * 2


def _begun(counter: Counter, start_response: Any) -> Iterable[bytes]:
    """Have the app take a request, and read nothing of its answer."""
    environ = EnvironBuilder(method="POST").get_environ()
    return counter.app.wsgi_app(environ, start_response)
