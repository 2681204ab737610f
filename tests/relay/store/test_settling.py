from __future__ import annotations

import pytest

from relay.commands import CommandState, Outcome, Verdict
from tests.support.stored import LEASE_S, NOW, after, ask, claim, claim_one, end, put, upsert


def only_command(store, delivery_id):
    (view,) = store.commands.of_delivery(delivery_id)
    return view


def test_attempt_is_on_record_before_its_outcome(store):
    delivery_id = ask(store, upsert())
    command = claim_one(store)
    assert store.commands.begin([command], after(1)) == [command]

    (attempt,) = only_command(store, delivery_id).attempts
    assert (attempt.number, attempt.started_at, attempt.finished_at, attempt.verdict) == (1, after(1), None, None)


def test_success_is_settled_with_everything_the_answer_said(store):
    delivery_id = ask(store, upsert())
    command = claim_one(store)
    store.commands.begin([command], after(1))
    outcome = Outcome(
        command, Verdict.DONE, message="ok", status=200, duration_ms=42, contact_id="sm-1", problems=("tag cut",)
    )
    assert store.commands.settle([outcome], after(2)) == 1

    view = only_command(store, delivery_id)
    assert (view.state, view.contact_id, view.warnings) == (CommandState.DONE, "sm-1", ("tag cut",))
    assert (view.settled_at, view.last_error) == (after(2), None)
    (attempt,) = view.attempts
    assert (attempt.finished_at, attempt.duration_ms, attempt.status) == (after(2), 42, 200)
    assert (attempt.verdict, attempt.message) == (Verdict.DONE, "ok")


def test_retry_waits_until_it_is_due_and_counts(store):
    delivery_id = ask(store, upsert())
    end(store, Verdict.RETRY, message="busy", status=503, due_at=after(30))

    view = only_command(store, delivery_id)
    assert (view.state, view.due_at, view.last_error, view.settled_at) == (
        CommandState.WAITING,
        after(30),
        "busy",
        None,
    )
    again = claim_one(store, after(30))
    assert again.attempts == 1
    store.commands.begin([again], after(30))
    assert [attempt.number for attempt in only_command(store, delivery_id).attempts] == [1, 2]


@pytest.mark.parametrize(
    ("verdict", "state"), [(Verdict.DEAD, CommandState.DEAD), (Verdict.UNCERTAIN, CommandState.UNCERTAIN)]
)
def test_final_failures_are_kept_with_the_vendors_words(store, verdict, state):
    delivery_id = ask(store, upsert())
    end(store, verdict, message="no such owner", at=after(3))

    view = only_command(store, delivery_id)
    assert (view.state, view.last_error, view.settled_at) == (state, "no such owner", after(3))


def test_release_puts_back_untouched_and_does_not_count(store):
    delivery_id = ask(store, upsert())
    command = claim_one(store)
    store.commands.settle([Outcome(command, Verdict.RELEASED)], NOW)
    assert claim_one(store, NOW).attempts == 0
    assert only_command(store, delivery_id).attempts == ()


def test_release_of_a_begun_attempt_keeps_the_attempt_but_does_not_count(store):
    delivery_id = ask(store, upsert())
    end(store, Verdict.RELEASED, message="credentials refused", due_at=after(10))

    view = only_command(store, delivery_id)
    assert (view.attempts[0].verdict, view.last_error) == (Verdict.RELEASED, "credentials refused")
    again = claim_one(store, after(10))
    assert again.attempts == 0
    store.commands.begin([again], after(10))
    assert [attempt.number for attempt in only_command(store, delivery_id).attempts] == [1, 2]


def test_zombies_outcome_counts_for_nothing(store):
    delivery_id = ask(store, upsert())
    zombie = claim_one(store)
    store.commands.begin([zombie], NOW)
    heir = claim_one(store, after(LEASE_S))
    store.commands.begin([heir], after(LEASE_S))

    assert store.commands.settle([Outcome(zombie, Verdict.DEAD)], after(LEASE_S)) == 0
    assert store.commands.begin([zombie], after(LEASE_S)) == []
    assert only_command(store, delivery_id).state is CommandState.CLAIMED
    assert only_command(store, delivery_id).attempts[1].finished_at is None
    assert store.commands.settle([Outcome(heir, Verdict.DONE)], after(LEASE_S)) == 1


