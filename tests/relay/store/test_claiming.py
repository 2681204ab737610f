from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from itertools import groupby

import pytest
from sqlalchemy import create_engine, select, update

from relay.commands import CommandState, Lane, Outcome, Verdict
from relay.store import Store, claiming
from relay.store.claiming import HEADS
from relay.store.deliveries import _SHOPS, due_deliveries
from relay.store.lanes import LaneKey
from relay.store.reading import counted
from relay.store.tables import COMMANDS_FOR_SOMEBODY, commands
from tests.support.stored import (
    LEASE_S,
    NOW,
    after,
    ask,
    claim,
    claim_one,
    contact_delete,
    end,
    finish_all,
    product,
    put,
    upsert,
)

IN_CONTACTS = {"of_group": "main", "of_lane": Lane.CONTACTS, "of_shop": "acme", "now": NOW, "most": 10}


@pytest.fixture
def postgres_store(postgres_url, tmp_path):
    store = Store.open(postgres_url, folder=tmp_path)
    yield store
    store.close()


def test_only_the_head_of_a_subject_is_claimed(store):
    ask(store, upsert("ann@example.com"), put("ann@example.com"), upsert("bob@example.com"), put("bob@example.com"))

    first = claim(store)
    assert [(command.kind, command.email) for command in first] == [
        ("contact.upsert", "ann@example.com"),
        ("contact.upsert", "bob@example.com"),
    ]
    assert claim(store) == []

    store.commands.settle([Outcome(first[0], Verdict.DONE)], NOW)
    assert [(command.kind, command.email) for command in claim(store)] == [("event.put", "ann@example.com")]


def test_claim_that_finds_nothing_keeps_nobody_from_writing(store):
    """Every ring has a worker look, and on SQLite the receiver would have to wait for each look that locks."""
    ask(store, upsert("ann@example.com"), put("ann@example.com"))
    ask(store, upsert("bob@example.com"), at=after(60))
    assert len(claim(store)) == 1
    with store._database.writing():
        assert claim(store) == [], "one is under way, one waits for that, one is not due"
        assert claim(store, after(1)) == []
    assert [command.email for command in claim(store, after(60))] == ["ann@example.com", "bob@example.com"]


def test_postponed_head_holds_back_its_followers(store):
    ask(store, upsert(), put())
    head = end(store, Verdict.RETRY, due_at=after(30))

    assert claim(store, after(29)) == []
    assert claim_one(store, after(30)).id == head.id


@pytest.mark.parametrize("verdict", [Verdict.DONE, Verdict.DEAD, Verdict.UNCERTAIN])
def test_what_is_over_holds_back_nobody(store, verdict):
    ask(store, upsert(), put())
    end(store, verdict)

    assert claim_one(store).kind == "event.put"


def test_dropped_and_superseded_commands_hold_back_nobody(store):
    first, second = ask(store, put()), ask(store, put())
    ask(store, contact_delete())
    store.commands.drop(store.commands.of_delivery(first)[0].id, NOW)
    store.deliveries.replay(second, NOW)

    assert claim_one(store).kind == "contact.delete"


def test_expired_lease_is_taken_over_without_doubt_when_no_attempt_had_begun(store):
    ask(store, upsert())
    first = claim_one(store)
    assert claim(store, after(LEASE_S - 1)) == []

    second = claim_one(store, after(LEASE_S))
    assert (second.id, second.answer_lost) == (first.id, False)
    assert second.lease_token != first.lease_token


def test_expired_lease_with_a_begun_attempt_is_an_answer_lost(store):
    delivery_id = ask(store, put())
    command = claim_one(store)
    store.commands.begin([command], after(1))

    taken = claim_one(store, after(LEASE_S))
    assert (taken.answer_lost, taken.attempts) == (True, 1)
    (attempt,) = store.commands.of_delivery(delivery_id)[0].attempts
    assert (attempt.verdict, attempt.finished_at) == (None, after(LEASE_S))

    # The taker looked for the event, found none, sent it and was refused: that answer is known.
    store.commands.begin([taken], after(LEASE_S))
    store.commands.settle([Outcome(taken, Verdict.RETRY)], after(LEASE_S))
    assert not claim_one(store, after(LEASE_S)).answer_lost


def test_answer_lost_in_a_retry_is_remembered(store):
    ask(store, put())
    end(store, Verdict.RETRY, answer_lost=True)
    command = claim_one(store)
    assert command.answer_lost

    store.commands.settle([Outcome(command, Verdict.RELEASED)], NOW)
    assert claim_one(store).answer_lost, "a release changes nothing about it"


