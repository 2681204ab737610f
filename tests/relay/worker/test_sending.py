"""One attempt with a client that answers as it is told; nothing is stored here."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from relay.commands import CommandKind, Verdict
from relay.errors import AnswerLost, CatalogRefused, CommandRefused, TemporaryFailure, Unreachable
from relay.salesmanago.replies import Answer
from relay.salesmanago.search import MISSING, NAMELESS, UNCLEAR, Search
from relay.worker import sending
from relay.worker.retry import Schedule
from relay.worker.sending import Sender
from tests.support.outgoing import command
from tests.support.working import FakeClient, a_group

LEASE_S = 60.0


@pytest.fixture
def client(clock):
    return FakeClient(clock)


@pytest.fixture
def send(client, clock):
    ticks = iter(range(1000))
    sender = Sender(client, Schedule(30, LEASE_S, lambda: 0.0), clock, monotonic=lambda: next(ticks) * 0.25)
    return lambda *begun: sender.send(a_group(), begun)


def upsert(**changes):
    return command(CommandKind.CONTACT_UPSERT, {}, **changes)


def event(**changes):
    return command(CommandKind.EVENT_PUT, {"contactEvent": {}}, **changes)


def products(count, **changes):
    return [command(CommandKind.PRODUCT_UPSERT, {}, id=number, **changes) for number in range(count)]


def verdicts(report):
    return [outcome.verdict for outcome in report.outcomes]


def test_success_brings_everything_the_answer_said(send, client):
    client.answers.append(Answer(200, "fine", contact_id="c-1", event_id="e-1", problems=("cut",)))
    report = send(upsert(), event())
    [outcome, added] = report.outcomes
    assert (outcome.verdict, outcome.message, outcome.status) == (Verdict.DONE, "fine", 200)
    assert (outcome.contact_id, outcome.event_id, outcome.problems) == ("c-1", None, ("cut",))
    assert (added.contact_id, added.event_id) == ("c-1", "e-1")
    assert (outcome.duration_ms, report.seconds, report.error) == (250, 0.25, None)


def test_failure_brings_the_vendors_words_and_when_to_try_again(send, client, clock):
    error = TemporaryFailure("Answered 503.", status=503)
    client.answers.append(error)
    report = send(upsert(attempts=2))
    [outcome] = report.outcomes
    assert (outcome.verdict, outcome.message, outcome.status) == (Verdict.RETRY, "Answered 503.", 503)
    assert (outcome.due_at - clock.now()).total_seconds() == 8
    assert (outcome.duration_ms, report.error) == (250, error)


def test_success_without_a_call_tells_nothing_about_the_lane(send, client):
    client.answers.append(Answer(message="Nothing to delete"))
    assert send(command(CommandKind.EVENT_DELETE, {})).seconds is None


def test_warnings_of_a_batch_go_to_the_products_they_are_about(send, client):
    told = ("products[1].brand|max:10|Value was trimmed", "products[10].x", "Catalogue is nearly full")
    client.answers.append(Answer(200, problems=told))
    assert [outcome.problems for outcome in send(*products(3)).outcomes] == [told[2:], (told[0], told[2]), told[2:]]


def test_partly_refused_batch_kills_the_refused_and_frees_the_others(send, client):
    client.answers.append(CatalogRefused("no", status=400, items={1: "no name", 3: "no category"}))
    report = send(*products(4))
    assert verdicts(report) == [Verdict.RELEASED, Verdict.DEAD, Verdict.RELEASED, Verdict.DEAD]
    assert [outcome.message for outcome in report.outcomes] == [
        sending.COMPANY_REFUSED,
        "no name",
        sending.COMPANY_REFUSED,
        "no category",
    ]
    assert {outcome.status for outcome in report.outcomes} == {400}


@pytest.mark.parametrize("items", [{}, {7: "beyond the batch"}])
def test_refusal_of_a_whole_batch_kills_nobody(send, client, items):
    client.answers.append(CatalogRefused("no", status=400, items=items))
    assert verdicts(send(*products(3))) == [Verdict.RETRY] * 3


@pytest.mark.parametrize("items", [{}, {0: "no name"}])
def test_refusal_of_one_product_alone_kills_it(send, client, items):
    client.answers.append(CatalogRefused("no", status=400, items=items))
    assert verdicts(send(*products(1))) == [Verdict.DEAD]


@pytest.mark.parametrize(
    ("search", "verdict", "message", "event_id"),
    [
        (Search(found=True, event_id="e-7"), Verdict.DONE, sending.FOUND, "e-7"),
        (MISSING, Verdict.RETRY, sending.MISSING, None),
        (UNCLEAR, Verdict.UNCERTAIN, sending.UNCLEAR, None),
        (NAMELESS, Verdict.UNCERTAIN, sending.NAMELESS, None),
    ],
)
def test_lost_event_is_looked_for_and_not_sent(send, client, clock, search, verdict, message, event_id):
    client.searches.append(search)
    [outcome] = send(event(answer_lost=True, attempts=1)).outcomes
    assert (outcome.verdict, outcome.message, outcome.event_id) == (verdict, message, event_id)
    assert [sent.search for sent in client.sent] == [True]
    if verdict is Verdict.RETRY:
        assert (outcome.due_at, outcome.answer_lost) == (clock.now(), False)


def test_look_that_failed_leaves_the_question_open(send, client):
    client.searches.append(TemporaryFailure("Answered 503."))
    [outcome] = send(event(answer_lost=True, attempts=1)).outcomes
    assert (outcome.verdict, outcome.answer_lost) == (Verdict.RETRY, True)


@pytest.mark.parametrize(
    "lost",
    [upsert(answer_lost=True), event(answer_lost=True, event_id="e-1"), products(1, answer_lost=True)[0]],
)
def test_what_may_be_repeated_is_not_looked_for(send, client, lost):
    assert verdicts(send(lost)) == [Verdict.DONE]
    assert [sent.search for sent in client.sent] == [False]


def test_command_whose_every_attempt_ended_with_the_worker_is_not_sent_again(send, client):
    report = send(upsert(attempts=30, answer_lost=True))
    assert (verdicts(report), report.seconds, client.sent) == ([Verdict.DEAD], None, [])


@pytest.mark.parametrize(("search", "verdict"), [(MISSING, Verdict.DEAD), (Search(True, "e-1"), Verdict.DONE)])
def test_event_that_was_lost_at_the_last_attempt_is_still_looked_for(send, client, search, verdict):
    client.searches.append(search)
    assert verdicts(send(event(attempts=30, answer_lost=True))) == [verdict]


@pytest.mark.parametrize(("begun", "lost"), [([upsert()], True), ([event()], True), (products(2), True)])
def test_fault_of_ours_is_logged_and_taken_for_a_lost_answer(send, client, begun, lost):
    client.answers.append(KeyError("ann@example.com"))
    with capture_logs() as logs:
        report = send(*begun)
    assert verdicts(report) == [Verdict.RETRY] * len(begun)
    assert {outcome.answer_lost for outcome in report.outcomes} == {lost}
    assert "example.com" not in "".join(outcome.message for outcome in report.outcomes)
    assert [line["event"] for line in logs] == ["send_broke"]


@pytest.mark.parametrize("error", [Unreachable("no connection"), AnswerLost("gone"), CommandRefused("no", status=200)])
def test_expected_failures_are_no_faults_of_ours(send, client, error):
    client.answers.append(error)
    with capture_logs() as logs:
        report = send(upsert())
    assert (report.error, logs) == (error, [])
