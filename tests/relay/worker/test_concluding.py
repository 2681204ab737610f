"""A thread's calls in the store: the end of one goes with the beginning of the next, and none is lost for it."""

from __future__ import annotations

import pytest

from relay.commands import CommandState, Outcome, Verdict
from relay.errors import StoreUnavailable, TemporaryFailure
from relay.worker.concluding import Conclusions
from relay.worker.outage import Outage
from relay.worker.sending import Report
from tests.support.stored import LEASE_S, ask, upsert
from tests.support.working import OK, a_group

DONE, WAITING, CLAIMED = CommandState.DONE, CommandState.WAITING, CommandState.CLAIMED


@pytest.fixture
def written(shift, monkeypatch):
    """Give what the store is asked to write of calls, in order."""
    asked = []

    def watch(name):
        write = getattr(shift.store.commands, name)

        def watched(*given, **named):
            asked.append(name)
            return write(*given, **named)

        monkeypatch.setattr(shift.store.commands, name, watched)

    for name in ("begin", "settle", "go_on"):
        watch(name)
    return asked


def failing(*given, **named):
    raise StoreUnavailable("locked")


def test_end_of_a_call_is_written_with_the_beginning_of_the_next(shift, written):
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(3)]
    shift.work(calls_per_lane=1)
    assert shift.states(*deliveries) == [DONE] * 3
    assert written == ["begin", "go_on", "go_on", "settle"]


def test_failure_is_written_at_once(shift, written):
    shift.client.answers.append(TemporaryFailure("Answered 503.", status=503))
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(2)]
    shift.work(calls_per_lane=1)
    assert shift.states(*deliveries) == [WAITING, DONE]
    assert written == ["begin", "settle", "begin", "settle"]


def test_end_of_a_call_does_not_wait_for_the_pace(shift, written):
    shift.groups = [a_group(requests_per_minute=60)]
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(2)]
    shift.work(calls_per_lane=1)
    assert shift.states(*deliveries) == [DONE] * 2
    assert written == ["begin", "settle", "begin", "settle"]


def test_end_of_a_call_is_written_though_the_next_cannot_begin(shift, monkeypatch):
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(shift.store.commands, "go_on", failing)
        shift.work(calls_per_lane=1)
    assert shift.states(*deliveries) == [DONE, CLAIMED]
    assert len(shift.client.sent) == 1

    shift.clock.advance(LEASE_S)
    shift.work()
    assert shift.states(*deliveries) == [DONE] * 2
    assert len(shift.client.sent) == 2


def test_end_of_a_call_is_written_before_what_is_left_is_released(shift, written):
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(3)]
    worker = shift.worker(calls_per_lane=1)

    def stop(_batch):
        worker.stop()
        return OK

    shift.client.answers.append(stop)
    worker.run_until_idle()
    assert shift.states(*deliveries) == [DONE, WAITING, WAITING]
    assert written == ["begin", "settle", "settle", "settle"]


def test_end_of_a_call_is_written_when_another_begins_or_when_it_is_asked_for(shift, written):
    delivery = ask(shift.store, upsert())
    [command] = shift.store.commands.claim(shift.clock.now(), LEASE_S, 1)
    ends = Conclusions(shift.store, shift.clock, Outage(), shift.clock.advance)
    assert ends.begin([command], LEASE_S) == {command.id}
    ends.end(Report((Outcome(command, Verdict.DONE),), seconds=0.1))
    assert shift.states(delivery) == [CLAIMED]
    ends.write()
    ends.write()
    assert shift.states(delivery) == [DONE]
    assert written == ["begin", "settle"]
