from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from relay.errors import StoreUnavailable
from relay.memory import Outlook
from relay.store import Contended, Store
from relay.store.locking import WriteLock, serialise, serialise_free
from relay.store.privacy.forgetting import SHOP, SHOP_START
from relay.store.privacy.tasks import PrivacyTask
from tests.support.patience import until
from tests.support.statements import noting
from tests.support.stored import NOW, ask, claim_delivery, new_delivery, product, put, translated


def test_two_locks_on_one_file_exclude_each_other(tmp_path):
    first, second = WriteLock(tmp_path / "lock"), WriteLock(tmp_path / "lock")
    with first.held(1), pytest.raises(StoreUnavailable), second.held(0.01):
        pass
    with second.held(0.01):
        assert (tmp_path / "lock").exists()


def test_lock_is_given_back_when_its_holder_fails(tmp_path):
    lock = WriteLock(tmp_path / "lock")
    with pytest.raises(ZeroDivisionError), lock.held(1):
        raise ZeroDivisionError
    with lock.held(0.01):
        pass


def test_who_gives_way_is_overtaken_by_others_but_not_by_those_that_do_so_too(tmp_path):
    holder, patient, other = (WriteLock(tmp_path / "lock") for _ in range(3))
    holder.gives_way = patient.gives_way = True
    order = []

    def write(lock: WriteLock, name: str) -> threading.Thread:
        def run() -> None:
            with lock.held(10):
                order.append(name)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with holder.held(1):
        first = write(patient, "patient")
        until(lambda: is_taken(tmp_path / "lock.gate"))
        second = write(other, "other")
        until(lambda: is_taken(tmp_path / "lock.next"))
    first.join(10)
    second.join(10)
    assert order == ["other", "patient"]


def is_taken(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_two_workers_can_not_translate_deliveries_of_one_resource_at_once(store):
    """Each would miss what the other asks for, and one purchase would be announced twice."""
    seen = []

    def read_the_same() -> None:
        with store.deliveries.translating() as other:
            seen.extend(other.memory.events("acme", "order", "1001"))

    store.deliveries.record(new_delivery())
    delivery = claim_delivery(store)
    with store.deliveries.translating() as bench:
        bench.memory.resource("acme", "order", "1001")
        reader = threading.Thread(target=read_the_same)
        reader.start()
        reader.join(0.2)
        assert reader.is_alive()
        bench.finish(delivery, translated(put()), NOW)
    reader.join(10)

    assert [link.key.slot for link in seen] == ["PURCHASE"]


def test_command_stored_later_for_a_product_waits_for_the_earlier_one(store):
    """Otherwise the later one could be seen, and sent, before the earlier one is committed."""
    store.deliveries.record(new_delivery())
    delivery = claim_delivery(store)
    with store.deliveries.translating() as bench:
        bench.finish(delivery, translated(product("7")), NOW)
        writer = threading.Thread(target=ask, args=(store, product("7")))
        writer.start()
        writer.join(0.2)
        assert writer.is_alive()
    writer.join(10)

    assert [view.delivery_id for view in store.reading.commands()] == [delivery.id + 1, delivery.id]


@pytest.mark.postgres
def test_translations_of_two_resources_do_not_wait_for_each_other_on_postgresql(postgres_url, tmp_path):
    store = Store.open(postgres_url, folder=tmp_path, commit_wait_s=0.05)
    with store.deliveries.translating() as bench, store.deliveries.translating() as other:
        assert bench.memory.resource("acme", "order", "1") is None
        assert other.memory.resource("acme", "order", "2") is None
    store.close()


@pytest.mark.postgres
def test_many_things_are_closed_by_one_statement_on_postgresql(postgres_url):
    things = [("resource", str(number)) for number in range(50)]
    engine = create_engine(postgres_url)
    asked: list[str] = []
    with engine.begin() as connection, engine.begin() as other:
        with noting(engine, lambda statement, _: asked.append(statement)):
            serialise(connection, *things)
        assert len(asked) == 1
        assert serialise_free(other, [*things, ("resource", "another")]) == {("resource", "another")}
    with engine.begin() as connection:
        assert serialise_free(connection, things) == set(things)
    engine.dispose()


@pytest.mark.postgres
def test_only_the_first_delivery_of_a_slice_waits_for_what_is_foreseen_on_postgresql(postgres_url, tmp_path):
    store = Store.open(postgres_url, folder=tmp_path, commit_wait_s=0.05)
    store.migrate()
    one, two, three = (("acme", "order", id_) for id_ in ("1", "2", "3"))
    store.deliveries.record(new_delivery())
    delivery = claim_delivery(store)
    with store.deliveries.translating() as other:
        other.memory.resource(*two)
        with pytest.raises(StoreUnavailable), store.deliveries.translating() as bench:
            bench.foresee([Outlook((two,))])
        with store.deliveries.translating() as bench:
            bench.foresee([Outlook((one,)), Outlook((two,)), Outlook((three,))])
            bench.keep(delivery, translated(put()), NOW)
            assert bench.memory.resource(*three) is None
            with pytest.raises(Contended):
                bench.memory.resource(*two)
            with pytest.raises(StoreUnavailable), store.deliveries.translating() as late:
                late.memory.resource(*three)
    store.close()


@pytest.mark.parametrize(
    "forget", [lambda store: store.retention.prune(NOW), lambda store: store.privacy.conclude(TASK, NOW)]
)
def test_nothing_is_forgotten_while_a_slice_is_translated_on_sqlite(sqlite_url, tmp_path, forget):
    """The slice would write back what it read before."""
    store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=0.05)
    with store.deliveries.translating(), pytest.raises(StoreUnavailable):
        forget(store)
    forget(store)
    store.close()


TASK = PrivacyTask(1, 1, SHOP, NOW, {}, SHOP_START, {})
