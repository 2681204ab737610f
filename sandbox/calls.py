"""The road of one API call: parse, fault, authenticate, carry out under the lock, write down, answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.client import responses
from typing import Any, Protocol, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from relay import jsontext
from sandbox.accounts import SandboxAccount
from sandbox.behaviours import Switches
from sandbox.faults import Fault, FaultKind
from sandbox.holdings import Holdings
from sandbox.state import State

_HAS_EFFECT = (None, FaultKind.SLOW, FaultKind.DROP_ANSWER)
_NO_ANSWER = (FaultKind.HANG, FaultKind.DROP_ANSWER)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in, and when. The account is the one the caller claims to be; a body of None cannot be read."""

    at: datetime
    method: str
    path: str
    account: SandboxAccount | None
    body: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call: who asks for what, and what there is."""

    account: SandboxAccount
    holdings: Holdings
    switches: Switches
    path: str
    body: dict[str, Any]
    now_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. A body of None is sent as no bytes; a text is sent as it is, anything else as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    success: bool = True


class Declined(Exception):  # noqa: N818 - it is an answer, not a fault of the simulator
    """A call was declined; the answer says how."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


Handler: TypeAlias = Callable[[Call], Answer]
"""Carries one call out. Raises Declined."""


class Api(Protocol):
    """What the two APIs do differently."""

    def claimed(self, state: State, environ: WSGIEnvironment, body: Mapping[str, Any] | None) -> SandboxAccount | None:
        """Find the account the caller claims to be, without believing it."""

    def unreadable(self) -> Answer:
        """Answer a body that is not JSON."""

    def refused(self, text: str) -> Answer:
        """Answer a call that is refused on demand."""

    def not_authenticated(self, switches: Switches) -> Answer:
        """Answer wrong credentials."""

    def authenticated(self, account: SandboxAccount, switches: Switches, body: Mapping[str, Any]) -> bool:
        """Tell whether the caller is who it claims to be."""


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    api: Api
    handler: Handler


class ApiCalls:
    """Answers the paths of both APIs, as a WSGI app, and leaves all others to ``pages``.

    They do not go through Flask: its routing and its request objects cost as much as all the rest of a call.
    """

    def __init__(self, state: State, pages: WSGIApplication) -> None:
        self._state = state
        self._pages = pages
        self._routes: dict[str, _Route] = {}

    def mount(self, api: Api, handlers: Mapping[str, Handler], method: str) -> None:
        """Give every path of an API its road."""
        self._routes |= {path: _Route(method, api, handler) for path, handler in handlers.items()}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request.

        Raises: ConnectionResetError when no answer is to be sent: what servers and test clients take for a caller that
        is gone.
        """
        route = self._routes.get(environ["PATH_INFO"])
        if route is None:
            return self._pages(environ, start_response)
        if environ["REQUEST_METHOD"] != route.method:
            return _send(Answer("Method not allowed", 405, {"Allow": route.method}), start_response)
        answer = _answer_request(self._state, route, environ)
        if answer is None:
            raise ConnectionResetError("no answer is sent, as ordered")
        return _send(answer, start_response)


def _answer_request(state: State, route: _Route, environ: WSGIEnvironment) -> Answer | None:
    """Carry a request out as the faults on order let it; None when no answer is to be sent."""
    at = state.now()
    body = _read(environ)
    with state.lock:
        account = route.api.claimed(state, environ, body)
        arrival = Arrival(at, route.method, environ["PATH_INFO"], account, body)
        fault = state.faults.take(arrival.path, _client_id(arrival))
        released = state.faults.released
    kind = None if fault is None else fault.kind
    if fault is not None and kind is FaultKind.SLOW:
        released.wait(fault.seconds)
    with state.lock:
        if fault is None or kind in _HAS_EFFECT:
            answer = _carry_out(state, route, arrival)
        else:
            answer = _spoil(state, route.api, fault)
        _write_down(state, arrival, answer, kind)
    if fault is not None and kind in _NO_ANSWER:
        released.wait(fault.seconds)
        return None
    return answer


def _read(environ: WSGIEnvironment) -> dict[str, Any] | None:
    if environ["REQUEST_METHOD"] == "GET":
        return {}
    try:
        body = jsontext.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _client_id(arrival: Arrival) -> str | None:
    return None if arrival.account is None else arrival.account.client_id


def _carry_out(state: State, route: _Route, arrival: Arrival) -> Answer:
    account, body = arrival.account, arrival.body
    if body is None:
        return route.api.unreadable()
    if account is None or not route.api.authenticated(account, state.switches, body):
        return route.api.not_authenticated(state.switches)
    now_ms = round(state.now().timestamp() * 1000)
    state.touch()
    try:
        held = state.holdings[account.client_id]
        return route.handler(Call(account, held, state.switches, arrival.path, body, now_ms))
    except Declined as declined:
        return declined.answer


def _spoil(state: State, api: Api, fault: Fault) -> Answer:
    retry_after = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    answers: Mapping[FaultKind, Callable[[], Answer]] = {
        FaultKind.THROTTLE: lambda: Answer("Too many requests", 429, retry_after, success=False),
        FaultKind.FAIL: lambda: Answer("Service unavailable", fault.status, retry_after, success=False),
        FaultKind.GARBLE: lambda: Answer("<html><body>It works!</body></html>", 200, success=False),
        FaultKind.REFUSE: lambda: api.refused(fault.text),
        FaultKind.AUTH: lambda: api.not_authenticated(state.switches),
    }
    nothing = Answer(None, success=False)
    return answers.get(fault.kind, lambda: nothing)()


def _write_down(state: State, arrival: Arrival, answer: Answer, kind: FaultKind | None) -> None:
    state.journal.add(
        at=arrival.at,
        account=_client_id(arrival),
        method=arrival.method,
        path=arrival.path,
        status=None if kind in _NO_ANSWER else answer.status,
        success=answer.success,
        fault=None if kind is None else kind.value,
        body=arrival.body,
        answer=answer.body,
    )


def _send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    headers = list(answer.headers.items())
    text = answer.body
    if text is not None:
        kind = "text/html; charset=utf-8" if isinstance(text, str) else "application/json"
        headers.append(("Content-Type", kind))
        text = text if isinstance(text, str) else jsontext.dumps(text)
    body = (text or "").encode()
    headers.append(("Content-Length", str(len(body))))
    start_response(f"{answer.status} {responses.get(answer.status, 'Unknown')}", headers)
    return [body]
