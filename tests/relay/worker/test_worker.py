"""The whole worker: running in a thread, stopped, cut off from its store, woken, and beside another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from relay.clock import SystemClock
from relay.commands import CommandState
from relay.deliveries import DeliveryState, Translation
from relay.errors import StoreUnavailable, Throttled
from relay.news import News
from relay.store import Store
from relay.store.locking import WriteLock
from relay.worker.crew import CALLS_PER_LANE
from relay.worker.duty import Duty
from relay.worker.outage import LONGEST_PAUSE_S, Outage, outage_pause_s
from relay.worker.waking import Bell, Ear
from relay.worker.worker import Worker
from tests.support.patience import PATIENCE_S, until
from tests.support.stored import NOW, ask, new_delivery, translated, upsert
from tests.support.working import (
    ADD,
    OK,
    FakeClient,
    FakeTranslator,
    Shift,
    a_group,
    directory,
    events,
    fault,
    good_product,
    purchase,
    real_client,
    settings,
)

DONE, WAITING = CommandState.DONE, CommandState.WAITING


def longing(email="ann@example.com"):
    """Give a translator that asks for one contact."""
    return FakeTranslator(lambda delivery: translated(upsert(email)))


class Running:
    """Workers that run in threads of this process, on the machine's clock."""

    def __init__(self, store):
        self.store = store
        self.client = FakeClient(SystemClock())
        self.started = []

    def start(self, **changes):
        parts = {
            "store": self.store,
            "client": self.client,
            "translator": FakeTranslator(),
            "directory": directory(),
            "settings": settings(poll_s="0.05"),
            "clock": SystemClock(),
        }
        worker = Worker(**parts | changes)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.started.append((worker, thread))
        return worker

    def stop(self):
        for worker, _ in self.started:
            worker.stop()
        for _, thread in self.started:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def states(self, *deliveries):
        return [view.state for each in deliveries for view in self.store.commands.of_delivery(each)]


@pytest.fixture
def running(store):
    workers = Running(store)
    yield workers
    workers.stop()


@pytest.fixture
def on_sqlite(sqlite):
    workers = Running(sqlite)
    yield workers
    workers.stop()


def now():
    return datetime.now(UTC)


# Until idle


def test_delivery_is_translated_and_sent_in_one_go(both):
    both.translator = FakeTranslator(lambda _delivery: translated(upsert(), purchase(), good_product("7")))
    delivery = both.store.deliveries.record(new_delivery()).id
    both.work()
    assert both.store.reading.delivery(delivery).state is DeliveryState.TRANSLATED
    assert both.states(delivery) == [DONE] * 3


def test_what_is_due_later_is_left(shift):
    delivery = ask(shift.store, upsert())
    shift.store.commands.claim(shift.clock.now(), 60, 10)
    shift.work()
    assert shift.states(delivery) == [CommandState.CLAIMED]
    shift.clock.advance(60)
    shift.work()
    assert shift.states(delivery) == [DONE]


def test_long_queue_of_one_contact_is_sent_in_its_order(both):
    deliveries = [ask(both.store, purchase(order=str(number))) for number in range(25)]
    both.work()
    assert both.states(*deliveries) == [DONE] * 25
    orders = [sent.commands[0].payload["contactEvent"]["externalId"] for sent in both.client.sent]
    assert orders == [str(number) for number in range(25)]


def test_store_that_is_away_is_told_to_whoever_asked_for_one_go(shift, monkeypatch):
    def failing(*_arguments):
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(shift.store.deliveries, "claim", failing)
    with pytest.raises(StoreUnavailable):
        shift.work()


# Running


def test_running_worker_carries_everything_through(running):
    delivery = running.store.deliveries.record(new_delivery(received_at=now())).id
    asked = [ask(running.store, upsert(f"{number}@example.com"), at=now()) for number in range(30)]
    running.start(translator=longing())
    until(lambda: running.states(delivery) == [DONE] and set(running.states(*asked)) == {DONE})


