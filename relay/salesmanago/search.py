"""After a lost answer: is the event in the contact's card, and under which id?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

_SAME_SECOND_MS = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """What a card tells. Not ``conclusive``: it may or may not be there, or is there without a usable id."""

    found: bool
    event_id: str | None = None
    conclusive: bool = True


MISSING = Search(found=False)
UNCLEAR = Search(found=False, conclusive=False)
NAMELESS = Search(found=True, conclusive=False)


def find_in_card(card: Mapping[str, Any], event: Mapping[str, Any]) -> Search:
    """Look for the ``contactEvent`` that was sent among the events of a full card.

    An event is the same when type, external id and date are; without an external id, when type, date, value and
    products are. Of several such events the value decides. The form of a card's events is known from other clients
    only, so a key that is absent counts as "may be equal".
    """
    listed = card.get("contactExtEvents")
    if not isinstance(listed, list):
        return UNCLEAR
    entries = [entry for entry in listed if isinstance(entry, dict)]
    comparisons = [(entry, _same(entry, event)) for entry in entries]
    matches = [entry for entry, same in comparisons if same]
    if matches:
        return _identified(matches, event)
    return UNCLEAR if any(same is None for _, same in comparisons) else MISSING


def _identified(matches: Sequence[Mapping[str, Any]], event: Mapping[str, Any]) -> Search:
    if len(matches) > 1:
        matches = [entry for entry in matches if _same_value(entry, event)]
    if len(matches) != 1:
        return NAMELESS
    # The key's name is not documented; both spellings have been met.
    event_id = matches[0].get("eventId") or matches[0].get("id")
    return Search(found=True, event_id=str(event_id)) if event_id else NAMELESS


def _same(entry: Mapping[str, Any], event: Mapping[str, Any]) -> bool | None:
    """Compare an entry with what was sent: True, False, or None when the entry does not say enough."""
    verdicts = [_same_text("contactExtEventType", entry, event), _same_second(entry, event)]
    if "externalId" in event:
        verdicts.append(_same_text("externalId", entry, event))
    else:
        verdicts += [_same_value(entry, event), _same_text("products", entry, event)]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _same_text(key: str, entry: Mapping[str, Any], event: Mapping[str, Any]) -> bool | None:
    if key not in entry:
        return True if key not in event else None
    return (entry[key] or None) == event.get(key) or str(entry[key]) == event.get(key)


def _same_second(entry: Mapping[str, Any], event: Mapping[str, Any]) -> bool | None:
    """Compare dates in milliseconds, allowing for one that was stored in whole seconds."""
    date = _number(entry.get("date"))
    return None if date is None else abs(date - event["date"]) < _SAME_SECOND_MS


def _same_value(entry: Mapping[str, Any], event: Mapping[str, Any]) -> bool | None:
    value = _number(entry.get("value"))
    if value is None:
        return True if "value" not in event else None
    return value == event.get("value")


def _number(value: object) -> Decimal | None:
    """Read a number of a card, None for what is none."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
