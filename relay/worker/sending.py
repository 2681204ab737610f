"""One attempt: the call that carries out a batch, or looks for what a lost call did, and its outcome per command."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from relay.clock import Clock
from relay.commands import CommandKind, Outcome, StoredCommand, Verdict
from relay.errors import DispatchError
from relay.log import get_logger
from relay.salesmanago.client import Client
from relay.salesmanago.replies import Answer
from relay.salesmanago.search import Search
from relay.shops import Group
from relay.worker.batching import refused_words
from relay.worker.retry import Schedule, is_doubtful

FOUND = "The call whose answer was lost had been taken: the event is in the contact's card."
MISSING = "The call whose answer was lost had not been taken: the event is not in the contact's card. It is sent again."
NAMELESS = "The event is in the contact's card, but without an id of its own: look there before it is requeued."
UNCLEAR = "Whether the event was taken cannot be told from the contact's card: look there before it is requeued."
SPENT = "Given up: every attempt was begun, and of the last one nothing was heard again."
BROKEN = "The relay itself failed while it was sending ({}); see its log."
COMPANY_REFUSED = "Refused for other products of the same call; sent again without them."
SAID = "A later command of the same call said all that this one says."

_WELL = (Verdict.DONE, Verdict.SUPERSEDED)
_PLACE = re.compile(r"products\[(\d+)\]")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an attempt. ``error`` is what the call raised, ``seconds`` how long it took: None without a call."""

    outcomes: tuple[Outcome, ...]
    error: Exception | None = None
    seconds: float | None = None

    @property
    def went_well(self) -> bool:
        """Whether all its commands are through."""
        return all(outcome.verdict in _WELL for outcome in self.outcomes)


class Sender:
    """Makes the calls. Safe for threads."""

    def __init__(
        self, client: Client, schedule: Schedule, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._schedule = schedule
        self._clock = clock
        self._monotonic = monotonic

    def send(self, group: Group, begun: Sequence[StoredCommand], said: Sequence[StoredCommand] = ()) -> Report:
        """Make the one call of an attempt that has begun; raises nothing. ``said`` are superseded if it succeeds."""
        first = begun[0]
        if len(begun) == 1 and not said and self._schedule.is_spent(first) and not is_doubtful(first):
            return Report((Outcome(first, Verdict.DEAD, SPENT),))
        started = self._monotonic()
        error: Exception | None = None
        called = True
        try:
            if is_doubtful(first):
                outcomes = [self._found(first, self._client.find_event(group, first))]
            else:
                answer = self._client.send(group, begun)
                called = answer.status is not None
                outcomes = [_done(command, answer, place) for place, command in enumerate(begun)]
                outcomes += [Outcome(command, Verdict.SUPERSEDED, SAID) for command in said]
        except Exception as failure:
            error = failure
            outcomes = self._failed(begun, said, failure)
        seconds = self._monotonic() - started
        timed = tuple(replace(each, duration_ms=round(seconds * 1000)) for each in outcomes)
        return Report(timed, error, seconds if called else None)

    def _found(self, command: StoredCommand, search: Search) -> Outcome:
        if not search.conclusive:
            return Outcome(command, Verdict.UNCERTAIN, NAMELESS if search.found else UNCLEAR)
        if search.found and command.doubted:
            # What was found is what an earlier command asked for; this one's content goes over it, by its id.
            found = Outcome(command, Verdict.RETRY, FOUND, due_at=self._clock.now(), event_id=search.event_id)
            return replace(found, ends_doubt=True)
        if search.found:
            return Outcome(command, Verdict.DONE, FOUND, event_id=search.event_id)
        if self._schedule.is_spent(command):
            return Outcome(command, Verdict.DEAD, SPENT)
        # To be sent by an attempt of its own: each makes one call, within one lease and one turn of the pace.
        return Outcome(command, Verdict.RETRY, MISSING, due_at=self._clock.now(), ends_doubt=command.doubted)

    def _failed(self, begun: Sequence[StoredCommand], said: Sequence[StoredCommand], error: Exception) -> list[Outcome]:
        refused = refused_words(error, len(begun))
        if refused:
            outcomes = [
                Outcome(command, Verdict.DEAD, refused[place], _status(error))
                if place in refused
                else Outcome(command, Verdict.RELEASED, COMPANY_REFUSED, _status(error))
                for place, command in enumerate(begun)
            ]
            # What was to be superseded by a refused one is not said any more.
            return [*outcomes, *(Outcome(each, Verdict.RELEASED, COMPANY_REFUSED, _status(error)) for each in said)]
        together = [*begun, *said]
        if not isinstance(error, DispatchError):
            log.error("send_broke", commands=[command.id for command in together], exc_info=error)
        now = self._clock.now()
        return [self._failure(command, error, now, shared=len(together) > 1) for command in together]

    def _failure(self, command: StoredCommand, error: Exception, now: datetime, *, shared: bool) -> Outcome:
        decision = self._schedule.after(error, command, shared=shared)
        return Outcome(
            command,
            decision.verdict,
            str(error) if isinstance(error, DispatchError) else BROKEN.format(type(error).__name__),
            _status(error),
            due_at=now + timedelta(seconds=decision.wait_s),
            answer_lost=decision.answer_lost,
        )


def _done(command: StoredCommand, answer: Answer, place: int) -> Outcome:
    return Outcome(
        command,
        Verdict.DONE,
        answer.message,
        answer.status,
        contact_id=answer.contact_id,
        event_id=answer.event_id if command.kind is CommandKind.EVENT_PUT else None,  # a pair's answer has both
        problems=tuple(words for words in answer.problems if _concerns(words, place)),
    )


def _concerns(words: str, place: int) -> bool:
    """Tell whether a warning is about the product at this place, or about no product in particular."""
    named = _PLACE.match(words)
    return named is None or int(named[1]) == place


def _status(error: Exception) -> int | None:
    return error.status if isinstance(error, DispatchError) else None