def test_two_workers_share_the_work_and_send_nothing_twice(running):
    deliveries = [
        ask(running.store, upsert(f"{number}@example.com"), purchase(f"{number}@example.com", str(number)), at=now())
        for number in range(40)
    ]
    running.start()
    running.start()
    until(lambda: set(running.states(*deliveries)) == {DONE})
    running.stop()

    sent = [each for call in running.client.sent for each in call.ids]
    assert len(sent) == len(set(sent)) == 80
    kinds = {tuple(command.kind.value for command in call.commands) for call in running.client.sent}
    assert kinds == {("contact.upsert", "event.put")}, "a contact and its event share a call"


def test_slow_group_keeps_no_other_waiting(on_sqlite):
    go = threading.Event()

    class Slow(FakeClient):
        def send(self, group, batch):
            if group.key == "slow":
                go.wait(PATIENCE_S)
            return super().send(group, batch)

    client = Slow(SystemClock())
    slow = [ask(on_sqlite.store, upsert(f"{n}@example.com"), group="slow", at=now()) for n in range(150)]
    quick = [ask(on_sqlite.store, upsert(f"{n}@example.com"), group="quick", at=now()) for n in range(50)]
    on_sqlite.start(client=client, directory=directory(a_group(key="slow"), a_group(key="quick")))
    until(lambda: set(on_sqlite.states(*quick)) == {DONE})
    states = on_sqlite.states(*slow)
    assert DONE not in states
    assert states.count(WAITING) >= 50, "no more is claimed for a lane that has its hands full"
    go.set()
    until(lambda: set(on_sqlite.states(*slow)) == {DONE})


def test_slow_salesmanago_does_not_keep_deliveries_from_being_translated(on_sqlite):
    go = threading.Event()
    on_sqlite.client.answers.extend([lambda _batch: go.wait(PATIENCE_S) and OK] * CALLS_PER_LANE)
    for number in range(CALLS_PER_LANE + 6):
        ask(on_sqlite.store, upsert(f"{number}@example.com"), at=now())
    on_sqlite.start(translator=longing("late@example.com"))
    until(lambda: len(on_sqlite.client.sent) == CALLS_PER_LANE)
    delivery = on_sqlite.store.deliveries.record(new_delivery(received_at=now())).id
    until(lambda: on_sqlite.store.reading.delivery(delivery).state is DeliveryState.TRANSLATED)
    go.set()
    until(lambda: on_sqlite.states(delivery) == [DONE])


def test_ring_wakes_an_idle_worker_long_before_it_polls(on_sqlite, tmp_path):
    with Ear(tmp_path) as ear:
        on_sqlite.start(translator=longing(), settings=settings(poll_s="60"), ear=ear)
        until(lambda: on_sqlite.store.workers.heard_of(now(), 60))
        time.sleep(0.1)
        delivery = on_sqlite.store.deliveries.record(new_delivery(received_at=now())).id
        Bell(tmp_path).ring()
        until(lambda: on_sqlite.states(delivery) == [DONE])
        on_sqlite.stop()


def test_idle_worker_looks_no_oftener_than_it_is_woken(on_sqlite, tmp_path, monkeypatch):
    looks = []
    claim = on_sqlite.store.commands.claim

    def counting(*arguments, **named):
        looks.append(1)
        return claim(*arguments, **named)

    monkeypatch.setattr(on_sqlite.store.commands, "claim", counting)
    with Ear(tmp_path) as ear:
        on_sqlite.start(settings=settings(poll_s="60"), ear=ear)
        until(lambda: looks)
        before = len(looks)
        Bell(tmp_path).ring()
        until(lambda: len(looks) > before)
        time.sleep(0.3)
        assert len(looks) <= before + 2
        on_sqlite.stop()


