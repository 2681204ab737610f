from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from relay.errors import StoreUnavailable
from relay.store import Store
from relay.store.group_commit import MOST_TOGETHER, GroupCommit, Promise
from tests.support.patience import PATIENCE_S, until
from tests.support.stored import new_delivery


class Slow:
    """Stands for a database whose first transactions take as long as the test likes."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.commits = 0

    @contextmanager
    def writing(self, wait_s: float | None = None) -> Any:
        self.entered.release()
        assert self.open.wait(10)
        yield None
        self.commits += 1


def _submitted(commit: GroupCommit[Any, Any], items: Sequence[Any]) -> tuple[list[threading.Thread], dict[Any, Any]]:
    results: dict[Any, Any] = {}

    def submit(item: Any) -> None:
        try:
            results[item] = commit.submit(item)
        except Exception as error:
            results[item] = error

    threads = [threading.Thread(target=submit, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    return threads, results


def _waiting(commit: GroupCommit[Any, Any], number: int) -> None:
    deadline = threading.Event()
    for _ in range(500):
        if len(commit._waiting) >= number:
            return
        deadline.wait(0.01)
    raise AssertionError("they never came together")


def _group(database: Slow, write: Callable[[Any, Sequence[Any]], Sequence[Any]]) -> GroupCommit[Any, Any]:
    return GroupCommit(database.writing, write, wait_s=5)


def test_those_who_come_together_share_a_transaction_and_each_gets_its_own_result():
    database = Slow()
    commit = _group(database, lambda connection, items: [item * 10 for item in items])
    threads, results = _submitted(commit, range(8))
    _waiting(commit, 8)
    database.open.set()
    for thread in threads:
        thread.join(10)
    assert results == {item: item * 10 for item in range(8)}
    assert database.commits == 1


def test_who_has_no_time_to_wait_writes_for_all_or_leaves_them_waiting():
    database = Slow()
    is_busy, waited = True, []

    @contextmanager
    def transaction(wait_s: float) -> Any:
        waited.append(wait_s)
        if is_busy:
            raise StoreUnavailable("Another process has been writing.", is_busy=True)
        with database.writing():
            yield None

    database.open.set()
    commit: GroupCommit[Any, Any] = GroupCommit(transaction, lambda connection, items: items, wait_s=5)
    first, second = commit.promise("first"), commit.promise("second")
    assert not first.is_kept_within(0.25)
    assert (first.done, second.done) == (False, False)
    is_busy = False
    assert first.is_kept_within(0.25)
    assert second.is_kept_within(0.25)
    assert (first.kept(), second.kept()) == ("first", "second")
    assert (waited, database.commits) == ([0.25, 0.25], 1)


def test_who_has_no_time_to_wait_does_not_wait_for_another_leader():
    database = Slow()
    commit = _group(database, lambda connection, items: items)
    thread = threading.Thread(target=commit.promise("first").kept)
    thread.start()
    assert database.entered.acquire(timeout=10)
    late = commit.promise("late")
    assert not late.is_kept_within(0.01)
    database.open.set()
    thread.join(10)
    assert (late.done, late.kept()) == (True, "late")
    assert database.commits == 1


def test_trouble_that_is_no_lack_of_time_is_told_to_who_has_no_time_to_wait():
    @contextmanager
    def full(wait_s: float) -> Any:
        raise StoreUnavailable("The disk is full.")
        yield

    commit: GroupCommit[Any, Any] = GroupCommit(full, lambda connection, items: items, wait_s=5)
    promise = commit.promise("first")
    assert promise.is_kept_within(0.01)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        promise.kept()


def test_whoever_comes_during_a_transaction_goes_with_the_next_one():
    database = Slow()
    inside, go_on = threading.Event(), threading.Event()

    def write(connection: Any, items: Sequence[Any]) -> Sequence[Any]:
        if "first" in items:
            inside.set()
            assert go_on.wait(10)
        return items

    database.open.set()
    commit = _group(database, write)
    first, results = _submitted(commit, ["first"])
    assert inside.wait(10)
    others, more = _submitted(commit, ["second", "third"])
    _waiting(commit, 2)
    go_on.set()
    for thread in (*first, *others):
        thread.join(10)
    assert (results | more) == {"first": "first", "second": "second", "third": "third"}
    assert database.commits == 2


def test_a_wrong_item_does_not_take_its_neighbours_along():
    database = Slow()

    def write(connection: Any, items: Sequence[Any]) -> Sequence[Any]:
        if "wrong" in items:
            raise IntegrityError("statement", {}, Exception("wrong"))
        return items

    commit = _group(database, write)
    threads, results = _submitted(commit, ["good", "wrong", "fine"])
    _waiting(commit, 3)
    database.open.set()
    for thread in threads:
        thread.join(10)
    assert (results["good"], results["fine"]) == ("good", "fine")
    assert isinstance(results["wrong"], IntegrityError)


def test_trouble_with_the_database_is_everybodys_and_the_next_caller_finds_it_mended():
    database = Slow()
    broken = [True]

    def write(connection: Any, items: Sequence[Any]) -> Sequence[Any]:
        if broken:
            raise StoreUnavailable("The disk is full.")
        return items

    commit = _group(database, write)
    threads, results = _submitted(commit, ["one", "two"])
    _waiting(commit, 2)
    database.open.set()
    for thread in threads:
        thread.join(10)
    assert [str(results[item]) for item in ("one", "two")] == ["The disk is full."] * 2
    broken.clear()
    assert commit.submit("three") == "three"


def test_a_caller_whose_turn_does_not_come_in_time_is_told_so_and_leaves_the_queue():
    database = Slow()
    commit = GroupCommit(database.writing, lambda connection, items: items, wait_s=0.05)
    leader, _ = _submitted(commit, ["leader"])
    assert database.entered.acquire(timeout=10)
    follower, results = _submitted(commit, ["follower"])
    follower[0].join(10)
    assert isinstance(results["follower"], StoreUnavailable)
    assert [ticket.item for ticket in commit._waiting] == ["leader"]
    database.open.set()
    leader[0].join(10)


def test_no_transaction_grows_without_bound():
    database = Slow()
    sizes: list[int] = []

    def write(connection: Any, items: Sequence[Any]) -> Sequence[Any]:
        sizes.append(len(items))
        return items

    commit = _group(database, write)
    threads, results = _submitted(commit, range(MOST_TOGETHER + 5))
    _waiting(commit, MOST_TOGETHER + 5)
    database.open.set()
    for thread in threads:
        thread.join(10)
    assert sizes == [MOST_TOGETHER, 5]
    assert len(results) == MOST_TOGETHER + 5


def test_promises_nobody_has_asked_for_are_kept_with_the_next_that_is():
    database = Slow()
    database.open.set()
    commit = _group(database, lambda connection, items: [item * 10 for item in items])
    first, second = commit.promise(1), commit.promise(2)
    assert (database.commits, first.done, second.done) == (0, False, False)
    assert commit.submit(3) == 30
    assert (database.commits, first.done, second.done) == (1, True, True)
    assert (first.kept(), second.kept()) == (10, 20)
    assert database.commits == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_one_thread_asks_its_promises_in_any_order_and_they_share_a_transaction(order: tuple[int, ...]):
    database = Slow()
    database.open.set()
    commit = _group(database, lambda connection, items: [item * 10 for item in items])
    promises = [commit.promise(number) for number in range(3)]
    assert [promises[number].kept() for number in order] == [number * 10 for number in order]
    assert [promise.kept() for promise in promises] == [0, 10, 20]  # as often as one likes
    assert database.commits == 1


def test_promises_are_asked_by_several_threads_at_once_and_each_is_kept_once():
    database = Slow()
    written: list[int] = []

    def write(connection: Any, items: Sequence[int]) -> Sequence[int]:
        written.extend(items)
        return [item * 10 for item in items]

    # Who sleeps would wake by himself only after this test has given up.
    commit = GroupCommit(database.writing, write, wait_s=PATIENCE_S)
    promises = [commit.promise(number) for number in range(40)]
    results: list[list[int]] = []

    def ask(mine: Sequence[Promise[int, int]]) -> None:
        results.append([promise.kept() for promise in mine])

    threads = [threading.Thread(target=ask, args=(promises[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: sum(promise.sleeps for promise in promises) == 3)
    database.open.set()
    for thread in threads:
        thread.join(PATIENCE_S / 2)
    assert sorted(results) == [[number * 10 for number in range(start, 40, 4)] for start in range(4)]
    assert written == list(range(40))
    assert database.commits == 1


def test_trouble_with_the_database_is_every_promises_and_is_told_again():
    database = Slow()
    database.open.set()

    def write(connection: Any, items: Sequence[Any]) -> Sequence[Any]:
        raise StoreUnavailable("The disk is full.")

    commit = _group(database, write)
    promises = [commit.promise(number) for number in range(3)]
    for promise in (*promises, promises[0]):
        with pytest.raises(StoreUnavailable, match="The disk is full"):
            promise.kept()
    assert list(commit._waiting) == []


def test_database_that_nobody_gets_is_every_promises_trouble_at_once():
    tried: list[float] = []

    @contextmanager
    def locked(wait_s: float) -> Any:
        tried.append(wait_s)
        raise StoreUnavailable("Another process has been writing.")
        yield

    commit: GroupCommit[Any, Any] = GroupCommit(locked, lambda connection, items: items, wait_s=5)
    for promise in [commit.promise(number) for number in range(3)]:
        with pytest.raises(StoreUnavailable, match="Another process"):
            promise.kept()
    assert tried == [5], "who comes after the first need not wait as long again"


def test_promise_never_asked_for_blocks_nobody():
    database = Slow()
    commit = _group(database, lambda connection, items: items)
    commit.promise("forgotten")
    threads, results = _submitted(commit, ["one"])
    assert database.entered.acquire(timeout=10)
    commit.promise("forgotten too")
    more, others = _submitted(commit, ["two", "three"])
    _waiting(commit, 5)
    database.open.set()
    for thread in (*threads, *more):
        thread.join(10)
        assert not thread.is_alive()
    assert results | others == {"one": "one", "two": "two", "three": "three"}
    commit.promise("forgotten at the end")
    assert not commit._led
    assert commit.submit("four") == "four"


def test_who_asks_behind_more_promises_than_go_together_is_answered_all_the_same():
    database = Slow()
    database.open.set()
    commit = _group(database, lambda connection, items: items)
    promises = [commit.promise(number) for number in range(2 * MOST_TOGETHER)]
    assert commit.submit("behind them") == "behind them"
    assert [promise.kept() for promise in promises] == list(range(2 * MOST_TOGETHER))
    assert database.commits == 2


def test_delivery_recorded_soon_is_stored_when_its_promise_is_asked_for(store: Store):
    promises = [store.deliveries.record_soon(new_delivery(dedupe=dedupe)) for dedupe in ("one", "two", "one")]
    assert store.reading.deliveries() == []
    assert [promise.kept() for promise in promises] == [False, False, True]
    assert len(store.reading.deliveries()) == 2


def test_deliveries_of_many_threads_are_each_stored_once(store: Store):
    incoming = [new_delivery(dedupe=f"d{number % 20}") for number in range(60)]
    receipts: list[Any] = []
    threads = [
        threading.Thread(target=lambda new=new: receipts.append(store.deliveries.record_soon(new).kept()))
        for new in incoming
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(receipts) == 60
    assert sum(not repeated for repeated in receipts) == 20
    assert len(store.reading.deliveries(limit=100)) == 20


@pytest.mark.parametrize("known", [False, True])
def test_the_same_delivery_twice_in_one_transaction_is_one(store: Store, known: bool):
    from relay.store.receiving import insert_deliveries, written

    if known:
        store.deliveries.record(new_delivery(dedupe="same"))
    twins = [new_delivery(dedupe="same"), new_delivery(dedupe="other"), new_delivery(dedupe="same")]
    with store._database.writing() as connection:
        first, other, second = insert_deliveries(connection, list(map(written, twins)))
    assert (first.repeated, other.repeated, second.repeated) == (known, False, True)
    assert first.id == second.id != other.id
