"""The comparison behind the fault runs finds what it is there to find."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from relay.commands import CommandKind, CommandState, Verdict
from relay.store.views import AttemptView, CommandView, DeliveryView
from tests.faults.chaos import Kill
from tests.faults.checking import Findings, Found, check
from tests.faults.orders import FIRST_SHOPIFY, Orders, Told, digest_of
from tests.faults.resuming import resuming

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY, BODY = ("nordljus", "1"), digest_of(b"{}")
TOLD = Told("PURCHASE", "nordljus_shop", "61", Decimal("40.00"))


def _delivery(**own: Any) -> DeliveryView:
    whole = {"id": 1, "shop": KEY[0], "delivery_id": KEY[1], "state": "translated", "reason": None}
    return cast(DeliveryView, SimpleNamespace(**whole | own))


def _attempt(number: int, at_s: float, verdict: Verdict | None) -> AttemptView:
    started = NOW + timedelta(seconds=at_s)
    return AttemptView(number, started, started, None, None, verdict, None)


def _command(state: CommandState, *attempts: AttemptView, **own: Any) -> CommandView:
    event = {"contactExtEventType": TOLD.kind, "location": TOLD.location, "externalId": TOLD.order}
    whole = {
        "id": 5,
        "kind": CommandKind.EVENT_PUT,
        "state": state,
        "payload": {"contactEvent": event},
        "last_error": "It said no.",
        "created_at": NOW,
        "attempts": attempts,
    }
    return cast(CommandView, SimpleNamespace(**whole | own))


def _fine() -> Found:
    return Found([(_delivery(), BODY)], [], Counter([TOLD]), {"buyer@example.com"})


def _checked(found: Found) -> Findings:
    return check({KEY: BODY}, {KEY}, Counter([TOLD]), {"buyer@example.com"}, found)


def test_nothing_is_said_when_all_is_well() -> None:
    findings = _checked(_fine())
    assert (findings.violations, findings.lost, findings.missing, findings.twice) == ([], 0, 0, 0)


@pytest.mark.parametrize(
    ("deliveries", "words", "lost"),
    [
        ([], "is not stored", 1),
        ([(_delivery(), digest_of(b"[]"))], "is not the one that was sent", 1),
        ([(_delivery(state="dead"), BODY)], "is dead", 0),
        ([(_delivery(), BODY), (_delivery(id=2), BODY)], "is stored 2 times", 0),
        ([(_delivery(), BODY), (_delivery(id=2, delivery_id="9"), BODY)], "was never sent", 0),
    ],
)
def test_deliveries_that_are_not_as_they_were_sent_are_found(
    deliveries: list[tuple[DeliveryView, bytes]], words: str, lost: int
) -> None:
    findings = _checked(replace(_fine(), deliveries=deliveries))
    assert words in "\n".join(findings.violations)
    assert findings.lost == lost


@pytest.mark.parametrize(
    ("events", "missing", "twice"),
    [
        (Counter(), 1, 0),
        (Counter([TOLD, TOLD]), 0, 1),
        (Counter([TOLD._replace(value=Decimal("41.00"))]), 0, 0),
        (Counter([TOLD, TOLD._replace(kind="CART")]), 0, 1),
    ],
)
def test_events_that_are_not_as_expected_are_found(events: Counter[Told], missing: int, twice: int) -> None:
    findings = _checked(replace(_fine(), events=events))
    assert (findings.missing, findings.twice) == (missing, twice)
    assert len(findings.violations) == 1


def test_an_uncertain_command_excuses_its_event_when_an_answer_was_lost() -> None:
    command = _command(CommandState.UNCERTAIN, _attempt(1, 0, None))
    findings = _checked(replace(_fine(), commands=[command], events=Counter()))
    assert (findings.violations, findings.uncertain, findings.excused) == ([], 1, 1)
    command = _command(CommandState.UNCERTAIN, _attempt(1, 0, Verdict.UNCERTAIN))
    assert _checked(replace(_fine(), commands=[command])).violations != []


@pytest.mark.parametrize(
    "command",
    [_command(CommandState.CLAIMED), _command(CommandState.WAITING), _command(CommandState.DEAD, last_error=None)],
)
def test_commands_that_are_left_or_given_up_silently_are_found(command: CommandView) -> None:
    assert len(_checked(replace(_fine(), commands=[command])).violations) == 1


def test_a_missing_contact_is_found() -> None:
    assert _checked(replace(_fine(), emails=set())).violations == ["the contact buyer@example.com is missing"]


def test_waits_are_counted_from_the_kill_that_cut_an_attempt_off() -> None:
    command = _command(CommandState.DONE, _attempt(1, 1, None), _attempt(2, 9, Verdict.DONE), created_at=NOW)
    upsert = _command(CommandState.DONE, created_at=NOW + timedelta(seconds=5), kind=CommandKind.CONTACT_UPSERT)
    kills = [Kill("worker", NOW + timedelta(seconds=2), 0.5), Kill("web process", NOW + timedelta(seconds=8), 0.5)]
    waits = resuming(kills, [], [command, upsert])
    assert (waits.resumed_s, waits.calls_s, waits.events_s) == (3.0, None, 7.0)
    assert resuming(kills, [NOW + timedelta(seconds=4)], [command, upsert]).resumed_s is None


def test_the_same_seed_tells_the_same_orders() -> None:
    first, second, other = Orders(1, 0.5), Orders(1, 0.5), Orders(2, 0.5)
    for orders in (first, second, other):
        for _ in range(300):
            orders.next()
        orders.finish()
        assert len(list(iter(orders.next, None))) > 0
    assert first.expected == second.expected != other.expected
    assert {told.kind for told in first.expected} == {"PURCHASE", "RETURN", "CANCELLATION"}
    assert any(told.order == str(FIRST_SHOPIFY) for told in first.expected)
