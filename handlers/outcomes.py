"""What became of a REST write, from its delivery and commands: the status and the body of its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from relay.commands import CommandKind, CommandState
from relay.deliveries import DeliveryState
from relay.store import CommandView
from schemas.api_answers import problem

_OPEN = frozenset({CommandState.WAITING, CommandState.CLAIMED})
_GOOD = frozenset({CommandState.DONE, CommandState.SUPERSEDED})
_TO_BE_TRANSLATED = frozenset({DeliveryState.RECEIVED, DeliveryState.HELD})

_STORED = "Stored; SALESmanago has not answered yet."
_UNTRANSLATED = "It could not be translated."
_PARTLY = "Not every product was taken; see problems."
_WORDS = {
    CommandState.SUPERSEDED: "A newer request about the same thing took its place before it was sent.",
    CommandState.UNCERTAIN: "It was sent, but the answer was lost and SALESmanago's records do not tell its outcome.",
    CommandState.DROPPED: "An operator decided against sending it.",
    CommandState.DEAD: "SALESmanago refused it.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a write. ``settled`` is False while there is more to wait for."""

    settled: bool
    success: bool
    messages: tuple[str, ...]
    more: dict[str, Any]

    @property
    def status(self) -> HTTPStatus:
        """200 once it is settled, however it ended; 202 before."""
        return HTTPStatus.OK if self.settled else HTTPStatus.ACCEPTED


def outcome(
    state: DeliveryState,
    reason: str | None,
    warnings: Sequence[str],
    commands: Sequence[CommandView],
    product_ids: Sequence[str] = (),
) -> Outcome:
    """Tell what became of a delivery in ``state`` with its ``warnings`` and ``commands``.

    ``product_ids`` are those of products that no command is needed for. A list of products was a success when one of
    them was taken; the others are problems.
    """
    more = _known(commands, product_ids) | _problems(warnings, commands)
    if state in {DeliveryState.DEAD, DeliveryState.IGNORED}:
        return Outcome(True, False, (reason or _UNTRANSLATED,), more)
    if state in _TO_BE_TRANSLATED or any(command.state in _OPEN for command in commands):
        return Outcome(False, True, (_STORED, *_words(commands)), more)
    taken = [command.state in _GOOD for command in commands]
    messages = (_PARTLY,) if any(taken) and not all(taken) else tuple(_words(commands))
    return Outcome(True, any(taken) or not taken, messages, more)


def pending() -> Outcome:
    """Tell that it is stored and no more, for when its state cannot be read."""
    return Outcome(False, True, (_STORED,), {})


def _words(commands: Iterable[CommandView]) -> list[str]:
    """Give what there is to say about each command, each sentence once."""
    told = (each.last_error or _WORDS.get(each.state) for each in commands if each.state != CommandState.DONE)
    return list(dict.fromkeys(words for words in told if words))


def _known(commands: Sequence[CommandView], product_ids: Sequence[str]) -> dict[str, Any]:
    """Give the ids SALESmanago knows things by, as far as they are known."""
    products = (each for each in commands if each.kind == CommandKind.PRODUCT_UPSERT and each.state in _GOOD)
    taken = [*product_ids, *map(_product_id, products)]
    known: dict[str, Any] = {"productIds": taken} if taken else {}
    for command in commands:
        known |= {} if command.contact_id is None else {"contactId": command.contact_id}
        known |= {} if command.event_id is None else {"eventId": command.event_id}
    return known


def _problems(warnings: Iterable[str], commands: Iterable[CommandView]) -> dict[str, Any]:
    problems = [problem(text) for text in warnings]
    for command in commands:
        problems += _problems_of(command)
    return {"problems": problems} if problems else {}


def _problems_of(command: CommandView) -> Iterator[dict[str, Any]]:
    """Tell what was changed on the way; of a product also that it was not taken, since the others may have been."""
    about: dict[str, Any] = {}
    if command.kind == CommandKind.PRODUCT_UPSERT:
        about = {"id": _product_id(command)}
        if command.state not in _GOOD | _OPEN:
            yield about | {"message": command.last_error or _WORDS[command.state]}
    for text in command.warnings:
        yield about | problem(text)


def _product_id(command: CommandView) -> str:
    return str(command.payload["productId"])
