from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from relay.errors import StoreUnavailable
from relay.store import Store
from relay.store.group_commit import MOST_TOGETHER, GroupCommit
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


def test_deliveries_of_many_threads_are_each_stored_once(store: Store):
    incoming = [new_delivery(dedupe=f"d{number % 20}") for number in range(60)]
    receipts: list[Any] = []
    threads = [
        threading.Thread(target=lambda new=new: receipts.append(store.deliveries.record(new))) for new in incoming
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(receipts) == 60
    assert sum(not receipt.repeated for receipt in receipts) == 20
    assert len({receipt.id for receipt in receipts}) == 20
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