def test_worker_looks_only_for_what_it_is_woken_for(on_sqlite, tmp_path, monkeypatch):
    looks = Counter()

    def count(name, claim):
        def counting(*arguments, **named):
            looks[name] += 1
            return claim(*arguments, **named)

        return counting

    for name in ("commands", "deliveries"):
        queue = getattr(on_sqlite.store, name)
        monkeypatch.setattr(queue, "claim", count(name, queue.claim))
    privacy = on_sqlite.store.privacy
    monkeypatch.setattr(privacy, "unfinished", count("privacy", privacy.unfinished))
    with Ear(tmp_path) as ear:
        on_sqlite.start(settings=settings(poll_s="60"), ear=ear)
        until(lambda: looks["commands"] and looks["deliveries"] and looks["privacy"])
        before = looks.copy()
        Bell(tmp_path).ring(News.DELIVERIES)
        until(lambda: looks["deliveries"] > before["deliveries"])
        assert looks["commands"] == before["commands"]
        Bell(tmp_path).ring(News.COMMANDS)
        until(lambda: looks["commands"] > before["commands"])
        time.sleep(0.1)
        assert looks["privacy"] == before["privacy"], "erasures only poll"
        on_sqlite.stop()


@pytest.mark.parametrize(("other", "calls"), [("dispatch", 1), ("translate", CALLS_PER_LANE)])
def test_worker_that_joins_another_that_sends_makes_one_call_at_a_time_at_first(on_sqlite, other, calls):
    on_sqlite.store.workers.beat(f"elsewhere:1:0a1b2c3d-{other}", now())
    go = threading.Event()
    on_sqlite.client.answers.extend([lambda _batch: go.wait(PATIENCE_S) and OK] * 20)
    deliveries = [ask(on_sqlite.store, upsert(f"{number}@example.com"), at=now()) for number in range(20)]
    on_sqlite.start()
    until(lambda: len(on_sqlite.client.sent) >= calls)
    time.sleep(0.3)  # several polls
    assert len(on_sqlite.client.sent) == calls
    go.set()
    until(lambda: set(on_sqlite.states(*deliveries)) == {DONE})


def test_lane_in_trouble_has_one_call_at_a_time(on_sqlite):
    calm, go, under_way = threading.Event(), threading.Event(), []

    def answer(_batch):
        if not calm.is_set():
            raise Throttled("busy", retry_after_s=1)
        under_way.append(1)
        return go.wait(PATIENCE_S) and OK

    on_sqlite.client.answers.extend([answer] * 100)
    deliveries = [ask(on_sqlite.store, upsert(f"{number}@example.com"), at=now()) for number in range(20)]
    on_sqlite.start()
    until(lambda: on_sqlite.store.lanes.paused(now()))
    time.sleep(0.5)  # those that began together are all answered
    calm.set()
    until(lambda: under_way)
    time.sleep(0.3)  # several polls
    assert len(under_way) == 1
    go.set()
    until(lambda: set(on_sqlite.states(*deliveries)) == {DONE})


def test_worker_shows_that_it_lives_also_during_a_long_call_and_leaves_when_it_stops(on_sqlite, monkeypatch):
    monkeypatch.setattr("relay.worker.worker.BEAT_S", 0.05)
    go = threading.Event()
    on_sqlite.client.answers.append(lambda _batch: go.wait(PATIENCE_S) and OK)
    ask(on_sqlite.store, upsert(), at=now())
    worker = on_sqlite.start()
    until(lambda: on_sqlite.client.sent)
    under_way = now()
    until(lambda: on_sqlite.store.workers.beat("looking", now()).get(worker.name, under_way) > under_way)
    on_sqlite.store.workers.leave("looking")
    go.set()
    on_sqlite.stop()
    assert on_sqlite.store.workers.heard_of(now(), 3600) == []
    assert worker.name.count(":") == 2
    assert worker.name.endswith("-all"), "it tells the others and /readyz what it does"


# Stopping


