from __future__ import annotations

from itertools import count

import pytest

from relay.commands import Lane
from relay.errors import AnswerLost, CommandRefused, CredentialsRefused, TemporaryFailure, Throttled, Unreachable
from relay.store import LaneKey
from relay.worker.health import LaneHealth

LANE = LaneKey("main", Lane.CONTACTS)
OTHER = LaneKey("main", Lane.CATALOG)
CLAIMS = count(1)


def noted(health, error, command, lane=LANE):
    """Note how a call of a claim of its own ended; gives the pause."""
    claim = next(CLAIMS)
    return health.note(lane, error, command, claim, newest=claim)


def pauses(health, *failures, lane=LANE):
    """Note failures of one command after the other; gives the pauses."""
    return [noted(health, error, number, lane) for number, error in enumerate(failures)]


def test_lane_without_connection_pauses_at_once_and_ever_longer():
    assert pauses(LaneHealth(), *[Unreachable()] * 8) == [5, 10, 20, 40, 80, 160, 300, 300]


def test_the_same_command_may_find_no_connection_again_and_again():
    health = LaneHealth()
    assert [noted(health, Unreachable(), 1) for _ in range(3)] == [5, 10, 20]


@pytest.mark.parametrize("error", [TemporaryFailure("Answered 503.", status=503), AnswerLost()])
def test_failures_of_several_commands_pause_the_lane(error):
    assert pauses(LaneHealth(), *[error] * 5) == [None, None, 5, 10, 20]


def test_one_command_that_is_never_taken_stops_nobody():
    health = LaneHealth()
    assert [noted(health, TemporaryFailure(status=500), 7) for _ in range(50)] == [None] * 50
    assert not health.is_troubled(LANE)


@pytest.mark.parametrize("answer", [None, CommandRefused("no", status=200)])
def test_any_answer_makes_the_lane_well(answer):
    health = LaneHealth()
    pauses(health, *[TemporaryFailure()] * 4)
    assert health.is_troubled(LANE)

    assert noted(health, answer, 9) is None
    assert not health.is_troubled(LANE)
    assert pauses(health, *[TemporaryFailure()] * 3) == [None, None, 5]


def test_fault_of_ours_neither_pauses_nor_heals():
    health = LaneHealth()
    pauses(health, CredentialsRefused())
    assert noted(health, KeyError("x"), 9) is None
    assert health.is_troubled(LANE)
    assert pauses(LaneHealth(), *[KeyError("x")] * 9) == [None] * 9


def test_commands_are_told_apart_by_how_long_ago_they_failed():
    health = LaneHealth()
    for command in (1, 2, 1):
        noted(health, Unreachable(), command)
    assert sorted([1, 2, 3], key=lambda command: health.last_failure(LANE, command)) == [3, 2, 1]

    noted(health, None, 3)
    assert [health.last_failure(LANE, command) for command in (1, 2, 3)] == [0, 0, 0]
    assert health.last_failure(OTHER, 1) == 0


def test_lanes_have_nothing_to_do_with_each_other():
    health = LaneHealth()
    pauses(health, Throttled(retry_after_s=9))
    assert health.is_troubled(LANE)
    assert not health.is_troubled(OTHER)
    assert pauses(health, Unreachable(), lane=OTHER) == [5]


def test_claims_before_a_pause_are_closed_and_later_ones_are_not():
    health = LaneHealth()
    assert not health.is_closed(LANE, 1)
    health.close(LANE, 3)
    health.close(LANE, 2)
    assert [health.is_closed(LANE, claim) for claim in (1, 3, 4)] == [True, True, False]
    assert not health.is_closed(OTHER, 1)


def test_calls_that_were_under_way_when_the_lane_was_made_to_pause_do_not_make_the_pause_longer():
    health = LaneHealth()
    together = [health.note(LANE, Unreachable(), number, claim=1, newest=1) for number in range(16)]
    assert together == [5] * 16
    assert health.note(LANE, Unreachable(), 17, claim=2, newest=2) == 10
    assert health.note(LANE, Unreachable(), 18, claim=1, newest=2) == 10
    health.note(LANE, None, 19, claim=3, newest=3)
    assert health.note(LANE, Unreachable(), 20, claim=4, newest=4) == 5


def test_failures_of_one_claim_add_up_until_the_lane_pauses():
    health = LaneHealth()
    seconds = [health.note(LANE, TemporaryFailure(status=500), number, claim=1, newest=1) for number in range(6)]
    assert seconds == [None, None, 5, 5, 5, 5]
