"""Lanes in trouble and answers that were lost: what pauses, what is repeated, and what never is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from relay.clock import epoch_ms
from relay.commands import CommandState, Lane
from relay.errors import (
    AnswerLost,
    CredentialsRefused,
    SettingsRefused,
    TemporaryFailure,
    Throttled,
    Unreachable,
)
from relay.worker import sending
from relay.worker.crew import CALLS_PER_LANE
from relay.worker.retry import REFUSED_PAUSE_S
from tests.support.stored import LEASE_S, after, ask, claim_one, upsert
from tests.support.working import (
    ADD,
    OK,
    UPSERT,
    calls,
    events,
    fault,
    good_product,
    holdings,
    purchase,
    settings,
    verdicts,
)

DONE, WAITING, DEAD, UNCERTAIN = CommandState.DONE, CommandState.WAITING, CommandState.DEAD, CommandState.UNCERTAIN


# Lanes in trouble


def test_wrong_credentials_pause_their_lane_and_cost_no_attempt(real, sandbox):
    [group] = real.groups
    real.groups = [replace(group, api_secret="mistyped")]
    contacts = [ask(real.store, upsert(f"{number}@example.com")) for number in range(30)]
    product = ask(real.store, good_product("7"))
    with capture_logs() as logs:
        real.work()

    assert set(real.states(*contacts)) == {WAITING}
    assert real.states(product) == [DONE], "the other lane has credentials of its own"
    assert real.paused() == [("main", "contacts", REFUSED_PAUSE_S)]
    assert len(calls(sandbox, UPSERT)) <= CALLS_PER_LANE
    paused = [line for line in logs if line["event"] == "lane_paused"]
    assert {line["log_level"] for line in paused} == {"error"}
    assert "Check client_id" in paused[0]["reason"]

    # Mended: it heals by itself, with one call that finds out.
    real.groups = [group]
    real.work()
    assert set(real.states(*contacts)) == {WAITING}
    real.clock.advance(REFUSED_PAUSE_S)
    real.work()
    assert set(real.states(*contacts)) == {DONE}
    assert all(verdicts(real.command(each)).count("done") == 1 for each in contacts)


def test_resumed_lane_goes_on_at_once(real, sandbox):
    fault(sandbox, "auth", times=4)
    deliveries = [ask(real.store, upsert(f"{number}@example.com")) for number in range(6)]
    worker = real.worker(calls_per_lane=4)
    worker.run_until_idle()
    sandbox.state.faults.clear()
    assert set(real.states(*deliveries)) == {WAITING}

    real.store.lanes.resume("main")
    worker.run_until_idle()
    assert set(real.states(*deliveries)) == {DONE}


def test_lane_that_is_still_in_trouble_after_a_pause_is_asked_one_call_only(both):
    both.client.answers.extend([CredentialsRefused("no", status=401)] * 100)
    for number in range(40):
        ask(both.store, upsert(f"{number}@example.com"))
    worker = both.worker(calls_per_lane=4)
    worker.run_until_idle()
    first = len(both.client.sent)
    assert first <= 4

    for _ in range(3):
        both.clock.advance(REFUSED_PAUSE_S)
        worker.run_until_idle()
    assert len(both.client.sent) == first + 3


def test_shop_whose_settings_are_wrong_does_not_shut_out_the_others_for_ever(shift):
    def answer(batch):
        shift.client.answers.append(answer)
        if batch[0].location == "wrong_shop":
            raise SettingsRefused("No catalogue has the location wrong_shop.")
        return OK

    shift.client.answers.append(answer)
    wrong = ask(shift.store, *(good_product(str(number), "wrong_shop") for number in range(3)))
    right = ask(shift.store, *(good_product(str(number)) for number in range(3)))
    worker = shift.worker(calls_per_lane=1)
    worker.run_until_idle()
    assert set(shift.states(right, wrong)) == {WAITING}

    shift.clock.advance(REFUSED_PAUSE_S)
    worker.run_until_idle()
    assert shift.states(right) == [DONE] * 3
    assert shift.states(wrong) == [WAITING] * 3


def test_throttled_lane_waits_as_long_as_it_was_told(real, sandbox):
    fault(sandbox, "throttle", times=1, retry_after=40)
    deliveries = [ask(real.store, upsert(f"{number}@example.com")) for number in range(10)]
    real.work(calls_per_lane=1)

    assert len(calls(sandbox)) == 1, "those in hand were given back"
    assert real.paused() == [("main", "contacts", 40)]
    real.clock.advance(39)
    real.work()
    assert len(calls(sandbox)) == 1

    real.clock.advance(1)
    real.work()
    assert set(real.states(*deliveries)) == {DONE}
    ended = Counter(verdict for each in deliveries for verdict in verdicts(real.command(each)))
    assert ended == {"done": 10, "released": 1}


def test_outage_burns_next_to_no_attempts_and_loses_nothing(shift):
    def answer(batch):
        shift.client.answers.append(answer)
        raise TemporaryFailure("Answered 503.", status=503)

    shift.client.answers.append(answer)
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(60)]
    worker = shift.worker()
    hours = 4
    for _ in range(hours * 60):
        worker.run_until_idle()
        shift.clock.advance(60)

    assert set(shift.states(*deliveries)) == {WAITING}
    tried = [len(shift.command(each).attempts) for each in deliveries]
    shorter = 6  # pauses before they are five minutes long
    assert sum(tried) <= hours * 12 + shorter + CALLS_PER_LANE, "one call per pause, and those that failed together"
    assert max(tried) <= 2

    shift.client.answers.clear()
    shift.clock.advance(7200)
    worker.run_until_idle()
    assert set(shift.states(*deliveries)) == {DONE}


def test_connection_that_cannot_be_made_costs_no_attempt(both):
    both.client.answers.extend([Unreachable("No connection to sm.example: refused.")] * 50)
    delivery = ask(both.store, purchase())
    for _ in range(50):
        both.work()
        both.clock.advance(300)
    both.work()

    view = both.command(delivery)
    assert view.state is DONE
    assert verdicts(view) == ["released"] * 50 + ["done"]
    assert not any(sent.search for sent in both.client.sent), "nothing was sent, so nothing is looked for"


def test_pause_by_an_operator_outlasts_what_fails_meanwhile(both):
    def refuse(_batch):
        both.store.lanes.pause("main", Lane.CONTACTS, None, "the operator", both.clock.now())
        raise Throttled("busy", retry_after_s=5)

    both.client.answers.append(refuse)
    ask(both.store, upsert())
    both.work()
    assert [(view.reason, view.until) for view in both.store.lanes.paused(after(3600))] == [("the operator", None)]


def test_one_command_that_is_never_taken_stops_no_other(shift):
    def answer(batch):
        shift.client.answers.append(answer)
        if batch[0].email == "odd@example.com":
            raise TemporaryFailure("Answered 500.", status=500)
        return OK

    shift.client.answers.append(answer)
    odd = ask(shift.store, upsert("odd@example.com"))
    for number in range(20):
        other = ask(shift.store, upsert(f"{number}@example.com"), at=shift.clock.now())
        shift.work(settings=settings(max_attempts="6"))
        assert shift.states(other) == [DONE]
        assert shift.paused() == []
        shift.clock.advance(60)
    assert shift.states(odd) == [DEAD]
    assert len(shift.command(odd).attempts) == 6


def test_silence_of_an_account_pauses_its_lane_too(both):
    both.client.answers.extend([AnswerLost("sm.example did not answer in time.")] * 100)
    for number in range(30):
        ask(both.store, upsert(f"{number}@example.com"))
    both.work(calls_per_lane=1)
    assert len(both.client.sent) == 3
    assert both.paused() == [("main", "contacts", 5)]


# Lost answers


def lose_the_answer(real, sandbox, kind):
    """Store a contact, then lose the answer to its event; gives the event's delivery."""
    ask(real.store, upsert())
    real.work()
    fault(sandbox, kind, path=ADD)
    delivery = ask(real.store, purchase())
    real.work()
    view = real.command(delivery)
    assert (view.state, verdicts(view)) == (WAITING, ["retry"])
    assert view.due_at == after(LEASE_S), "SALESmanago may still be busy with it"
    return delivery


