"""What waiting commands of one subject amount to: a newer one that says all that an older one says supersedes it. Pure.

SALESmanago leaves unchanged what an upsert does not name. So two upserts are merged field by field, and the merged one
leaves the contact or product as both of them would have, one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from relay.commands import CommandKind, EventKey, StoredCommand

# What happens at the moment of the call, so that a later one does not say it again.
_NOT_MERGED = ("newEmail", "consentDetails", "useApiDoubleOptIn")
_CHANNELS = (("forceOptIn", "forceOptOut"), ("forcePhoneOptIn", "forcePhoneOptOut"))
_CLEARED = "setAsNull"


@dataclass(frozen=True, slots=True)
class Call:
    """Commands that one call settles.

    sent  what the call carries out: one command, a contact with an event of it, or up to 100 products
    said  older commands that say nothing beyond that: with the call they are superseded
    """

    sent: tuple[StoredCommand, ...]
    said: tuple[StoredCommand, ...] = ()

    @property
    def commands(self) -> tuple[StoredCommand, ...]:
        """All of them."""
        return *self.sent, *self.said

    @property
    def ends_chain(self) -> bool:
        """Whether it changes who the commands after it are about, so that these have to be looked up anew."""
        first = self.sent[0]
        return first.kind is CommandKind.CONTACT_DELETE or bool(first.payload.get("newEmail"))


def plan(commands: Sequence[StoredCommand]) -> list[Call]:
    """Give the calls that carry out commands of one contact or product, in order; they may end before the last command.

    Only commands that were never tried are merged or share a call: what went wrong with one must stay its own.
    """
    calls: list[Call] = []
    together: list[StoredCommand] = []
    for command in commands:
        if _may_share(command):
            together.append(command)
            continue
        calls += _shared(together)
        together = []
        calls.append(Call((command,)))
        if calls[-1].ends_chain:
            return calls
    return calls + _shared(together)


def merged(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Give one upsert (of a contact or a product) that leaves what ``older`` and then ``newer`` would."""
    both = _under(older, newer)
    for flags in _CHANNELS:
        if any(newer.get(flag) for flag in flags):
            both.update({flag: newer.get(flag, False) for flag in flags if flag in both})
        else:
            both.update({flag: older.get(flag, False) for flag in flags if flag in both})
    for here, there in (("tags", "removeTags"), ("removeTags", "tags")):
        kept = [tag for tag in older.get(here, ()) if tag not in newer.get(there, ())]
        _put(both, here, list(dict.fromkeys([*kept, *newer.get(here, ())])))
    cleared, named = newer.get(_CLEARED, ()), _names(newer)
    still_cleared = [name for name in older.get(_CLEARED, ()) if name not in named]
    both = _without(both, cleared)
    _put(both, _CLEARED, list(dict.fromkeys([*still_cleared, *cleared])))
    return both


def _may_share(command: StoredCommand) -> bool:
    if command.attempts or command.answer_lost or command.doubted or command.kind is CommandKind.CONTACT_DELETE:
        return False
    return not any(command.payload.get(name) for name in _NOT_MERGED)


def _shared(commands: Sequence[StoredCommand]) -> list[Call]:
    """Give the calls for commands that were never tried: an upsert of all upserts, then each event's newest state."""
    upserts = [each for each in commands if each.kind in (CommandKind.CONTACT_UPSERT, CommandKind.PRODUCT_UPSERT)]
    events = _newest([each for each in commands if each not in upserts])
    if not upserts:
        return events
    upsert, said = upserts[-1], tuple(upserts[:-1])
    if said or upsert.payload.get(_CLEARED):  # else it goes as it is
        upsert = replace(upsert, payload=reduce(merged, (each.payload for each in upserts), {}))
    if events and events[0].sent[0].kind is CommandKind.EVENT_PUT:
        first = events.pop(0)
        return [Call((upsert, *first.sent), (*said, *first.said)), *events]
    return [Call((upsert,), said), *events]


def _newest(commands: Sequence[StoredCommand]) -> list[Call]:
    """Leave out what is said of an event and changed at once: an update replaces the whole event."""
    calls: list[Call] = []
    last: dict[EventKey, int] = {}
    for command in commands:
        place = last.get(command.event) if command.event else None
        if place is not None and calls[place].sent[0].kind is CommandKind.EVENT_PUT:
            calls[place] = Call((command,), (*calls[place].said, *calls[place].sent))
        else:
            calls.append(Call((command,)))
            if command.event:
                last[command.event] = len(calls) - 1
    return calls


def _under(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(older)
    for key, value in newer.items():
        nested = isinstance(value, Mapping) and isinstance(both.get(key), Mapping)
        both[key] = _under(both[key], value) if nested else value
    return both


def _names(payload: Mapping[str, Any]) -> set[str]:
    nested = (value for value in payload.values() if isinstance(value, Mapping))
    return {*payload, *(name for value in nested for name in _names(value))}


def _without(payload: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Leave names out on every level: fields that are cleared are named without the object they are in."""
    kept = {name: value for name, value in payload.items() if name not in names}
    return {name: _without(value, names) if isinstance(value, Mapping) else value for name, value in kept.items()}


def _put(payload: dict[str, Any], key: str, values: list[Any]) -> None:
    if values:
        payload[key] = values
    else:
        payload.pop(key, None)
