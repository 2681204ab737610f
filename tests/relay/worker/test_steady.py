from __future__ import annotations

from structlog.testing import capture_logs

from relay.clock import ManualClock
from relay.commands import CommandState, Outcome, Verdict
from relay.store import Store
from relay.worker.steady import SteadyClock
from tests.support.stored import NOW, after, ask, put

HOLD_S = 60.0


class Machine:
    """A machine's clock, which can be set, and the time that passes whatever it tells."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.passed = 0.0
        self.steady = SteadyClock(self.clock, HOLD_S, lambda: self.passed)

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        self.clock.advance(seconds)


def test_it_tells_the_machines_time():
    machine = Machine()
    machine.wait(86400.5)
    assert machine.steady.now() == after(86400.5)


def test_it_follows_slewing_at_once():
    machine = Machine()
    for second in range(1, 100):
        machine.wait(1)
        machine.clock.advance(0.5)
        assert machine.steady.now() == after(1.5 * second)


def test_it_follows_a_step_forwards_only_when_the_leases_of_before_are_over():
    machine = Machine()
    with capture_logs() as logs:
        machine.clock.advance(7200)
        assert machine.steady.now() == NOW
        machine.wait(HOLD_S - 1)
        assert machine.steady.now() == after(HOLD_S - 1)
        machine.wait(1)
        assert machine.steady.now() == after(7200 + HOLD_S)
    assert [(line["event"], line["seconds"]) for line in logs] == [("clock_was_set", 7200.0)]
    machine.wait(5)
    assert machine.steady.now() == after(7200 + HOLD_S + 5)


def test_it_follows_a_step_back_just_so():
    machine = Machine()
    machine.clock.advance(-7200)
    assert machine.steady.now() == NOW
    machine.wait(HOLD_S)
    assert machine.steady.now() == after(HOLD_S - 7200)


def test_step_that_is_taken_back_is_forgotten():
    machine = Machine()
    machine.clock.advance(7200)
    assert machine.steady.now() == NOW
    machine.wait(HOLD_S / 2)
    machine.clock.advance(-7200)
    assert machine.steady.now() == after(HOLD_S / 2)
    machine.clock.advance(7200)
    machine.wait(HOLD_S - 1)
    assert machine.steady.now() == after(1.5 * HOLD_S - 1), "held anew, from the first look at it"


def test_event_under_way_is_nobody_elses_when_the_clock_is_put_on(store: Store):
    machine = Machine()
    asked = ask(store, put())
    [claimed] = store.commands.claim(machine.steady.now(), HOLD_S, 10)
    store.commands.begin([claimed], machine.steady.now(), HOLD_S)
    machine.clock.advance(7200)
    assert store.commands.claim(machine.steady.now(), HOLD_S, 10) == []
    machine.wait(HOLD_S / 2)
    assert store.commands.claim(machine.steady.now(), HOLD_S, 10) == []
    assert store.commands.settle([Outcome(claimed, Verdict.DONE, event_id="e-1")], machine.steady.now()) == 1
    assert [view.state for view in store.commands.of_delivery(asked)] == [CommandState.DONE]