def test_stop_finishes_the_call_that_is_under_way_and_begins_no_other(running):
    go = threading.Event()
    running.client.answers.append(lambda _batch: go.wait(PATIENCE_S) and OK)
    deliveries = [ask(running.store, upsert(f"{number}@example.com"), at=now()) for number in range(5)]
    worker = running.start(calls_per_lane=1)
    until(lambda: running.client.sent)
    worker.stop()
    time.sleep(0.1)
    assert running.started[0][1].is_alive(), "it waits for the answer"
    go.set()
    running.stop()

    assert running.states(*deliveries) == [DONE, *[WAITING] * 4]
    assert len(running.client.sent) == 1
    rest = running.store.commands.claim(now(), 60, 10)
    assert len(rest) == 4, "given back, not left to their leases"
    assert [command.attempts for command in rest] == [0] * 4


def test_what_a_stop_gives_back_keeps_its_place(shift):
    deliveries = [ask(shift.store, upsert(f"{number}@example.com")) for number in range(3)]
    worker = shift.worker(calls_per_lane=1)
    shift.client.answers.append(lambda _batch: worker.stop() or OK)
    shift.clock.advance(30)
    worker.run_until_idle()
    assert shift.states(*deliveries) == [DONE, WAITING, WAITING]
    assert [shift.command(each).due_at for each in deliveries[1:]] == [NOW, NOW]


def test_stop_interrupts_the_waiting_for_a_turn(on_sqlite):
    group = a_group(requests_per_minute=2)
    deliveries = [ask(on_sqlite.store, upsert(f"{number}@example.com"), at=now()) for number in range(2)]
    worker = on_sqlite.start(directory=directory(group))
    until(lambda: DONE in on_sqlite.states(*deliveries))
    before = time.monotonic()
    worker.stop()
    on_sqlite.stop()
    assert time.monotonic() - before < 10
    assert sorted(on_sqlite.states(*deliveries)) == [DONE, WAITING]


def test_stop_is_noticed_by_an_idle_worker_that_polls_seldom(on_sqlite):
    worker = on_sqlite.start(settings=settings(poll_s="60"))
    until(lambda: on_sqlite.store.workers.heard_of(now(), 60))
    before = time.monotonic()
    worker.stop()
    on_sqlite.stop()
    assert time.monotonic() - before < 10


def test_worker_ends_when_its_supervisor_is_gone(on_sqlite):
    gone = threading.Event()
    on_sqlite.start(parent_is_gone=gone.is_set)
    until(lambda: on_sqlite.store.workers.heard_of(now(), 60))
    gone.set()
    with capture_logs() as logs:
        until(lambda: not on_sqlite.started[0][1].is_alive())
    assert "supervisor_gone" in [line["event"] for line in logs]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_worker_whose_stage_died_ends_so_that_it_is_replaced(on_sqlite):
    def fall(_delivery):
        raise SystemExit

    on_sqlite.store.deliveries.record(new_delivery(received_at=now()))
    on_sqlite.start(translator=FakeTranslator(fall))
    until(lambda: not on_sqlite.started[0][1].is_alive())
    assert on_sqlite.store.workers.heard_of(now(), 3600) == []


def test_signal_stops_a_worker_process_in_order(tmp_path, sqlite_url):
    program = f"""
import signal
from pathlib import Path
from relay.clock import SystemClock
from relay.store import Store
from relay.worker.waking import Ear
from relay.worker.worker import Worker
from tests.support.working import FakeClient, FakeTranslator, directory, settings
folder = Path({str(tmp_path)!r})
with Ear(folder) as ear:
    store = Store.open({sqlite_url!r}, folder=folder)
    worker = Worker(
        store=store, client=FakeClient(SystemClock()), translator=FakeTranslator(), directory=directory(),
        settings=settings(poll_s="60"), clock=SystemClock(), ear=ear,
    )
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()
    store.close()
"""
    store = Store.open(sqlite_url, folder=tmp_path)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
    try:
        until(lambda: store.workers.heard_of(now(), 60))
        assert len(list(tmp_path.glob("wake-*"))) == 1
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert store.workers.heard_of(now(), 3600) == []
    assert list(tmp_path.glob("wake-*")) == []
    store.close()


