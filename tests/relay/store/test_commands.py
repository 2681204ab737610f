from __future__ import annotations

from decimal import Decimal

import pytest

from relay.commands import CommandState, Verdict
from tests.support.stored import NOW, after, ask, claim, claim_one, end, put, upsert


def test_payload_is_stored_digit_for_digit(store):
    ask(store, put(value=Decimal("10.10"), description="żółć ☃"))

    assert claim_one(store).payload["contactEvent"] == {"value": Decimal("10.10"), "description": "żółć ☃"}


@pytest.mark.parametrize("verdict", [Verdict.DEAD, Verdict.UNCERTAIN])
def test_requeue_puts_back_with_all_attempts_before_it(store, verdict):
    delivery_id = ask(store, upsert())
    command = end(store, verdict, message="no")
    store.commands.requeue(command.id, after(5))

    again = claim_one(store, after(5))
    assert (again.id, again.attempts, again.payload) == (command.id, 0, command.payload)
    (view,) = store.commands.of_delivery(delivery_id)
    assert (view.settled_at, len(view.attempts)) == (None, 1)


def test_requeued_uncertain_command_is_sent_without_another_search(store):
    ask(store, put())
    end(store, Verdict.RETRY, answer_lost=True)
    command = end(store, Verdict.UNCERTAIN)
    store.commands.requeue(command.id, NOW)

    assert not claim_one(store).answer_lost


def test_dropped_command_can_be_requeued(store):
    delivery_id = ask(store, upsert())
    (view,) = store.commands.of_delivery(delivery_id)
    store.commands.drop(view.id, NOW)
    assert claim(store) == []
    store.commands.requeue(view.id, NOW)

    assert claim_one(store).id == view.id


def test_requeue_of_what_is_done_is_refused_with_the_reason(store):
    ask(store, upsert())
    command = end(store, Verdict.DONE)

    with pytest.raises(ValueError, match=r"is done; only these can be requeued: dead, uncertain, dropped"):
        store.commands.requeue(command.id, NOW)


def test_command_that_is_being_sent_can_not_be_dropped(store):
    ask(store, upsert())
    command = claim_one(store)

    with pytest.raises(ValueError, match="is claimed"):
        store.commands.drop(command.id, NOW)
    assert store.reading.command(command.id).state is CommandState.CLAIMED


@pytest.mark.parametrize("verdict", [Verdict.DEAD, Verdict.UNCERTAIN])
def test_drop_settles_what_somebody_had_to_decide(store, verdict):
    ask(store, upsert())
    command = end(store, verdict)
    store.commands.drop(command.id, after(7))

    view = store.reading.command(command.id)
    assert (view.state, view.settled_at) == (CommandState.DROPPED, after(7))


def test_unknown_commands_are_lookup_errors(store):
    with pytest.raises(LookupError, match="no command 99"):
        store.commands.requeue(99, NOW)
    with pytest.raises(LookupError, match="no command 99"):
        store.commands.drop(99, NOW)
