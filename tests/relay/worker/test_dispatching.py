"""Commands on their way to SALESmanago: the real store on both engines, mostly the real client and the simulator."""

from __future__ import annotations

from collections import Counter

import pytest
from structlog.testing import capture_logs

from relay import metrics
from relay.commands import CommandState
from relay.errors import (
    CatalogRefused,
    StoreUnavailable,
    TemporaryFailure,
)
from relay.worker import sending
from relay.worker.dispatching import NOT_CONFIGURED
from tests.support.stored import LEASE_S, ask, claim_one, upsert
from tests.support.working import (
    ADD,
    OK,
    PAIR,
    PRODUCTS,
    UPSERT,
    a_group,
    bad_product,
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


# The plain road


def test_contact_event_and_product_arrive_and_are_settled_with_their_ids(real, sandbox):
    delivery = ask(real.store, upsert(), purchase(), good_product("7"))
    real.work()

    contact, event, product = real.store.commands.of_delivery(delivery)
    assert [view.state for view in (contact, event, product)] == [DONE] * 3
    assert contact.contact_id in holdings(sandbox).contacts
    assert event.event_id in holdings(sandbox).events
    for view in (contact, event, product):
        [attempt] = view.attempts
        assert (attempt.verdict, attempt.status) == ("done", 200)
        assert attempt.duration_ms is not None


def test_commands_of_a_contact_keep_their_order_whatever_fails(real, sandbox):
    fault(sandbox, "fail", times=2, path=PAIR)
    fault(sandbox, "throttle", times=1, path=ADD)
    deliveries = [
        ask(real.store, upsert()),
        ask(real.store, purchase(order="1")),
        ask(real.store, upsert("bob@example.com")),
        ask(real.store, purchase(order="2"), purchase(order="3")),
    ]
    for _ in range(12):
        real.work()
        real.clock.advance(30)

    assert set(real.states(*deliveries)) == {DONE}
    added = [each.fields["externalId"] for each in events(sandbox)]
    assert added == ["1", "2", "3"]
    upserts = [entry.number for entry in (*calls(sandbox, PAIR), *calls(sandbox, UPSERT)) if entry.success]
    assert min(upserts) < calls(sandbox, ADD)[0].number


def test_every_attempt_is_on_record_and_counted(shift):
    shift.client.answers.extend([TemporaryFailure("Answered 503.", status=503), OK])
    group = a_group(key="counted")
    shift.groups = [group]
    delivery = ask(shift.store, upsert(), group="counted")
    shift.work()
    shift.clock.advance(2)
    shift.work()

    first, second = shift.command(delivery).attempts
    assert (first.number, first.verdict, first.status, first.message) == (1, "retry", 503, "Answered 503.")
    assert (second.number, second.verdict, second.status) == (2, "done", 200)
    text, _ = metrics.render(shift.store.reading.counts)
    lines = text.decode().splitlines()
    for verdict in ("retry", "done"):
        assert f'relay_attempts_total{{group="counted",kind="contact.upsert",verdict="{verdict}"}} 1.0' in lines
    assert 'relay_attempt_seconds_count{group="counted",kind="contact.upsert"} 2.0' in lines


def test_refused_command_is_dead_with_the_vendors_words_and_holds_up_nobody(real, sandbox):
    for path in (PAIR, UPSERT):
        fault(sandbox, "refuse", path=path, text="No email specified")
    delivery = ask(real.store, upsert(), purchase())
    with capture_logs() as logs:
        real.work()

    contact, event = real.store.commands.of_delivery(delivery)
    assert (contact.state, contact.last_error) == (DEAD, "No email specified")
    assert verdicts(contact) == ["retry", "dead"], "refused with the event, it was tried alone"
    assert verdicts(event) == ["retry", "retry", "dead"], "looked for, then tried, though nobody knows the contact"
    dead = [line for line in logs if line["event"] == "command_dead"]
    assert [(line["log_level"], line["command"]) for line in dead] == [("error", contact.id), ("error", event.id)]


def test_lane_under_strain_claims_no_more_than_it_can_send(shift, monkeypatch):
    claim, claimed = shift.store.commands.claim, []

    def watched(*given, **named):
        commands = claim(*given, **named)
        claimed.append(len(commands))
        return commands

    monkeypatch.setattr(shift.store.commands, "claim", watched)
    shift.client.answers.extend([TemporaryFailure("Answered 503.", status=503)] * 3)
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(40)]
    worker = shift.worker(calls_per_lane=1)
    worker.run_until_idle()
    assert claimed == [40, 0], "three failures paused the lane"

    shift.clock.advance(5)
    worker.run_until_idle()
    assert claimed[2:5] == [8, 8, 16], "four for each of the calls it would make at a time"
    assert shift.states(*deliveries).count(DONE) == 40


