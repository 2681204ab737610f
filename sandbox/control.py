"""``/_sandbox``: what tests and operators ask the simulator itself. These calls are not SALESmanago's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from relay import jsontext
from sandbox.behaviours import BEHAVIOURS
from sandbox.faults import FaultSchema
from sandbox.state import State


def control_blueprint(state: State) -> Blueprint:
    """Build the routes under ``/_sandbox``."""
    routes = Blueprint("control", __name__, url_prefix="/_sandbox")
    for (method, path), answer in _ROUTES.items():
        routes.add_url_rule(path, f"{method} {path}", partial(_under_lock, state, answer), methods=[method])
    return routes


def _under_lock(state: State, answer: Callable[[State], Response]) -> Response:
    with state.lock:
        return answer(state)


def _show_state(state: State) -> Response:
    account = request.args.get("account")
    if account is not None and account not in state.holdings:
        return _json({"message": f"there is no account {account}"}, 404)
    return _json(state.as_dict(account))


def _show_calls(state: State) -> Response:
    calls = [entry.as_dict() for entry in state.journal.last()]
    return _json({"total": state.journal.total, "counts": state.journal.counts(), "calls": calls})


def _reset(state: State) -> Response:
    state.reset()
    return _json({"message": "everything is forgotten"})


def _show_faults(state: State) -> Response:
    return _json({"faults": state.faults.as_list()})


def _add_fault(state: State) -> Response:
    try:
        state.faults.add(FaultSchema().load(_body()))
    except ValidationError as error:
        return _json({"message": error.messages}, 400)
    return _show_faults(state)


def _clear_faults(state: State) -> Response:
    state.faults.clear()
    return _show_faults(state)


def _show_switches(state: State) -> Response:
    return _json({"behaviours": _behaviours(state)})


def _turn_switches(state: State) -> Response:
    try:
        state.switches.turn(_body())
    except ValueError as error:
        return _json({"message": str(error)}, 400)
    state.touch()
    return _show_switches(state)


_ROUTES: Mapping[tuple[str, str], Callable[[State], Response]] = {
    ("GET", "/state"): _show_state,
    ("GET", "/calls"): _show_calls,
    ("POST", "/reset"): _reset,
    ("GET", "/faults"): _show_faults,
    ("POST", "/faults"): _add_fault,
    ("DELETE", "/faults"): _clear_faults,
    ("GET", "/switches"): _show_switches,
    ("POST", "/switches"): _turn_switches,
}


def _body() -> dict[str, Any]:
    try:
        body = jsontext.loads(request.get_data())
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"body": "must be a JSON object"}


def _behaviours(state: State) -> list[dict[str, Any]]:
    turned = state.switches.as_dict()
    return [
        {
            "name": item.name,
            "basis": item.basis.value,
            "says": item.says,
            "options": item.options,
            "on": turned.get(item.name),
        }
        for item in BEHAVIOURS
    ]


def _json(value: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(value), status, mimetype="application/json")
