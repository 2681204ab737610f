"""API v2: credentials in the body, always HTTP 200, ``success`` and ``message`` in every answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from sandbox.accounts import SandboxAccount
from sandbox.behaviours import Switches
from sandbox.calls import Answer, Call, Declined, Handler
from sandbox.shapes import Shape, Table, number, text
from sandbox.state import State

# Seconds since 1970 stay below this for the next centuries, milliseconds have been above it since 1973.
_FIRST_MILLISECOND = 100_000_000_000

CREDENTIALS: Mapping[str, Shape] = {"clientId": text, "apiKey": text, "requestTime": number, "sha": text, "owner": text}


class ApiV2:
    """How API v2 tells callers apart and says no."""

    def claimed(self, state: State, environ: WSGIEnvironment, body: Mapping[str, Any] | None) -> SandboxAccount | None:
        """Find the account by ``clientId``."""
        client_id = None if body is None else body.get("clientId")
        return state.accounts.by_client_id.get(client_id) if isinstance(client_id, str) else None

    def unreadable(self) -> Answer:
        """Answer 400 without a body."""
        return MALFORMED

    def refused(self, text: str) -> Answer:
        """Answer 200 with ``success:false``."""
        return refusal(text)

    def not_authenticated(self, switches: Switches) -> Answer:
        """Answer with one of the two documented texts."""
        return refusal(switches["auth_text"], status=int(switches["auth_status"]))

    def authenticated(self, account: SandboxAccount, switches: Switches, body: Mapping[str, Any]) -> bool:
        """Check ``requestTime`` and ``sha``."""
        api_key = body.get("apiKey")
        if not isinstance(api_key, str) or not api_key:
            return False
        return _is_request_time(body.get("requestTime"), switches["request_time"]) and (
            body.get("sha") == account.sign(api_key)
        )


def _is_request_time(value: Any, kind: str) -> bool:
    if kind == "digits" and isinstance(value, str):
        return value.isdigit()
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return value >= _FIRST_MILLISECOND if kind == "milliseconds" else True


MALFORMED = Answer(None, 400, success=False)


def refusal(text: str, values: Mapping[str, list[str]] | None = None, status: int = 200) -> Answer:
    """Build a ``success:false``; ``values`` explains single fields, which only integration/upsert does."""
    explained = {} if values is None else {"values": values}
    return Answer({"success": False, "message": [text], **explained}, status, success=False)


def refuse(text: str, values: Mapping[str, list[str]] | None = None) -> Declined:
    """Build the exception that declines a call."""
    return Declined(refusal(text, values))


def require_owner(call: Call, owner: Any) -> None:
    """Decline a call that names no user of the account."""
    switch = "unknown_owner" if owner else "missing_owner"
    if (not owner or owner not in call.account.owners) and call.switches[switch] == "refuse":
        raise refuse("User cannot be empty")


def operation(
    keys: Mapping[str, Shape], run: Callable[[Call], Mapping[str, Any] | Answer], *, owner: bool = True
) -> Handler:
    """Wrap an operation in what all of API v2 shares. ``keys`` are the body's own, beside the credentials."""
    shape = Table({**CREDENTIALS, **keys})

    def carry_out(call: Call) -> Answer:
        if not shape(call.body, call.switches["unknown_fields"] == "malformed"):
            return MALFORMED
        if owner:
            require_owner(call, call.body.get("owner"))
        given = run(call)
        return given if isinstance(given, Answer) else Answer({"success": True, "message": [], **given})

    return carry_out
