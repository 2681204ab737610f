from __future__ import annotations

from sqlalchemy import func, select

from relay.store.tables import workers
from tests.support.stored import NOW, after


def test_workers_are_alive_while_they_are_heard_of(store):
    store.workers.beat("a", NOW)
    store.workers.beat("b", after(-20))
    assert store.workers.alive(NOW, within_s=20) == 2
    assert store.workers.alive(after(1), within_s=20) == 1

    store.workers.beat("b", after(1))
    assert store.workers.alive(after(1), within_s=20) == 2


def test_worker_that_leaves_is_not_alive(store):
    store.workers.beat("a", NOW)
    store.workers.leave("a")
    store.workers.leave("never there")
    assert store.workers.alive(NOW, within_s=20) == 0


def test_workers_that_died_are_forgotten_after_a_day(store):
    store.workers.beat("dead", NOW)
    store.workers.beat("a", after(86_401))

    with store.workers._database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(workers)) == 1
