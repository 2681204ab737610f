"""The journal: the last calls the simulator was asked, with what it answered. Credentials are never written down."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CALLS_KEPT = 1000
_CREDENTIALS = ("apiKey", "sha")


@dataclass(frozen=True, slots=True)
class CallEntry:
    """One call, and when it came. ``status`` is None where no answer was sent; ``success`` is the answer's own word."""

    number: int
    at: datetime
    account: str | None
    method: str
    path: str
    status: int | None
    success: bool
    fault: str | None
    body: Any
    answer: Any

    @property
    def outcome(self) -> str:
        """How it ended, in the answer's own words where there are any."""
        if self.status is None:
            return "no answer sent"
        words = list(_words(self.answer)) if isinstance(self.answer, Mapping) else []
        return "; ".join(words) or ("done" if self.success else "refused")

    def as_dict(self) -> dict[str, Any]:
        """Give the entry ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}


class Journal:
    """The last ``CALLS_KEPT`` calls, oldest first, and how many there were of each kind since the start."""

    def __init__(self) -> None:
        self._entries: deque[CallEntry] = deque(maxlen=CALLS_KEPT)
        self._counts: Counter[tuple[str, int | None, bool]] = Counter()
        self.total = 0

    def add(
        self,
        *,
        at: datetime,
        account: str | None,
        method: str,
        path: str,
        status: int | None,
        success: bool,
        fault: str | None,
        body: Any,
        answer: Any,
    ) -> None:
        """Write one call down."""
        self.total += 1
        self._counts[(path, status, success)] += 1
        shown = without_credentials(body)
        self._entries.append(CallEntry(self.total, at, account, method, path, status, success, fault, shown, answer))

    def last(self, count: int = CALLS_KEPT) -> list[CallEntry]:
        """Give the last ``count`` calls, oldest first."""
        return list(self._entries)[-count:]

    def counts(self) -> list[dict[str, Any]]:
        """Give how many calls there were by path, status and success."""
        return [
            {"path": path, "status": status, "success": success, "count": count}
            for (path, status, success), count in self._counts.items()
        ]

    def clear(self) -> None:
        """Forget every call."""
        self._entries.clear()
        self._counts.clear()
        self.total = 0


def _words(answer: Mapping[str, Any]) -> Iterator[str]:
    """Walk through what either API says in an answer: v2 in message, v3 in messages and problems."""
    yield from answer.get("message", ())
    yield from answer.get("messages", ())
    yield from (problem["message"] for problem in answer.get("problems", ()))


def without_credentials(body: Any) -> Any:
    """Give an API body without what was used to sign it."""
    if not isinstance(body, Mapping):
        return body
    return {name: value for name, value in body.items() if name not in _CREDENTIALS}
