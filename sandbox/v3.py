"""API v3: a key in the header, reason codes, ``problems`` per field. A problem of code 12 is only a warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any
from wsgiref.types import WSGIEnvironment

from sandbox.accounts import SandboxAccount
from sandbox.behaviours import Switches
from sandbox.calls import Answer, Call, Declined, Handler
from sandbox.holdings import new_id
from sandbox.state import State


class Reason(IntEnum):
    """Why something was refused or changed."""

    AUTHENTICATION = 10
    LIMIT = 11
    TRIMMED = 12
    MISSING = 13
    TYPE = 14
    NOT_UNIQUE = 15
    UNKNOWN = 16
    NULL = 17
    PATTERN = 18
    TOO_MANY = 19


# The rest answer 400 as documented; the status of these is a guess.
_GUESSED_STATUS = frozenset({Reason.UNKNOWN, Reason.NULL, Reason.PATTERN, Reason.TOO_MANY})
_TEXTS: Mapping[Reason, str] = {
    Reason.LIMIT: "Field exceeds limit",
    Reason.TRIMMED: "Value was trimmed",
    Reason.MISSING: "Missing required field",
    Reason.TYPE: "Wrong type",
    Reason.NOT_UNIQUE: "Value must be unique",
    Reason.UNKNOWN: "Resource not present",
    Reason.NULL: "Required value set to null",
    Reason.PATTERN: "Value does not match the required structure",
}


class Problems:
    """The problems of one call, gathered while it is checked."""

    def __init__(self) -> None:
        self._found: list[tuple[Reason, str]] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, reason: Reason, field: str, *bounds: str) -> None:
        """Note a problem; ``bounds`` such as ``max:255`` stand between field and text."""
        self._found.append((reason, "|".join((field, *bounds, _TEXTS[reason]))))

    def limit(self, field: str, least: int, most: int) -> None:
        """Note a value beyond its limits."""
        self.add(Reason.LIMIT, field, f"min:{least}", f"max:{most}")

    def wrong_type(self, field: str, wanted: str) -> None:
        """Note a value of another type than ``wanted``."""
        self.add(Reason.TYPE, f"{field}:{wanted}")

    def refuses(self) -> bool:
        """Tell whether there is more than warnings."""
        return any(reason is not Reason.TRIMMED for reason, _ in self._found)

    def take(self, others: Problems) -> None:
        """Add another check's problems to these."""
        self._found += others._found

    def as_list(self) -> list[dict[str, Any]]:
        """Give the problems as SALESmanago sends them."""
        return [{"reasonCode": reason.value, "message": message} for reason, message in self._found]

    def decline(self, call: Call) -> None:
        """Decline the call when anything but warnings was found."""
        if self.refuses():
            guessed = all(reason in _GUESSED_STATUS for reason, _ in self._found if reason is not Reason.TRIMMED)
            status = int(call.switches["v3_refusal_status"]) if guessed else 400
            raise Declined(Answer({"requestId": new_id(), "problems": self.as_list()}, status, success=False))


def refused_whole(call: Call, reason: Reason, text: str | None = None) -> Declined:
    """Build the exception that declines a call as a whole."""
    status = int(call.switches["v3_refusal_status"]) if reason in _GUESSED_STATUS else 400
    return Declined(_whole(reason, text or _TEXTS[reason], status))


def _whole(reason: Reason, text: str, status: int = 400) -> Answer:
    return Answer({"reasonCode": reason.value, "messages": [text]}, status, success=False)


class ApiV3:
    """How API v3 tells callers apart and says no."""

    def claimed(self, state: State, environ: WSGIEnvironment, body: Mapping[str, Any] | None) -> SandboxAccount | None:
        """Find the account by the ``API-KEY`` header."""
        return state.accounts.by_v3_key.get(environ.get("HTTP_API_KEY", ""))

    def unreadable(self) -> Answer:
        """Answer 400 with the documented text."""
        return _whole(Reason.TYPE, "[Specified json is not valid]")

    def refused(self, text: str) -> Answer:
        """Answer a refusal of the whole call."""
        return _whole(Reason.PATTERN, text)

    def not_authenticated(self, switches: Switches) -> Answer:
        """Answer reason code 10."""
        return _whole(Reason.AUTHENTICATION, "Authentication failed")

    def authenticated(self, account: SandboxAccount, switches: Switches, body: Mapping[str, Any]) -> bool:
        """Hold a key that was found to be enough."""
        return True


def operation(run: Callable[[Call], Mapping[str, Any]]) -> Handler:
    """Wrap an operation in what all of API v3 shares."""
    return lambda call: Answer({"requestId": new_id(), **run(call)})
