"""How many calls a lane makes side by side: fewer when SALESmanago shows strain, soon more again when it does not.

A lane pauses when SALESmanago does not answer, or says that it is too much (``health``). Before that, and after it, the
lane makes itself small: half as many calls at a time after each sign of strain, one more after every few good answers.
While answers come well, nothing is held back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from relay.commands import CommandKind
from relay.errors import CredentialsRefused
from relay.store import LaneKey
from relay.worker.retry import Blame, blame
from relay.worker.sending import Report

SLOW_FACTOR = 3.0
"""Answers are slow when they take so many times as long as the best ones lately..."""

LEAST_SLOW_S = 0.5
"""...and as long as this: below it, what differs is the relay's own machine."""

GOOD_ANSWERS = 4
"""After so many a lane makes one call more at a time: from one to sixteen while sixty are answered."""

_SMOOTHING = 1 / 8
_FORGETTING = 1.002  # per answer: what stays three times as slow is the measure after some 550

Kind: TypeAlias = tuple[CommandKind, int]
"""What takes about the same time: the kind of a call, and how much it carries, by powers of two."""


@dataclass(slots=True)
class _Times:
    """How long calls of a kind take: now, and at their best lately."""

    now_s: float
    best_s: float

    def note(self, seconds: float) -> bool:
        """Take one more; tells whether they have become slow."""
        self.now_s += (seconds - self.now_s) * _SMOOTHING
        self.best_s = min(self.now_s, self.best_s * _FORGETTING)
        return self.now_s >= LEAST_SLOW_S and self.now_s > SLOW_FACTOR * self.best_s


@dataclass(slots=True)
class _Lane:
    width: int
    good: int = 0
    cut_at: float = float("-inf")
    times: dict[Kind, _Times] = field(default_factory=dict)


class Slowing:
    """One worker's view of how much its lanes bear. Safe for threads; it is lost with the worker."""

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take how many calls a lane makes at a time when all is well."""
        self._most = most
        self._monotonic = monotonic
        self._lanes: dict[LaneKey, _Lane] = {}
        self._lock = threading.Lock()

    def note(self, lane: LaneKey, kind: Kind, seconds: float, error: Exception | None) -> int:
        """Note a call that took so long and ended so; gives how many the lane may make at a time from now on."""
        with self._lock:
            state = self._lanes.setdefault(lane, _Lane(self._most))
            now = self._monotonic()
            whose = Blame.NOBODY if error is None else blame(error)
            # 429, 5xx, no answer, no connection: all of them may come from too many calls.
            strained = whose in (Blame.LANE, Blame.EITHER) and not isinstance(error, CredentialsRefused)
            if whose is Blame.NOBODY:
                strained = state.times.setdefault(kind, _Times(seconds, seconds)).note(seconds)
            if now - seconds < state.cut_at or whose is Blame.OURS:
                return state.width  # it began before the lane made itself small, or tells nothing about SALESmanago
            if strained:
                state.width, state.good, state.cut_at = max(state.width // 2, 1), 0, now
            elif state.width < self._most:
                state.good += 1
                if state.good >= GOOD_ANSWERS:
                    state.width, state.good = state.width + 1, 0
            return state.width

    def narrowed(self) -> Mapping[LaneKey, int]:
        """Give the lanes that make fewer calls at a time than they might, and how many they make."""
        with self._lock:
            return {lane: state.width for lane, state in self._lanes.items() if state.width < self._most}


def kind_of(report: Report) -> Kind:
    """Tell what kind of call an attempt was."""
    return report.outcomes[0].command.kind, len(report.outcomes).bit_length()
