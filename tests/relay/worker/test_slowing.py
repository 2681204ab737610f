from __future__ import annotations

import pytest

from relay.commands import CommandKind, Lane
from relay.errors import (
    AnswerLost,
    CommandRefused,
    CredentialsRefused,
    TemporaryFailure,
    Throttled,
    Unreachable,
)
from relay.store import LaneKey
from relay.worker.slowing import GOOD_ANSWERS, Slowing

LANE = LaneKey("main", Lane.CONTACTS)
OTHER = LaneKey("other", Lane.CONTACTS)
UPSERT = (CommandKind.CONTACT_UPSERT, 1)
EVENT = (CommandKind.EVENT_PUT, 1)
FAILED = TemporaryFailure("Answered 503.", status=503)


class Account:
    """A lane's calls, one after the other, in invented time."""

    def __init__(self, most=16):
        self.passed = 0.0
        self.slowing = Slowing(most, lambda: self.passed)

    def call(self, seconds=0.1, error=None, lane=LANE, kind=UPSERT):
        self.passed += seconds
        return self.slowing.note(lane, kind, seconds, error)

    def calls(self, number, seconds=0.1, **how):
        return [self.call(seconds, **how) for _ in range(number)]


@pytest.mark.parametrize("seconds", [0.001, 0.2, 3.0])
def test_steady_answers_hold_nothing_back_however_long_they_take(seconds):
    account = Account()
    assert set(account.calls(500, seconds)) == {16}
    assert account.slowing.narrowed() == {}


def test_answers_that_scatter_as_those_of_a_busy_machine_do_hold_nothing_back():
    account = Account()
    assert {account.call(seconds) for seconds in [0.002, 0.004, 0.03, 0.25, 0.003] * 100} == {16}


@pytest.mark.parametrize("error", [Throttled(retry_after_s=9), FAILED, AnswerLost(), Unreachable()])
def test_each_failure_halves_what_is_left_down_to_one(error):
    account = Account()
    assert account.calls(6, error=error) == [8, 4, 2, 1, 1, 1]
    assert account.slowing.narrowed() == {LANE: 1}


@pytest.mark.parametrize("error", [CommandRefused("no", status=200), CredentialsRefused(), KeyError("x")])
def test_what_is_no_sign_of_strain_changes_nothing(error):
    assert set(Account().calls(20, error=error)) == {16}


def test_calls_that_were_under_way_together_count_once():
    account = Account()
    account.passed = 30.0
    widths = [account.slowing.note(LANE, UPSERT, 29.0, AnswerLost()) for _ in range(16)]
    assert set(widths) == {8}
    assert account.call(29.0, AnswerLost()) == 4


def test_good_answers_bring_one_more_after_every_few_until_all_are_back():
    account = Account()
    account.calls(4, error=FAILED)
    widths = account.calls(15 * GOOD_ANSWERS)
    assert widths[: 2 * GOOD_ANSWERS] == [1] * 3 + [2] * 4 + [3]
    assert widths[-1] == 16
    assert account.slowing.narrowed() == {}
    assert account.call() == 16, "and no more than all"


def test_answers_that_take_ever_longer_make_the_lane_small_before_anything_fails():
    account = Account()
    account.calls(50, 0.2)
    widths = account.calls(40, 2.0)
    assert widths[0] == 16, "one slow answer is nothing"
    assert widths[-1] == 1
    assert widths == sorted(widths, reverse=True)


def test_lane_recovers_when_answers_are_fast_again():
    account = Account()
    account.calls(50, 0.2)
    account.calls(40, 2.0)
    assert account.calls(100, 0.2)[-1] == 16


def test_what_stays_slow_is_the_new_measure():
    account = Account()
    account.calls(50, 0.2)
    assert account.calls(1500, 1.0)[-1] == 16


def test_kinds_of_calls_are_measured_by_themselves():
    account = Account()
    for _ in range(100):
        assert account.call(0.1) == account.call(2.0, kind=EVENT) == 16


def test_lanes_have_nothing_to_do_with_each_other():
    account = Account()
    account.call(error=FAILED)
    assert account.call(lane=OTHER) == 16
    assert account.slowing.narrowed() == {LANE: 8}