def test_lanes_to_skip_leave_their_share_to_the_others(store):
    ask(store, *(upsert(f"{name}@example.com") for name in "abc"), product())
    ask(store, *(upsert(f"{name}@example.com") for name in "abc"), group="other")

    first = store.commands.claim(NOW, LEASE_S, 4, {LaneKey("main", Lane.CONTACTS)})
    assert Counter((command.group, command.kind.lane) for command in first) == {
        ("main", Lane.CATALOG): 1,
        ("other", Lane.CONTACTS): 3,
    }
    assert {command.group for command in claim(store)} == {"main"}


def test_paused_lane_keeps_its_commands_and_the_other_goes_on(store):
    ask(store, upsert(), product())
    store.lanes.pause("main", Lane.CONTACTS, after(60), "credentials refused", NOW)

    assert [command.kind for command in claim(store)] == ["product.upsert"]
    assert [command.kind for command in claim(store, after(60))] == ["contact.upsert", "product.upsert"], (
        "the pause is over, and so is the other command's lease"
    )


def test_lanes_take_turns_when_one_has_a_backlog(store):
    for number in range(30):
        ask(store, upsert(f"big{number}@example.com"), group="big")
    ask(store, upsert(), group="small")

    assert Counter(command.group for command in claim(store, limit=10))["small"] == 1


def test_no_lane_starves_when_claims_are_smaller_than_their_number(store):
    for number in range(5):
        for group in "abc":
            ask(store, upsert(f"{number}@example.com"), group=group)

    claimed = [command for _ in range(3) for command in claim(store, limit=1)]
    assert {command.group for command in claimed} == {"a", "b", "c"}


def test_oldest_come_first(store):
    for second in (3, 1, 2):
        ask(store, upsert(f"{second}@example.com"), at=after(second))

    assert [command.email for command in claim(store, after(10), limit=2)] == ["1@example.com", "2@example.com"]


def test_product_subjects_of_two_groups_are_strangers(store):
    ask(store, product("7"), group="main")
    ask(store, product("7"), group="other")

    claimed = claim(store)
    assert {(command.group, command.subject) for command in claimed} == {
        ("main", "product:acme_shop:7"),
        ("other", "product:acme_shop:7"),
    }
    assert {command.location for command in claimed} == {"acme_shop"}


def test_requeued_command_waits_while_a_later_one_of_its_subject_is_sent(store):
    ask(store, upsert(), put())
    dead = end(store, Verdict.DEAD)
    follower = claim_one(store)
    store.commands.requeue(dead.id, NOW)

    assert claim(store) == []
    store.commands.settle([Outcome(follower, Verdict.DONE)], NOW)
    assert claim_one(store).id == dead.id


def test_claimed_command_carries_what_sending_needs(store):
    delivery_id = ask(store, upsert(), put())
    end(store, Verdict.DONE, contact_id="sm-1")
    end(store, Verdict.DONE, event_id="ev-1")
    ask(store, put(value=20), at=after(1))

    command = claim_one(store, after(1))
    assert (command.email, command.contact_id, command.event_id) == ("ann@example.com", "sm-1", "ev-1")
    assert (command.payload, command.created_at) == ({"contactEvent": {"value": 20}}, after(1))
    assert (command.attempts, command.answer_lost, command.location) == (0, False, None)
    assert command.delivery_id == delivery_id + 1
    assert command.subject.startswith("contact:")


