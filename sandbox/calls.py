"""The road of one API call: parse, fault, authenticate, carry out under the lock, write down, answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from flask import Flask, Response, request
from werkzeug.datastructures import Headers

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
    """What came in. The account is the one the caller claims to be; a body of None is one that cannot be read."""

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


class NoAnswer(Response):
    """Breaks the connection instead of answering."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Raise what servers and test clients take for a caller that is gone."""
        raise ConnectionResetError("no answer is sent, as ordered")


Handler: TypeAlias = Callable[[Call], Answer]
"""Carries one call out. Raises Declined."""


class Api(Protocol):
    """What the two APIs do differently."""

    def claimed(self, state: State, headers: Headers, body: Mapping[str, Any] | None) -> SandboxAccount | None:
        """Find the account the caller claims to be, without believing it."""

    def unreadable(self) -> Answer:
        """Answer a body that is not JSON."""

    def refused(self, text: str) -> Answer:
        """Answer a call that is refused on demand."""

    def not_authenticated(self, switches: Switches) -> Answer:
        """Answer wrong credentials."""

    def authenticated(self, account: SandboxAccount, switches: Switches, body: Mapping[str, Any]) -> bool:
        """Tell whether the caller is who it claims to be."""


def mount(app: Flask, state: State, api: Api, handlers: Mapping[str, Handler], methods: list[str]) -> None:
    """Give every path of an API its road."""

    def view(handler: Handler) -> Callable[[], Response]:
        return lambda: _answer_request(state, api, handler)

    for path, handler in handlers.items():
        app.add_url_rule(path, endpoint=path, view_func=view(handler), methods=methods)


def _answer_request(state: State, api: Api, handler: Handler) -> Response:
    body = _read()
    with state.lock:
        arrival = Arrival(api.claimed(state, request.headers, body), body)
        fault = state.faults.take(request.path, _client_id(arrival))
        released = state.faults.released
    kind = None if fault is None else fault.kind
    if fault is not None and kind is FaultKind.SLOW:
        released.wait(fault.seconds)
    with state.lock:
        if fault is None or kind in _HAS_EFFECT:
            answer = _carry_out(state, api, handler, arrival)
        else:
            answer = _spoil(state, api, fault)
        _write_down(state, arrival, answer, kind)
    if fault is not None and kind in _NO_ANSWER:
        released.wait(fault.seconds)
        return NoAnswer()
    return _response(answer)


def _read() -> dict[str, Any] | None:
    if request.method == "GET":
        return {}
    try:
        body = jsontext.loads(request.get_data())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _client_id(arrival: Arrival) -> str | None:
    return None if arrival.account is None else arrival.account.client_id


def _carry_out(state: State, api: Api, handler: Handler, arrival: Arrival) -> Answer:
    account, body = arrival.account, arrival.body
    if body is None:
        return api.unreadable()
    if account is None or not api.authenticated(account, state.switches, body):
        return api.not_authenticated(state.switches)
    now_ms = round(state.now().timestamp() * 1000)
    state.touch()
    try:
        return handler(Call(account, state.holdings[account.client_id], state.switches, request.path, body, now_ms))
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
        at=state.now(),
        account=_client_id(arrival),
        method=request.method,
        path=request.path,
        status=None if kind in _NO_ANSWER else answer.status,
        success=answer.success,
        fault=None if kind is None else kind.value,
        body=arrival.body,
        answer=answer.body,
    )


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(status=answer.status, headers=dict(answer.headers))
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, dict(answer.headers), mimetype="text/html")
    return Response(jsontext.dumps(answer.body), answer.status, dict(answer.headers), mimetype="application/json")
