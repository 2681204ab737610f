"""What follows when a call has failed: for its commands, and for the lane they were sent in. Pure decisions.

A command is to blame only for what SALESmanago said about it. What is the lane's trouble (no connection, too many
calls, wrong credentials) counts as nobody's attempt: the lane pauses, and its commands wait as long as it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from relay.commands import CommandKind, StoredCommand, Verdict
from relay.errors import (
    CommandRefused,
    CredentialsRefused,
    DispatchError,
    TemporaryFailure,
    Throttled,
    UnclearRefusal,
    Unreachable,
)

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 7200.0
JITTER = 0.25  # the share of a wait that is left to chance; the rest is certain, and so is what all of them add up to

RETRY_AFTER_S = (1.0, 3600.0)  # how far SALESmanago's own word is followed

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
REFUSED_PAUSE_S = 300.0
STRIKES = 3  # failures in a row that may be the commands' own before the lane pauses

# Together, in a small company and alone: before that a product may suffer for another's fault.
LEAST_PRODUCT_ATTEMPTS = 3

# Words nobody has met: a repeat within seconds would meet the same state of affairs.
_UNCLEAR_HEAD_START = 4

_TRANSLATION_WAITS_S = (5.0, 60.0, 300.0, 1800.0)
TRANSLATION_TRIES = len(_TRANSLATION_WAITS_S) + 1


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a command after a failed call; ``wait_s`` is for those that are tried again."""

    verdict: Verdict
    wait_s: float = 0.0
    answer_lost: bool = False


class Blame(Enum):
    """Whose fault a failure is, as far as one can tell."""

    NOBODY = auto()  # SALESmanago answered: the lane works
    LANE = auto()
    EITHER = auto()  # the lane's, or a command that SALESmanago cannot digest
    OURS = auto()  # tells nothing about the lane


def adds_event(command: StoredCommand) -> bool:
    """Tell whether a second call would make a second event; everything else may be repeated freely."""
    return command.kind is CommandKind.EVENT_PUT and not command.event_id


def is_doubtful(command: StoredCommand) -> bool:
    """Tell whether the command has to be looked for before it may be sent."""
    return (command.answer_lost or command.doubted) and adds_event(command)


def blame(error: Exception) -> Blame:
    """Tell whose fault a failure is."""
    if isinstance(error, CredentialsRefused | Throttled | Unreachable):
        return Blame.LANE
    if isinstance(error, UnclearRefusal | CommandRefused):
        return Blame.OURS if error.status is None else Blame.NOBODY  # without a status no call was made
    return Blame.EITHER if isinstance(error, DispatchError) else Blame.OURS


def pause_s(error: Exception, strikes: int) -> float | None:
    """Give the seconds a lane pauses after a failure, None when it goes on.

    ``strikes`` counts the failures in a row, this one included.
    """
    whose = blame(error)
    if isinstance(error, CredentialsRefused):
        return REFUSED_PAUSE_S
    if whose not in (Blame.LANE, Blame.EITHER):
        return None
    if isinstance(error, DispatchError) and error.retry_after_s is not None:
        return _clamped(error.retry_after_s)
    doublings = strikes - (1 if whose is Blame.LANE else STRIKES)
    return None if doublings < 0 else min(FIRST_PAUSE_S * 2.0 ** min(doublings, 32), LONGEST_PAUSE_S)


def translation_wait_s(tries: int) -> float | None:
    """Give the seconds until a delivery whose translation broke ``tries`` times is tried again, None for never."""
    return _TRANSLATION_WAITS_S[tries - 1] if tries < TRANSLATION_TRIES else None


class Schedule:
    """When a command is tried again, and when it is given up.

    With 30 attempts, an outage of a day is survived by the waits alone: they add up to 27 hours at least.
    """

    def __init__(self, max_attempts: int, lease_s: float, random: Callable[[], float]) -> None:
        """Take RELAY_MAX_ATTEMPTS, RELAY_LEASE_S and a source of numbers from 0 to 1."""
        self._max_attempts = max_attempts
        self._lease_s = lease_s
        self._random = random

    def is_spent(self, command: StoredCommand) -> bool:
        """Tell whether all attempts were begun before this one: those that ended with the worker count as well."""
        return command.attempts >= self._allowed(command)

    def after(self, error: Exception, command: StoredCommand, *, shared: bool = False) -> Decision:
        """Decide about a command whose attempt failed; ``shared`` when its call carried other commands too.

        After an AnswerLost, and after any exception that is no DispatchError, nobody knows what was done.
        """
        number = command.attempts + 1
        if blame(error) is Blame.LANE:
            return Decision(Verdict.RELEASED)
        if shared and command.kind is not CommandKind.PRODUCT_UPSERT and blame(error) is Blame.NOBODY:
            # Alone next time, see coalescing: the refusal may have been the other's. Whether a refused call leaves
            # a part of it done is not documented, so an event is looked for first.
            return Decision(Verdict.RETRY, answer_lost=adds_event(command))
        if isinstance(error, CommandRefused):
            return self._given_up(command, shared, 0.0)
        if isinstance(error, TemporaryFailure):
            wait_s = self._wait_after(error, number)
            if number >= min(self._allowed(command), error.max_attempts or number + 1):
                return self._given_up(command, shared, wait_s)
            return Decision(Verdict.RETRY, wait_s, answer_lost=is_doubtful(command))
        return self._after_silence(command, shared, number)

    def _after_silence(self, command: StoredCommand, shared: bool, number: int) -> Decision:
        """Decide when the effect of a call is not known."""
        wait_s = self._wait_s(number)
        if adds_event(command) and not command.answer_lost:
            # The next attempt only looks, so it is made even after the last one. SALESmanago may still be busy with
            # the call that we gave up on: it gets as long as the call of a worker that was killed.
            return Decision(Verdict.RETRY, max(wait_s, self._lease_s), answer_lost=True)
        if number >= self._allowed(command):
            return self._given_up(command, shared, wait_s)
        return Decision(Verdict.RETRY, wait_s, answer_lost=True)

    def _given_up(self, command: StoredCommand, shared: bool, wait_s: float) -> Decision:
        if shared:
            return Decision(Verdict.RETRY, wait_s)  # in smaller company next time, see batching
        return Decision(Verdict.UNCERTAIN if is_doubtful(command) else Verdict.DEAD)

    def _allowed(self, command: StoredCommand) -> int:
        least = LEAST_PRODUCT_ATTEMPTS if command.kind is CommandKind.PRODUCT_UPSERT else 1
        return max(self._max_attempts, least)

    def _wait_after(self, error: TemporaryFailure, number: int) -> float:
        wait_s = self._wait_s(number + (_UNCLEAR_HEAD_START if isinstance(error, UnclearRefusal) else 0))
        return wait_s if error.retry_after_s is None else max(wait_s, _clamped(error.retry_after_s))

    def _wait_s(self, number: int) -> float:
        longest = min(FIRST_WAIT_S * 2.0 ** min(number - 1, 32), LONGEST_WAIT_S)
        return longest * (1 - JITTER * self._random())


def _clamped(retry_after_s: float) -> float:
    least, most = RETRY_AFTER_S
    return min(max(retry_after_s, least), most)
