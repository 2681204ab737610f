"""A contact and its event in one call, against the simulator: what both get, and what each failure leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from relay.clock import ManualClock
from relay.commands import CommandKind, StoredCommand
from relay.errors import AnswerLost, CredentialsRefused, TemporaryFailure, Throttled, UnclearRefusal
from relay.salesmanago.client import Client
from relay.salesmanago.replies import Answer
from relay.salesmanago.search import Search
from tests.support.outgoing import NOW, command, group_at
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.working import a_group, calls, events, fault, holdings

PATH = "/api/integration/upsert"
ANNA = {"contact": {"email": "anna@example.com", "name": "Anna"}, "forceOptIn": True, "useApiDoubleOptIn": False}
EVENT = {"date": 1767261600000, "contactExtEventType": "PURCHASE", "value": Decimal("249.90"), "externalId": "1001"}


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client(ManualClock(NOW), connect_timeout_s=1, read_timeout_s=0.5)
    yield made
    made.close()


def pair(**event: Any) -> list[StoredCommand]:
    return [
        command(CommandKind.CONTACT_UPSERT, ANNA),
        command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, **event),
    ]


def test_pair_is_carried_out_by_one_call(client: Client, sandbox: RunningSandbox) -> None:
    answer = client.send(a_group(sandbox.url), pair())
    [contact] = holdings(sandbox).contacts.values()
    [event] = events(sandbox)
    assert answer == Answer(status=200, contact_id=contact.contact_id, event_id=event.event_id)
    assert (contact.fields["name"], contact.opted_out) == ("Anna", False)
    assert (event.contact_id, event.fields["value"]) == (contact.contact_id, Decimal("249.90"))
    assert [entry.path for entry in calls(sandbox)] == [PATH]


def test_pair_updates_the_event_whose_id_is_known(client: Client, sandbox: RunningSandbox) -> None:
    group = a_group(sandbox.url)
    first = client.send(group, pair())
    changed = command(CommandKind.EVENT_PUT, {"contactEvent": {**EVENT, "value": 7}}, event_id=first.event_id)
    assert client.send(group, [pair()[0], changed]) == first
    assert [event.fields["value"] for event in events(sandbox)] == [7]


def test_pair_does_the_same_as_both_sent_singly(client: Client, sandbox: RunningSandbox) -> None:
    group = a_group(sandbox.url)
    client.send(group, pair())
    together = holdings(sandbox).as_dict()
    sandbox.state.reset()
    for single in pair():
        client.send(group, [single])
    assert without_ids(holdings(sandbox).as_dict()) == without_ids(together)
    assert len(calls(sandbox)) == 2


def without_ids(value: Any) -> Any:
    """Leave out what differs from one life of the simulator to the next."""
    passing = {"contact_id", "event_id", "created_on", "modified_on"}
    if isinstance(value, dict):
        return {name: without_ids(inner) for name, inner in value.items() if name not in passing}
    return [without_ids(inner) for inner in value] if isinstance(value, list) else value


def test_pair_about_a_contact_that_was_deleted_there_makes_it_anew(client: Client, sandbox: RunningSandbox) -> None:
    answer = client.send(a_group(sandbox.url), pair(contact_id="gone"))
    assert list(holdings(sandbox).contacts) == [answer.contact_id]
    assert [event.contact_id for event in events(sandbox)] == [answer.contact_id]


@pytest.mark.parametrize(
    ("kind", "own", "error", "effects"),
    [
        ("drop_answer", {}, AnswerLost, 1),
        ("drop_answer", {"seconds": 30}, AnswerLost, 1),
        ("hang", {"seconds": 30}, AnswerLost, 0),
        ("garble", {}, AnswerLost, 0),
        ("fail", {"status": 502}, AnswerLost, 0),
        ("fail", {"status": 500}, TemporaryFailure, 0),
        ("throttle", {"retry_after": 7}, Throttled, 0),
        ("auth", {}, CredentialsRefused, 0),
        ("refuse", {"text": "No"}, UnclearRefusal, 0),
    ],
)
def test_failed_pair(
    client: Client, sandbox: RunningSandbox, kind: str, own: dict[str, Any], error: type[Exception], effects: int
) -> None:
    fault(sandbox, kind, **own)
    with pytest.raises(error) as caught:
        client.send(a_group(sandbox.url), pair())
    assert type(caught.value) is error
    assert (len(holdings(sandbox).contacts), len(events(sandbox))) == (effects, effects)
    assert len(calls(sandbox)) == 1


def test_slow_pair_is_done_when_it_comes_in_time(client: Client, sandbox: RunningSandbox) -> None:
    fault(sandbox, "slow", seconds=0.05)
    assert client.send(a_group(sandbox.url), pair()).event_id == events(sandbox)[0].event_id


def test_lost_pair_is_found_in_the_card(client: Client, sandbox: RunningSandbox) -> None:
    group = a_group(sandbox.url)
    fault(sandbox, "drop_answer")
    with pytest.raises(AnswerLost):
        client.send(group, pair())
    assert client.find_event(group, pair()[1]) == Search(found=True, event_id=events(sandbox)[0].event_id)


def test_lost_update_may_be_repeated(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_data("no", status=502)
    with pytest.raises(TemporaryFailure) as caught:
        client.send(group_at(httpserver.url_for("")), pair(event_id="e-1"))
    assert type(caught.value) is TemporaryFailure


@pytest.mark.parametrize(("switch", "contacts"), [("nothing", 0), ("contact", 1)])
def test_refused_event_refuses_the_pair_and_then_only_itself(
    client: Client, sandbox: RunningSandbox, switch: str, contacts: int
) -> None:
    sandbox.state.switches.turn({"integration_refused_event": switch})
    group, [upsert, put] = a_group(sandbox.url), pair()
    bad = replace(put, payload={"contactEvent": {**EVENT, "location": "Main Street 1"}})
    with pytest.raises(UnclearRefusal, match="location"):
        client.send(group, [upsert, bad])
    assert len(holdings(sandbox).contacts) == contacts
    client.send(group, [upsert])
    with pytest.raises(UnclearRefusal, match="location"):
        client.send(group, [bad])
    assert (len(holdings(sandbox).contacts), events(sandbox)) == (1, [])


def test_refusal_repeats_nothing_of_either_part(client: Client, httpserver: HTTPServer) -> None:
    words = "Anna of anna@example.com bought 1001-B for owner@example.com"
    httpserver.expect_request(PATH).respond_with_json({"success": False, "message": [words]})
    [upsert, put] = pair()
    put = replace(put, payload={"contactEvent": {**EVENT, "externalId": "1001-B"}})
    with pytest.raises(UnclearRefusal) as caught:
        client.send(group_at(httpserver.url_for("")), [upsert, put])
    assert str(caught.value) == "*** of *** bought *** for ***"


@pytest.mark.parametrize(
    ("event_id", "answered", "expected"),
    [
        (None, {"contactId": "c-2"}, ("c-2", None, 1)),
        (None, {"eventId": "e-2"}, ("c-1", "e-2", 0)),
        ("e-1", {}, ("c-1", "e-1", 0)),
    ],
)
def test_ids_that_the_answer_leaves_out(
    client: Client, httpserver: HTTPServer, event_id: str | None, answered: dict[str, str], expected: tuple[Any, ...]
) -> None:
    httpserver.expect_request(PATH).respond_with_json({"success": True, "message": [], **answered})
    answer = client.send(group_at(httpserver.url_for("")), pair(contact_id="c-1", event_id=event_id))
    assert (answer.contact_id, answer.event_id, len(answer.problems)) == expected