# Products


def test_products_share_calls(real, sandbox):
    deliveries = [ask(real.store, *(good_product(f"{shelf}-{number}") for number in range(60))) for shelf in range(4)]
    real.work()

    assert set(real.states(*deliveries)) == {DONE}
    assert [len(entry.body["products"]) for entry in calls(sandbox, PRODUCTS)] == [100, 100, 40]


@pytest.mark.parametrize("bad_product_among_good", ["refuse_all", "accept_good"])
def test_refused_products_are_dead_and_the_others_go_again_at_once(real, sandbox, bad_product_among_good):
    sandbox.state.switches.turn({"bad_product": bad_product_among_good})
    delivery = ask(real.store, *(bad_product(str(n)) if n in (2, 5) else good_product(str(n)) for n in range(8)))
    real.work()

    views = real.store.commands.of_delivery(delivery)
    assert [view.state for view in views] == [DEAD if number in (2, 5) else DONE for number in range(8)]
    assert all("Missing required field" in views[number].last_error for number in (2, 5))
    [catalog] = holdings(sandbox).catalogs.values()
    assert sorted(catalog.products) == ["0", "1", "3", "4", "6", "7"]
    assert verdicts(views[0]) == ["released", "done"], "its company was refused, which is no attempt of its own"


def test_product_that_fails_its_company_without_a_word_ends_alone(shift):
    def answer(batch):
        shift.client.answers.append(answer)
        if any(command.payload["productId"] == "17" for command in batch):
            raise CatalogRefused("Something is wrong with this call.", status=400)
        return OK

    shift.client.answers.append(answer)
    delivery = ask(shift.store, *(good_product(str(number)) for number in range(40)))
    shift.work()

    views = shift.store.commands.of_delivery(delivery)
    assert [view.payload["productId"] for view in views if view.state is DEAD] == ["17"]
    assert Counter(view.state for view in views) == {DONE: 39, DEAD: 1}
    assert len(shift.client.sent) < 20


def test_product_that_breaks_the_other_side_takes_no_other_with_it(shift):
    def answer(batch):
        shift.client.answers.append(answer)
        if any(command.payload["productId"] == "17" for command in batch):
            raise TemporaryFailure("Answered 500.", status=500)
        return OK

    shift.client.answers.append(answer)
    delivery = ask(shift.store, *(good_product(str(number)) for number in range(40)))
    for _ in range(8):
        shift.work(settings=settings(max_attempts="3"))
        shift.clock.advance(60)

    views = shift.store.commands.of_delivery(delivery)
    assert [view.payload["productId"] for view in views if view.state is DEAD] == ["17"]
    assert Counter(view.state for view in views) == {DONE: 39, DEAD: 1}


# Leases and the store


def test_command_whose_lease_ran_out_in_the_queue_is_claimed_anew_and_sent_once(both):
    def slow(_batch):
        both.clock.advance(LEASE_S + 1)
        return OK

    both.client.answers.append(slow)
    deliveries = [ask(both.store, upsert(f"{number}@example.com")) for number in range(5)]
    both.work(calls_per_lane=1)

    assert both.states(*deliveries) == [DONE] * 5
    assert [verdicts(both.command(each)) for each in deliveries] == [["done"]] * 5
    assert len(both.client.sent) == 5


