"""The simulator as a Flask app: both APIs, the page at ``/`` and the controls under ``/_sandbox``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from flask import Flask

from sandbox import batches, catalogs, contacts, events, lists, products
from sandbox.accounts import SandboxAccount
from sandbox.calls import ApiCalls
from sandbox.control import control_blueprint
from sandbox.pages import pages_blueprint
from sandbox.state import State, utc_now
from sandbox.v2 import ApiV2
from sandbox.v3 import ApiV3


def create_app(
    accounts: Iterable[SandboxAccount], keep_file: Path | None = None, now: Callable[[], datetime] = utc_now
) -> Flask:
    """Build the simulator for these accounts; any other is "Not authenticated".

    With ``keep_file`` what it holds survives a restart: read here, written shortly after each change and by
    ``state_of(app).close()``.
    """
    app = Flask(__name__)
    state = State(accounts, keep_file, now)
    app.extensions["sandbox"] = state
    app.register_blueprint(control_blueprint(state))
    app.register_blueprint(pages_blueprint(state))
    calls = ApiCalls(state, app.wsgi_app)
    for module in (contacts, lists, events, batches):
        calls.mount(ApiV2(), module.HANDLERS, "POST")
    calls.mount(ApiV3(), catalogs.READERS, "GET")
    calls.mount(ApiV3(), {**catalogs.WRITERS, **products.HANDLERS}, "POST")
    # Flask's own way to put something before an app.
    app.wsgi_app = calls  # type: ignore[method-assign]
    return app


def state_of(app: Flask) -> State:
    """Give the state of an app that ``create_app`` built."""
    state = app.extensions["sandbox"]
    if not isinstance(state, State):
        raise TypeError("the app is not a SALESmanago simulator")
    return state
