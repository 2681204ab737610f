"""The SALESmanago simulator as a process of its own, and what it says has reached it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from tests.support.sandbox import sandbox_process, signed

_CARDS = 50  # SALESmanago gives no more at once
_PIECE = 1 << 20
_EVENT = b'"event_id"'


@dataclass(frozen=True)
class Simulator:
    """A running simulator."""

    url: str
    pid: int

    def calls(self) -> int:
        """Give how many calls of SALESmanago's API there were."""
        return int(self._journal()["total"])

    def counts(self) -> dict[str, int]:
        """Give how many calls there were by path and outcome."""
        return {
            f"{each['path']} {each['status']}{'' if each['success'] else ' refused'}": each["count"]
            for each in self._journal()["counts"]
        }

    def last_calls(self) -> list[dict[str, Any]]:
        """Give the last 1,000 calls, oldest first, each with its ``number`` and the time ``at`` it arrived."""
        calls: list[dict[str, Any]] = self._journal()["calls"]
        return calls

    def events(self) -> int:
        """Count the events it holds. It has to write down all it holds for that: never while something is measured."""
        number, rest = 0, b""
        with requests.get(f"{self.url}/_sandbox/state", stream=True, timeout=600) as answer:
            for piece in answer.iter_content(_PIECE):
                text = rest + piece
                number += text.count(_EVENT)
                rest = text[-len(_EVENT) + 1 :]
        return number

    def came_at(self, emails: Sequence[str]) -> dict[str, float]:
        """Give when each contact was created, in seconds since 1970; those it does not know are missing."""
        found: dict[str, float] = {}
        for first in range(0, len(emails), _CARDS):
            body = signed(email=list(emails[first : first + _CARDS]))
            answer = requests.post(f"{self.url}/api/contact/listAll", json=body, timeout=60).json()
            found |= {card["email"].lower(): card["createdOn"] / 1000 for card in answer["contacts"]}
        return found

    def refuse(self) -> None:
        """Let every call fail from now on, as when SALESmanago is down."""
        order = {"kind": "fail", "times": None}
        requests.post(f"{self.url}/_sandbox/faults", json=order, timeout=30).raise_for_status()

    def recover(self) -> None:
        """Take ``refuse`` back."""
        requests.delete(f"{self.url}/_sandbox/faults", timeout=30).raise_for_status()

    def _journal(self) -> Any:
        return requests.get(f"{self.url}/_sandbox/calls", timeout=60).json()


@contextmanager
def simulating() -> Iterator[Simulator]:
    """Run a simulator with the account that the benchmarks' configuration names."""
    with sandbox_process() as process:
        yield Simulator(process.url, process.process.pid)
