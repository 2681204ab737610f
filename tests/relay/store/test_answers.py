from __future__ import annotations

import threading

import pytest

from relay.errors import RequestConflict, RequestInvalid
from relay.store import Answer
from tests.support.stored import NOW, after

KEY = "main|POST|/contacts|key-1"


def test_repeat_gets_the_first_answer_to_the_byte(store):
    assert store.answers.begin(KEY, "digest", NOW) is None
    store.answers.finish(KEY, 200, b'{"success":true}\xff', after(1))

    assert store.answers.begin(KEY, "digest", after(2)) == Answer(200, b'{"success":true}\xff')
    assert store.answers.begin("main|POST|/events|key-1", "digest", after(2)) is None


def test_repeat_with_another_body_is_invalid(store):
    store.answers.begin(KEY, "digest", NOW)
    with pytest.raises(RequestInvalid) as caught:
        store.answers.begin(KEY, "other", NOW)
    assert list(caught.value.fields) == ["Idempotency-Key"]


def test_repeat_of_a_request_in_flight_is_a_conflict(store):
    store.answers.begin(KEY, "digest", NOW)
    with pytest.raises(RequestConflict):
        store.answers.begin(KEY, "digest", after(60))


def test_request_whose_process_died_can_be_made_again(store):
    store.answers.begin(KEY, "digest", NOW)
    assert store.answers.begin(KEY, "other", after(61)) is None
    with pytest.raises(RequestConflict):
        store.answers.begin(KEY, "other", after(62))


def test_answer_is_forgotten_after_a_day(store):
    store.answers.begin(KEY, "digest", NOW)
    store.answers.finish(KEY, 200, b"", NOW)
    assert store.answers.begin(KEY, "digest", after(86_400)) == Answer(200, b"")
    assert store.answers.begin(KEY, "other", after(86_401)) is None


def test_only_one_of_many_at_once_is_let_through(store):
    results = []

    def begin() -> None:
        try:
            results.append(store.answers.begin(KEY, "digest", NOW))
        except RequestConflict:
            results.append("conflict")

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, results)) == ["None", *["conflict"] * 5]