def test_outcome_of_a_call_that_outlasted_its_lease_counts_for_nothing(both):
    def slow(_batch):
        both.clock.advance(LEASE_S)
        both.store.commands.begin([claim_one(both.store, both.clock.now())], both.clock.now(), LEASE_S)
        return OK

    both.client.answers.append(slow)
    delivery = ask(both.store, purchase())
    with capture_logs() as logs:
        both.work()
    view = both.command(delivery)
    assert (view.state, verdicts(view)) == (CommandState.CLAIMED, [None, None])
    assert [line["event"] for line in logs] == ["outcome_came_too_late"]


def test_outcome_is_written_again_and_again_while_the_store_is_away(shift, monkeypatch):
    failures = iter([StoreUnavailable("locked")] * 3)
    settle = shift.store.commands.settle

    def failing(outcomes, now):
        for failure in failures:
            raise failure
        return settle(outcomes, now)

    monkeypatch.setattr(shift.store.commands, "settle", failing)
    delivery = ask(shift.store, purchase())
    with capture_logs() as logs:
        shift.work()

    assert shift.states(delivery) == [DONE]
    assert len(shift.client.sent) == 1
    assert [line["event"] for line in logs].count("store_unavailable") == 1


def test_outcome_that_cannot_be_written_at_all_is_found_out_by_the_next_worker(shift, monkeypatch):
    def failing(outcomes, now):
        raise StoreUnavailable("disk full")

    delivery = ask(shift.store, purchase())
    with monkeypatch.context() as patch:
        patch.setattr(shift.store.commands, "settle", failing)
        shift.work()
    assert len(shift.client.sent) == 1

    shift.client.searches.append(sending.Search(found=True, event_id="e-1"))
    shift.clock.advance(LEASE_S)
    shift.work()
    assert shift.states(delivery) == [DONE]
    assert [sent.search for sent in shift.client.sent] == [False, True]


def test_nothing_is_sent_when_the_attempt_cannot_be_written_first(shift, monkeypatch):
    def failing(claimed, now, lease_s=None):
        raise StoreUnavailable("disk full")

    delivery = ask(shift.store, purchase())
    with monkeypatch.context() as patch:
        patch.setattr(shift.store.commands, "begin", failing)
        shift.work()
    assert shift.client.sent == []

    shift.clock.advance(LEASE_S)
    shift.work()
    assert shift.states(delivery) == [DONE]
    assert [sent.search for sent in shift.client.sent] == [False]


def test_call_ends_within_its_own_lease_however_late_it_began(shift):
    def slow(_batch):
        shift.clock.advance(LEASE_S - 5)  # of the second command's lease, too
        return OK

    def look(_batch):
        shift.clock.advance(10)
        assert shift.store.commands.claim(shift.clock.now(), LEASE_S, 10) == []
        return OK

    shift.client.answers.extend([slow, look])
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(2)]
    shift.work(calls_per_lane=1)
    assert shift.states(*deliveries) == [DONE] * 2


# Groups


def test_commands_of_an_unknown_group_are_left_where_they_are(both):
    lost = [ask(both.store, upsert(f"{number}@example.com"), group="gone") for number in range(3)]
    known = ask(both.store, upsert())
    worker = both.worker()
    with capture_logs() as logs:
        for _ in range(3):
            worker.run_until_idle()
            both.clock.advance(3600)

    assert both.states(*lost, known) == [WAITING] * 3 + [DONE]
    assert both.command(lost[0]).last_error == NOT_CONFIGURED.format("gone")
    assert [line["group"] for line in logs if line["event"] == "group_not_configured"] == ["gone"]

    both.groups = [a_group(), a_group(key="gone")]
    both.work()
    assert set(both.states(*lost)) == {DONE}


def test_groups_are_sent_to_their_own_accounts(both):
    both.groups = [a_group(), a_group(key="second")]
    for key, name in (("main", "ann"), ("second", "ann"), ("main", "bob")):
        ask(both.store, upsert(f"{name}@example.com"), group=key)
    both.work()
    assert Counter(sent.group for sent in both.client.sent) == {"main": 2, "second": 1}
    assert all(command.group == sent.group for sent in both.client.sent for command in sent.commands)