def test_attempt_does_not_begin_once_the_lease_has_run_out(store):
    delivery_id = ask(store, upsert())
    command = claim_one(store)

    assert store.commands.begin([command], after(LEASE_S)) == []
    assert only_command(store, delivery_id).attempts == ()


def test_beginning_can_renew_the_lease_so_that_the_call_has_all_of_it(store):
    ask(store, upsert())
    command = claim_one(store)
    assert store.commands.begin([command], after(LEASE_S - 1), LEASE_S) == [command]

    assert claim(store, after(2 * LEASE_S - 2)) == []
    assert claim_one(store, after(2 * LEASE_S - 1)).id == command.id


def test_batch_is_settled_one_by_one(store):
    ask(store, upsert("ann@example.com"), upsert("bob@example.com"), upsert("cid@example.com"))
    batch = claim(store)
    store.commands.begin(batch, NOW)
    verdicts = [Verdict.DONE, Verdict.DEAD, Verdict.RETRY]
    outcomes = [Outcome(command, verdict, due_at=after(9)) for command, verdict in zip(batch, verdicts, strict=True)]

    assert store.commands.settle(outcomes, NOW) == 3
    states = [store.reading.command(command.id).state for command in batch]
    assert states == [CommandState.DONE, CommandState.DEAD, CommandState.WAITING]


def test_settled_command_is_not_settled_twice(store):
    ask(store, put())
    command = end(store, Verdict.DONE)

    assert store.commands.settle([Outcome(command, Verdict.DEAD)], NOW) == 0
    assert store.commands.settle([], NOW) == 0


# One call ends and another begins


def test_one_call_is_settled_and_another_begins_in_the_same_step(store):
    first, second = ask(store, upsert()), ask(store, upsert("bob@example.com"))
    ended, begun = claim(store)
    store.commands.begin([ended], NOW)

    progress = store.commands.go_on([Outcome(ended, Verdict.DONE, contact_id="sm-1")], [begun], after(1), LEASE_S)
    assert (progress.settled, progress.begun) == (1, [begun])
    assert (only_command(store, first).state, only_command(store, first).contact_id) == (CommandState.DONE, "sm-1")
    [attempt] = only_command(store, second).attempts
    assert (attempt.started_at, attempt.finished_at) == (after(1), None)
    assert claim(store, after(LEASE_S)) == [], "its lease is new"
    assert [each.id for each in claim(store, after(LEASE_S + 1))] == [begun.id]


def test_lost_lease_of_either_call_leaves_the_other_as_it_is(store):
    deliveries = [ask(store, upsert(f"{name}@example.com")) for name in ("ann", "bob")]
    ended, begun = claim(store)
    store.commands.begin([ended], NOW)
    [again] = [each for each in claim(store, after(LEASE_S)) if each.id == begun.id]

    done = [Outcome(ended, Verdict.DONE)]
    progress = store.commands.go_on(done, [again], after(LEASE_S), LEASE_S)
    assert (progress.settled, progress.begun) == (0, [again])
    progress = store.commands.go_on(done, [begun], after(LEASE_S), LEASE_S)
    assert (progress.settled, progress.begun) == (0, [])
    assert [len(only_command(store, each).attempts) for each in deliveries] == [1, 1]


def test_stale_claim_does_not_begin_beside_a_newer_one_of_the_same_worker(store):
    delivery_id = ask(store, upsert())
    stale = claim_one(store)
    other = ask(store, upsert("bob@example.com"))
    claimed = {each.id: each for each in claim(store, after(LEASE_S))}
    mine = only_command(store, other).id
    assert store.commands.begin([stale, claimed[mine]], after(LEASE_S)) == [claimed[mine]]
    assert only_command(store, delivery_id).attempts == ()
