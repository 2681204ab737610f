from __future__ import annotations

from tests.support.stored import NOW, after


def test_workers_are_alive_while_they_are_heard_of(store):
    store.workers.beat("a", NOW)
    store.workers.beat("b", after(-20))
    assert len(store.workers.heard_of(NOW, within_s=20)) == 2
    assert len(store.workers.heard_of(after(1), within_s=20)) == 1

    store.workers.beat("b", after(1))
    assert len(store.workers.heard_of(after(1), within_s=20)) == 2


def test_workers_that_were_heard_of_are_told_by_name(store):
    store.workers.beat("a", NOW)
    store.workers.beat("b", after(-21))
    assert store.workers.heard_of(NOW, within_s=20) == ["a"]


def test_worker_that_leaves_is_not_alive(store):
    store.workers.beat("a", NOW)
    store.workers.leave("a")
    store.workers.leave("never there")
    assert len(store.workers.heard_of(NOW, within_s=20)) == 0


def test_worker_whose_last_beat_lies_in_the_future_is_not_alive(store):
    store.workers.beat("a", after(3600))
    assert len(store.workers.heard_of(NOW, within_s=20)) == 0


def test_beat_tells_when_the_others_last_beat(store):
    assert store.workers.beat("a", NOW) == {}
    assert store.workers.beat("b", after(-7)) == {"a": NOW}
    assert store.workers.beat("a", after(1)) == {"b": after(-7)}