def test_event_whose_answer_was_lost_is_found_and_not_sent_again(real, sandbox):
    delivery = lose_the_answer(real, sandbox, "drop_answer")
    real.clock.advance(LEASE_S)
    real.work()

    view, [event] = real.command(delivery), events(sandbox)
    assert (view.state, view.event_id, verdicts(view)) == (DONE, event.event_id, ["retry", "done"])
    assert view.attempts[1].message == sending.FOUND
    assert len(calls(sandbox, ADD)) == 1


@pytest.mark.parametrize(("kind", "message"), [("drop_answer", sending.FOUND), ("hang", sending.MISSING)])
def test_two_states_of_an_event_that_shared_a_lost_call_are_one_event_whatever_their_dates(
    real, sandbox, kind, message
):
    """The call carried the newer state, whose date the older one does not know."""
    ask(real.store, upsert())
    real.work()
    fault(sandbox, kind, path=ADD)
    older = ask(real.store, purchase(value=10, date=epoch_ms(after(-60))))
    newer = ask(real.store, purchase(value=20, date=epoch_ms(after(-30))))
    real.work()
    assert len(calls(sandbox, ADD)) == 1
    real.clock.advance(LEASE_S)
    real.work()

    [event] = events(sandbox)
    assert event.fields["value"] == 20
    assert real.command(older).attempts[1].message == message
    assert real.states(older, newer) == [DONE, DONE]
    assert real.command(newer).event_id == event.event_id


def test_event_that_was_lost_on_the_way_is_sent_again(real, sandbox):
    delivery = lose_the_answer(real, sandbox, "hang")
    assert events(sandbox) == []
    real.clock.advance(LEASE_S)
    real.work()

    view, [event] = real.command(delivery), events(sandbox)
    assert (view.state, view.event_id) == (DONE, event.event_id)
    assert verdicts(view) == ["retry", "retry", "done"]
    assert view.attempts[1].message == sending.MISSING


