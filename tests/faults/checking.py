"""Compares what the shops were told, what is in the store and what SALESmanago holds. Pure, but for ``look``."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from relay.commands import CommandKind, CommandState, Verdict
from relay.deliveries import DeliveryState
from relay.store import Store
from relay.store.views import CommandView, DeliveryView
from tests.faults.orders import Told, digest_of

_PAGE = 1000
_THROUGH = (DeliveryState.TRANSLATED, DeliveryState.IGNORED)

Key = tuple[str, str]
Place = tuple[str, str]
"""An event's kind and the order's external id."""


@dataclass(frozen=True)
class Found:
    """What there is after everything has settled."""

    deliveries: list[tuple[DeliveryView, bytes]]  # with the digest of the body
    commands: list[CommandView]
    events: Counter[Told]
    emails: set[str]


@dataclass
class Findings:
    """What the comparison came to. ``violations`` are sentences, of each kind the first few."""

    lost: int = 0  # acknowledged deliveries that are not in the store, or not as they were sent
    missing: int = 0  # events
    twice: int = 0
    excused: int = 0  # events that differ where the store says that it cannot know
    uncertain: int = 0  # commands
    dead: int = 0  # commands
    violations: list[str] = field(default_factory=list)

    def add(self, sentences: Iterable[str]) -> int:
        """Note violations; gives how many there were."""
        said = list(sentences)
        self.violations += said[:10] + ([f"... and {len(said) - 10} more like it"] if len(said) > 10 else [])
        return len(said)


def look(store: Store, events: Iterable[Mapping[str, Any]], contacts: Iterable[Mapping[str, Any]]) -> Found:
    """Read the whole store, with every body, beside the simulator's events and contacts."""
    deliveries = []
    for view in _all_deliveries(store):
        whole = store.reading.delivery(view.id)
        assert whole is not None and whole.body is not None
        deliveries.append((view, digest_of(whole.body)))
    told: Counter[Told] = Counter()
    for event in events:
        value = Decimal(str(event.get("value", 0)))
        told[Told(event["contactExtEventType"], event["location"], event["externalId"], value)] += 1
    return Found(deliveries, list(_all_commands(store)), told, {contact["email"].lower() for contact in contacts})


def check(
    sent: Mapping[Key, bytes], acknowledged: Iterable[Key], expected: Counter[Told], emails: set[str], found: Found
) -> Findings:
    """Compare: ``sent`` are the digests of all bodies delivered, ``expected`` the events these come to."""
    findings = Findings()
    _check_deliveries(findings, sent, set(acknowledged), found)
    _check_commands(findings, found)
    _check_events(findings, expected, found)
    findings.add(f"the contact {email} is missing" for email in sorted(emails - found.emails))
    return findings


def _check_deliveries(findings: Findings, sent: Mapping[Key, bytes], acknowledged: set[Key], found: Found) -> None:
    seen: Counter[Key] = Counter()
    altered, unfinished = [], []
    for view, digest in found.deliveries:
        key = (view.shop or "", view.delivery_id or "")
        seen[key] += 1
        if sent.get(key) not in (None, digest):
            altered.append(f"the body of delivery {view.id} {key} is not the one that was sent")
        if view.state not in _THROUGH:
            unfinished.append(f"delivery {view.id} {key} is {view.state}: {view.reason}")
    findings.lost += findings.add(
        f"the acknowledged delivery {key} is not stored" for key in acknowledged - seen.keys()
    )
    findings.lost += findings.add(altered)
    findings.add(unfinished)
    findings.add(f"delivery {key} is stored {number} times" for key, number in seen.items() if number > 1)
    findings.add(f"delivery {key} is stored and was never sent" for key in seen.keys() - sent.keys())


def _check_commands(findings: Findings, found: Found) -> None:
    by_state: defaultdict[str, list[CommandView]] = defaultdict(list)
    for command in found.commands:
        by_state[command.state].append(command)
    findings.uncertain = len(by_state[CommandState.UNCERTAIN])
    findings.dead = len(by_state[CommandState.DEAD])
    left = by_state[CommandState.CLAIMED] + by_state[CommandState.WAITING]
    findings.add(f"command {each.id} {each.kind} is still {each.state}" for each in left)
    findings.add(
        f"command {each.id} {each.kind} is dead without a reason"
        for each in by_state[CommandState.DEAD]
        if not each.last_error
    )
    findings.add(
        f"command {each.id} is uncertain although no answer was lost"
        for each in by_state[CommandState.UNCERTAIN]
        if not answer_was_lost(each)
    )


def answer_was_lost(command: CommandView) -> bool:
    """Tell whether an attempt was begun of which nobody knows what it did."""
    return any(each.finished_at is None or each.verdict in (None, Verdict.RETRY) for each in command.attempts)


def _check_events(findings: Findings, expected: Counter[Told], found: Found) -> None:
    uncertain = {place for each in found.commands if each.state is CommandState.UNCERTAIN for place in _places(each)}
    reasons = {place: each.last_error for each in found.commands for place in _places(each) if each.last_error}
    wanted, held = _by_place(expected), _by_place(found.events)
    missing: list[str] = []
    twice: list[str] = []
    other: list[str] = []
    for place in sorted(wanted.keys() | held.keys()):
        want, have = wanted.get(place, []), held.get(place, [])
        if want == have:
            continue
        if place in uncertain:
            findings.excused += 1
            continue
        words = f"{place[0]} of order {place[1]}: {_values(have)} instead of {_values(want)}; {reasons.get(place)}"
        (missing if len(have) < len(want) else twice if len(have) > len(want) else other).append(words)
    findings.missing = findings.add(missing)
    findings.twice = findings.add(twice)
    findings.add(other)


def _by_place(told: Counter[Told]) -> dict[Place, list[Decimal]]:
    places: defaultdict[Place, list[Decimal]] = defaultdict(list)
    for event in told.elements():
        places[event.kind, f"{event.location} {event.order}"].append(event.value)
    return {place: sorted(values) for place, values in places.items()}


def _places(command: CommandView) -> Iterator[Place]:
    if command.kind is CommandKind.EVENT_PUT:
        with contextlib.suppress(KeyError):
            event = command.payload["contactEvent"]
            yield event["contactExtEventType"], f"{event['location']} {event['externalId']}"


def _values(values: list[Decimal]) -> str:
    return " and ".join(map(str, values)) or "none"


def _all_deliveries(store: Store) -> Iterator[DeliveryView]:
    before = None
    while page := store.reading.deliveries(limit=_PAGE, before_id=before):
        yield from page
        before = page[-1].id


def _all_commands(store: Store) -> Iterator[CommandView]:
    before = None
    while page := store.reading.commands(limit=_PAGE, before_id=before):
        yield from page
        before = page[-1].id