def test_four_workers_keep_order_and_never_send_two_of_a_subject_at_once(store):
    people = [f"{number}@example.com" for number in range(12)]
    expected = defaultdict(list)
    for number in range(240):
        email = people[random.Random(number).randrange(len(people))]
        delivery_id = ask(store, put(email, key=None, value=number))
        expected[email].append(store.commands.of_delivery(delivery_id)[0].id)
    log = Flight()

    threads = [threading.Thread(target=log.watch, args=(work, store, log, 240)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert log.faults == []
    assert log.landed == expected


def test_commands_stored_meanwhile_do_not_overtake_or_meet_on_the_way(store):
    """Numbers are drawn before commits: two workers that store commands of one person must not swap them."""
    log = Flight()
    total = 120

    def write(first: int) -> None:
        for number in range(first, first + total // 2):
            ask(store, put(f"{number % 3}@example.com", key=None, value=number))

    writers = [threading.Thread(target=log.watch, args=(write, first)) for first in (0, 1000)]
    senders = [threading.Thread(target=log.watch, args=(work, store, log, total)) for _ in range(3)]
    for thread in writers + senders:
        thread.start()
    for thread in writers + senders:
        thread.join()

    assert log.faults == []
    assert sum(map(len, log.landed.values())) == total
    assert all(sent == sorted(sent) for sent in log.landed.values())


class Flight:
    """Which commands are in flight, seen from outside the store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flying: set[str] = set()
        self.landed: dict[str, list[int]] = defaultdict(list)
        self.faults: list[str] = []

    def watch(self, work, *args) -> None:
        try:
            work(*args)
        except Exception as error:
            self.faults.append(repr(error))

    def take_off(self, command) -> None:
        with self._lock:
            if command.email in self._flying:
                self.faults.append(f"{command.email} is in flight twice")
            self._flying.add(command.email)

    def land(self, command) -> None:
        with self._lock:
            self._flying.discard(command.email)
            self.landed[command.email].append(command.id)

    def over(self, total: int) -> bool:
        with self._lock:
            return bool(self.faults) or sum(map(len, self.landed.values())) >= total


def work(store: Store, log: Flight, total: int) -> None:
    while not log.over(total):
        claimed = store.commands.claim(after(1), LEASE_S, 5)
        for _, mine in groupby(claimed, key=lambda command: command.subject):
            for command in mine:  # of one subject one after the other, as a worker sends them
                log.take_off(command)
                log.land(command)
        store.commands.settle([Outcome(command, Verdict.DONE) for command in claimed], after(1))


@pytest.mark.postgres
def test_uncommitted_claim_of_another_worker_lets_no_follower_through(postgres_url, postgres_store):
    """The ordering trap: skipping what is locked must not reach the next command of the same person."""
    store = postgres_store
    ask(store, upsert("ann@example.com"), put("ann@example.com"))
    ask(store, upsert("bob@example.com"))
    engine = create_engine(postgres_url)
    with engine.begin() as other_worker:
        rows = other_worker.execute(HEADS, IN_CONTACTS | {"most": 1}).all()
        leased = {"state": CommandState.CLAIMED, "due_at": after(LEASE_S)}
        other_worker.execute(update(commands).where(commands.c.id == rows[0].id).values(leased))

        assert [command.email for command in claim(store)] == ["bob@example.com"]
    assert claim(store) == [], "the other worker's claim is committed now"
    engine.dispose()


@pytest.mark.postgres
def test_head_is_judged_again_once_it_is_locked(postgres_store, monkeypatch):
    """A command requeued between looking and locking goes first."""
    store = postgres_store
    ask(store, upsert(), put())
    dead = end(store, Verdict.DEAD)

    def look_then_requeue(connection, *args):
        if requeued:
            return locked(connection, *args)
        requeued.append(store.commands.requeue(dead.id, NOW))
        put_id = connection.scalar(select(commands.c.id).where(commands.c.kind == "event.put"))
        return [(put_id, False)]

    requeued: list[None] = []
    locked = claiming._lock_heads
    monkeypatch.setattr(claiming, "_lock_heads", look_then_requeue)
    assert claim(store) == []
    assert claim_one(store).id == dead.id


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (HEADS.params(IN_CONTACTS), "ix_commands_due"),
        (HEADS.params(IN_CONTACTS), "ix_commands_subject"),
        (claiming._SHOPS.params(IN_CONTACTS), "ix_commands_due"),
        (due_deliveries("acme", NOW, 10), "ix_deliveries_due"),
        (_SHOPS, "ix_deliveries_due"),
        (counted(commands, COMMANDS_FOR_SOMEBODY, commands.c.group_key, commands.c.state), "ix_commands_for_somebody"),
    ],
)
def test_hot_queries_read_open_rows_only(database_url, statement, index):
    engine = create_engine(database_url)
    words = statement.compile(engine, compile_kwargs={"literal_binds": True})
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = connection.exec_driver_sql(f"EXPLAIN {words}").scalars().all()
        else:
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")]
    engine.dispose()
    assert index in "\n".join(plan)


def test_everything_is_sent_in_the_end(store):
    for number in range(10):
        ask(store, upsert(f"{number % 3}@example.com"), put(f"{number % 3}@example.com"))

    assert len(finish_all(store)) == 20
    assert store.reading.counts().commands == {}