def test_event_that_cannot_be_told_is_uncertain_and_never_sent_blindly(real, sandbox):
    sandbox.state.switches.turn({"card_event_key": "absent"})
    delivery = lose_the_answer(real, sandbox, "drop_answer")
    for _ in range(5):
        real.clock.advance(7200)
        real.work()

    view = real.command(delivery)
    assert (view.state, view.last_error) == (UNCERTAIN, sending.NAMELESS)
    assert len(events(sandbox)) == len(calls(sandbox, ADD)) == 1
    assert real.store.reading.counts().commands == {("main", "uncertain"): 1}


def _make_uncertain(real, sandbox, kind):
    sandbox.state.switches.turn({"card_event_key": "absent"})
    delivery = lose_the_answer(real, sandbox, kind)
    for _ in range(3):
        real.clock.advance(7200)
        real.work()
    assert real.command(delivery).state == UNCERTAIN
    return delivery


def test_change_of_an_event_whose_fate_is_uncertain_looks_for_it_and_changes_it(real, sandbox):
    uncertain = _make_uncertain(real, sandbox, "drop_answer")
    sandbox.state.switches.clear()
    # What is in the card has the date of the uncertain one.
    change = ask(real.store, purchase(value=25, date=epoch_ms(after(-30))), at=real.clock.now())
    real.work()

    [event] = events(sandbox)
    assert event.fields["value"] == 25
    assert (real.command(change).state, real.command(change).event_id) == (DONE, event.event_id)
    assert verdicts(real.command(change)) == ["retry", "done"]
    assert real.command(uncertain).state == CommandState.SUPERSEDED


def test_change_of_an_uncertain_event_that_is_not_there_adds_it(real, sandbox):
    uncertain = _make_uncertain(real, sandbox, "drop_answer")
    [event] = events(sandbox)
    holdings(sandbox).remove_event(event)
    sandbox.state.switches.clear()
    change = ask(real.store, purchase(value=25), at=real.clock.now())
    real.work()

    assert [event.fields["value"] for event in events(sandbox)] == [25]
    assert real.command(change).state == DONE
    assert real.command(uncertain).state == CommandState.SUPERSEDED


def test_change_of_an_uncertain_event_that_still_cannot_be_told_is_uncertain_too(real, sandbox):
    _make_uncertain(real, sandbox, "drop_answer")
    change = ask(real.store, purchase(value=25), at=real.clock.now())
    real.work()

    assert real.command(change).state == UNCERTAIN
    assert len(events(sandbox)) == len(calls(sandbox, ADD)) == 1


def test_event_taken_by_a_worker_that_was_killed_before_it_wrote_so_exists_once(real, sandbox):
    ask(real.store, upsert())
    real.work()
    delivery = ask(real.store, purchase())
    [group] = real.groups
    killed = claim_one(real.store)
    real.store.commands.begin([killed], real.clock.now(), LEASE_S)
    real.client.send(group, [killed])

    real.work()
    assert real.command(delivery).state is CommandState.CLAIMED, "its lease still holds"
    real.clock.advance(LEASE_S)
    real.work()

    view, [event] = real.command(delivery), events(sandbox)
    assert (view.state, view.event_id, verdicts(view)) == (DONE, event.event_id, [None, "done"])


def test_event_of_a_worker_that_was_killed_before_it_sent_exists_once(real, sandbox):
    ask(real.store, upsert())
    real.work()
    delivery = ask(real.store, purchase())
    real.store.commands.begin([claim_one(real.store)], real.clock.now(), LEASE_S)
    real.clock.advance(LEASE_S)
    real.work()

    view, [event] = real.command(delivery), events(sandbox)
    assert (view.state, view.event_id, verdicts(view)) == (DONE, event.event_id, [None, "retry", "done"])


def test_contact_of_a_killed_worker_is_simply_sent_again(real, sandbox):
    delivery = ask(real.store, upsert())
    real.store.commands.begin([claim_one(real.store)], real.clock.now(), LEASE_S)
    real.clock.advance(LEASE_S)
    real.work()
    assert real.states(delivery) == [DONE]
    assert [entry.path for entry in calls(sandbox)] == [UPSERT]


def test_fault_of_the_relay_itself_loses_nothing(both):
    both.client.answers.extend([KeyError("x"), KeyError("x")])
    contact, event = ask(both.store, upsert("ann@example.com")), ask(both.store, purchase("bob@example.com"))
    both.work(calls_per_lane=1)
    assert both.states(contact, event) == [WAITING] * 2
    assert both.paused() == []

    both.client.searches.append(sending.Search(found=True, event_id="e-1"))
    both.clock.advance(LEASE_S)
    both.work()
    assert both.states(contact, event) == [DONE] * 2
    assert both.command(event).event_id == "e-1"
