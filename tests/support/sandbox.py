"""The simulator for tests: in this process behind Flask's test client or a real port, or as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from relay import jsontext
from sandbox import SandboxAccount, SandboxServer, State, create_app, serve, state_of

ACCOUNT = SandboxAccount(
    client_id="sandbox-client",
    api_secret="invented-secret",
    owners=("owner@example.com", "second@example.com"),
    v3_key="INVENTEDKEY01",
    catalog_limit=3,
    loyalty_programs=("INVENTED_CLUB",),
)
OTHER_ACCOUNT = SandboxAccount("other-client", "other-secret", ("other@example.com",), "INVENTEDKEY02")
API_KEY = "any-string"
REQUEST_TIME = 1790000000000


def signed(account: SandboxAccount = ACCOUNT, **own: Any) -> dict[str, Any]:
    """Give an API v2 body with right credentials and the account's first owner around ``own``."""
    credentials = {
        "clientId": account.client_id,
        "apiKey": API_KEY,
        "requestTime": REQUEST_TIME,
        "sha": account.sign(API_KEY),
        "owner": account.owners[0],
    }
    return credentials | own


@dataclass(frozen=True)
class Reply:
    """What the simulator answered; ``body`` is None where there was none or it was not JSON."""

    status: int
    body: Any
    text: str
    headers: Any


class SandboxClient:
    """Calls the simulator through Flask's test client."""

    def __init__(self, app: Flask) -> None:
        self.state = state_of(app)
        self._client = app.test_client()

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        """Send a body as JSON, or a text as it is."""
        text = body if isinstance(body, str | None) else jsontext.dumps(body)
        answer = self._client.open(path, method=method, data=text, headers=headers)
        is_json = answer.mimetype == "application/json"
        return Reply(answer.status_code, jsontext.loads(answer.text) if is_json else None, answer.text, answer.headers)

    def v2(self, path: str, account: SandboxAccount = ACCOUNT, **own: Any) -> Reply:
        """Call ``/api/<path>`` with right credentials."""
        return self.send("POST", f"/api/{path}", signed(account, **own))

    def v3(self, path: str, body: Any = None, key: str = ACCOUNT.v3_key) -> Reply:
        """Call ``/v3/product/<path>``; a GET when there is no body."""
        return self.send("GET" if body is None else "POST", f"/v3/product/{path}", body, {"API-KEY": key})

    def turn(self, **switches: str) -> None:
        """Turn switches."""
        self.state.switches.turn(switches)

    def fault(self, kind: str, **own: Any) -> None:
        """Order a fault."""
        answer = self.send("POST", "/_sandbox/faults", {"kind": kind, **own})
        assert answer.status == 200, answer.text

    def contact(self, email: str = "anna@example.com", **own: Any) -> str:
        """Add a contact and give its id."""
        contact = {"email": email} | own.pop("contact", {})
        answer = self.v2("contact/upsert", contact=contact, **own)
        assert answer.body["success"], answer.text
        return str(answer.body["contactId"])

    def event(self, email: str = "anna@example.com", **fields: Any) -> str:
        """Add an event to a contact and give its id."""
        event = {"contactExtEventType": "PURCHASE", "date": REQUEST_TIME, "value": 10} | fields
        answer = self.v2("v2/contact/addContactExtEvent", email=email, contactEvent=event)
        assert answer.body["success"], answer.text
        return str(answer.body["eventId"])

    def card(self, email: str = "anna@example.com") -> Any:
        """Give the full card, None when there is none."""
        cards = self.v2("contact/listAll", email=[email]).body["contacts"]
        return cards[0] if cards else None

    def catalog(self, location: str = "example_shop") -> str:
        """Add a catalogue and give its id."""
        answer = self.v3("catalogUpsert", {"name": location, "currency": "EUR", "location": location})
        assert answer.status == 200, answer.text
        return str(answer.body["catalogId"])


@dataclass(frozen=True)
class RunningSandbox:
    """A simulator that listens at ``url``."""

    url: str
    state: State


@contextmanager
def running_sandbox(
    accounts: Sequence[SandboxAccount] = (ACCOUNT,),
    keep_file: Path | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[RunningSandbox]:
    """Run a simulator on a free loopback port of this process."""
    app = create_app(accounts, keep_file, now)
    server = SandboxServer(app)
    server.start()
    try:
        yield RunningSandbox(server.url, state_of(app))
    finally:
        server.stop()


@dataclass(frozen=True)
class SandboxProcess:
    """A simulator in a process of its own, listening at ``url``."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def sandbox_process(
    accounts: Sequence[SandboxAccount] = (ACCOUNT,), keep_file: Path | None = None, port: int = 0
) -> Iterator[SandboxProcess]:
    """Run a simulator as a process of its own, on a free loopback port unless ``port`` is given."""
    order = {
        "accounts": [asdict(account) for account in accounts],
        "keep_file": None if keep_file is None else str(keep_file),
        "port": port,
    }
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.sandbox"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        try:
            yield SandboxProcess(process.stdout.readline().strip(), process)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            finally:
                process.kill()


def _run(order: dict[str, Any]) -> None:
    accounts = [SandboxAccount(**entry) for entry in order["accounts"]]
    keep_file = None if order["keep_file"] is None else Path(order["keep_file"])
    serve(create_app(accounts, keep_file), port=order["port"], announce=lambda url: print(url, flush=True))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    _run(json.loads(sys.stdin.readline()))