# The store goes away


def test_outage_of_the_store_is_survived_and_told_once(on_sqlite, sqlite_url, tmp_path):
    hasty = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=0.3)
    with capture_logs() as logs:
        on_sqlite.start(translator=longing(), store=hasty)
        until(lambda: on_sqlite.store.workers.heard_of(now(), 60))
        with WriteLock(tmp_path / "store.lock").held(5):
            until(lambda: [line for line in logs if line["event"] == "store_unavailable"])
            time.sleep(0.8)  # several attempts of both stages
        delivery = on_sqlite.store.deliveries.record(new_delivery(received_at=now())).id
        until(lambda: on_sqlite.states(delivery) == [DONE])
        on_sqlite.stop()
    hasty.close()
    told = [line["event"] for line in logs if line["event"].startswith("store_")]
    assert told == ["store_unavailable", "store_available_again"]


def test_stage_that_breaks_goes_on(on_sqlite, monkeypatch):
    failures = iter([KeyError("x")] * 2)
    claim = on_sqlite.store.commands.claim

    def failing(*arguments, **named):
        for failure in failures:
            raise failure
        return claim(*arguments, **named)

    monkeypatch.setattr(on_sqlite.store.commands, "claim", failing)
    delivery = ask(on_sqlite.store, upsert(), at=now())
    on_sqlite.start(sleep=lambda _seconds: None)
    until(lambda: on_sqlite.states(delivery) == [DONE])


def test_pauses_during_an_outage_grow_and_are_bounded():
    pauses = [outage_pause_s(failures) for failures in range(1, 100)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert pauses[-1] == LONGEST_PAUSE_S


def test_each_outage_is_told_once():
    outage = Outage()
    with capture_logs() as logs:
        outage.over()
        for _ in range(2):
            outage.note(StoreUnavailable("disk full"))
            outage.note(StoreUnavailable("disk full"))
            outage.over()
            outage.over()
    assert [line["event"] for line in logs] == ["store_unavailable", "store_available_again"] * 2


# Against the simulator


def test_call_that_takes_too_long_is_not_made_twice(store, sandbox, clock):
    client = real_client(clock, read_timeout_s=0.2)
    shift = Shift(store, clock, client, groups=[a_group(sandbox.url)])
    ask(store, upsert())
    shift.work()
    fault(sandbox, "slow", seconds=0.6, path=ADD)
    delivery = ask(store, purchase())
    shift.work()
    assert shift.states(delivery) == [WAITING]

    until(lambda: events(sandbox))  # applied, though nobody waits for the answer any more
    clock.advance(60)
    shift.work()
    assert shift.states(delivery) == [DONE]
    assert len(events(sandbox)) == 1
    client.close()


def test_what_has_been_through_for_long_enough_leaves_the_store(on_sqlite):
    long_ago = now() - timedelta(days=800)
    old = on_sqlite.store.deliveries.record(
        new_delivery(received_at=long_ago), Translation(DeliveryState.IGNORED, reason="no-email")
    ).id
    on_sqlite.store.deliveries.record(new_delivery(received_at=now()))  # so that the clock is not doubted
    on_sqlite.start()
    until(lambda: on_sqlite.store.reading.delivery(old) is None)


def test_workers_that_share_the_work_pass_it_on(on_sqlite, tmp_path):
    told = []
    on_sqlite.start(translator=longing(), duty=Duty.TRANSLATE, announce=lambda: told.append(1))
    delivery = on_sqlite.store.deliveries.record(new_delivery(received_at=now())).id
    until(lambda: told)
    assert on_sqlite.states(delivery) == [WAITING], "it sends nothing itself"
    on_sqlite.start(duty=Duty.DISPATCH)
    until(lambda: on_sqlite.states(delivery) == [DONE])
    another = on_sqlite.store.deliveries.record(new_delivery(received_at=now())).id
    until(lambda: on_sqlite.store.reading.delivery(another).state is DeliveryState.TRANSLATED)
