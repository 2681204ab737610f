from __future__ import annotations

import pytest

from handlers.waiting import LONGEST_WAIT_S, Waiting, wait_of


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    def monotonic(self) -> float:
        return self.now


def waiting(time: Time, threads: int = 4) -> Waiting:
    return Waiting(threads, sleep=time.sleep, monotonic=time.monotonic)


def never(_seen: object) -> bool:
    return False


def test_settled_answer_is_given_without_waiting() -> None:
    time = Time()
    assert waiting(time).until(lambda: "done", lambda seen: seen == "done", 5) == "done"
    assert time.pauses == []


def test_looks_again_at_growing_intervals_until_it_is_settled() -> None:
    time, answers = Time(), iter(["open", "open", "open", "done", "never seen"])
    assert waiting(time).until(lambda: next(answers), lambda seen: seen == "done", 5) == "done"
    assert time.pauses == sorted(set(time.pauses))
    assert len(time.pauses) == 3


def test_gives_up_when_the_time_is_over() -> None:
    time = Time()
    assert waiting(time).until(lambda: "open", never, 5) == "open"
    assert time.now == pytest.approx(5)
    assert max(time.pauses) <= 0.25


def test_caller_who_does_not_want_to_wait_is_answered_at_once() -> None:
    time = Time()
    assert waiting(time).until(lambda: "open", never, 0) == "open"
    assert time.pauses == []


def test_quarter_of_the_threads_may_wait_and_the_rest_is_answered_at_once() -> None:
    time = Time()
    places = waiting(time, threads=8)
    answered: list[str] = []

    def nested(depth: int) -> str:
        if time.pauses and depth < 3:
            answered.append(places.until(lambda: nested(depth + 1), never, 0.01))
        return f"open {depth}"

    places.until(lambda: nested(0), never, 0.02)
    inner_pauses = len(time.pauses)
    assert "open 1" in answered
    assert inner_pauses < 10  # the third level found no place, so it did not sleep


def test_place_is_free_again_after_waiting_even_when_looking_fails() -> None:
    time = Time()
    places = waiting(time, threads=4)

    def failing() -> str:
        if time.pauses:
            raise RuntimeError("gone")
        return "open"

    with pytest.raises(RuntimeError):
        places.until(failing, never, 1)
    before = len(time.pauses)
    places.until(lambda: "open", never, 1)
    assert len(time.pauses) > before


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 5),
        ("", 5),
        ("respond-async", 0),
        ("wait=2", 2),
        ('wait="3"', 3),
        ("respond-async, wait=10", 10),
        ("wait=10; foo=bar, respond-async", 10),
        ("WAIT=4", 4),
        ("wait=-1", 5),
        ("wait=soon", 5),
        ("wait=99999999999999999999", LONGEST_WAIT_S),
        ("return=minimal", 5),
    ],
)
def test_prefer_header_says_how_long_to_wait(prefer: str | None, seconds: float) -> None:
    assert wait_of(prefer, 5) == seconds


def test_no_setting_makes_a_caller_wait_longer_than_an_idempotent_request_may_take() -> None:
    assert wait_of(None, 60) == LONGEST_WAIT_S
