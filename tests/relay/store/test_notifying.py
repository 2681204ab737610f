"""Notifications between processes on PostgreSQL: who hears them, how many there are, and what their loss does."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event
from structlog.testing import capture_logs

from relay.clock import ManualClock
from relay.news import EVERYTHING, NOTHING, News
from relay.store import Store
from relay.store.notifying import CHANNEL, INTERVAL_S, Listener, Notifier

PATIENCE_S = 20.0
A_WHILE_S = 0.1

LISTENING = f"FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN {CHANNEL}'"


@pytest.fixture
def monotonic(clock: ManualClock) -> Callable[[], float]:
    """Seconds that pass when the clock is moved."""
    return lambda: clock.now().timestamp()


@pytest.fixture
def engine(postgres_url: str, tmp_path) -> Iterator[Engine]:
    store = Store.open(postgres_url, folder=tmp_path)
    yield store.deliveries._database.engine
    store.close()


@pytest.fixture
def listener(engine: Engine, monotonic: Callable[[], float]) -> Iterator[Listener]:
    """One that listens, and whose next try to connect is a second away by the clock."""
    opened = Listener(engine, monotonic)
    assert opened.connect()
    yield opened
    opened.close()


@pytest.fixture
def sent(engine: Engine) -> list[bool]:
    """For every notification, whether it was sent outside a transaction."""
    notifications = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        if "pg_notify" in statement:
            notifications.append(cursor.connection.autocommit)

    return notifications


@pytest.fixture
def unreachable(tmp_path) -> Iterator[Store]:
    """A store whose server does not run."""
    opened = Store.open(f"postgresql+psycopg://relay@/relay?host={tmp_path}", folder=tmp_path)
    yield opened
    opened.close()


def hears(listener: Listener, within_s: float = PATIENCE_S) -> News:
    return listener.heard() if select.select([listener], [], [], within_s)[0] else NOTHING


def lose(listener: Listener, engine: Engine) -> None:
    """End the listener's session, and let it find out."""
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid, 5000) {LISTENING}").scalars().all() == [
            True
        ]
    for _ in range(10):  # the server's last words come first
        if listener.fileno() >= 0:
            assert not hears(listener)
    assert listener.fileno() == -1


@pytest.mark.postgres
def test_notification_is_heard_by_everybody_and_then_no_more(engine: Engine, listener: Listener):
    other = Listener(engine)
    assert other.connect()
    for _ in range(3):
        Notifier(engine).notify()
    assert hears(other)
    other.close()
    assert hears(listener)
    while hears(listener, A_WHILE_S):  # those that had not arrived
        pass
    assert not listener.heard()


@pytest.mark.postgres
def test_stores_of_two_hosts_reach_each_other(postgres_url: str, tmp_path):
    here, there = (Store.open(postgres_url, folder=tmp_path / name) for name in ("here", "there"))
    listener = there.listener()
    assert listener is not None
    assert listener.connect()
    assert not hears(listener, A_WHILE_S)
    here.notify()
    assert hears(listener)
    listener.close()
    here.close()
    there.close()


@pytest.mark.postgres
def test_notification_tells_what_it_is_for_and_keeps_no_other_news_back(engine: Engine, listener: Listener):
    notifier = Notifier(engine)
    notifier.notify(News.DELIVERIES)
    assert hears(listener) == News.DELIVERIES
    notifier.notify(News.COMMANDS)
    assert hears(listener) == News.COMMANDS
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_notify('{CHANNEL}', '')")
    assert hears(listener) == EVERYTHING, "as an older version notifies"


@pytest.mark.postgres
def test_notifications_keep_their_distance_and_wait_for_no_transaction(
    engine: Engine, sent: list[bool], clock: ManualClock, monotonic: Callable[[], float]
):
    notifier = Notifier(engine, monotonic)
    for _ in range(3):
        notifier.notify()
    assert sent == [True]
    clock.advance(INTERVAL_S * 0.9)
    notifier.notify()
    assert sent == [True]
    clock.advance(INTERVAL_S * 0.2)
    notifier.notify()
    notifier.notify()
    assert sent == [True, True]


@pytest.mark.postgres
def test_nobody_waits_for_a_notification_that_is_under_way(
    engine: Engine, sent: list[bool], clock: ManualClock, monotonic: Callable[[], float]
):
    notifier = Notifier(engine, monotonic)

    @event.listens_for(engine, "before_cursor_execute")
    def meanwhile(*_: object) -> None:
        clock.advance(2 * INTERVAL_S)
        notifier.notify()

    notifier.notify()
    assert sent == [True]
    notifier.notify()
    assert sent == [True, True], "the interval began when the first was sent, however long that took"


@pytest.mark.postgres
def test_lost_connection_is_made_anew_once_a_second_has_passed(engine: Engine, listener: Listener, clock: ManualClock):
    with capture_logs() as logs:
        lose(listener, engine)
        assert not listener.connect()
        assert listener.fileno() == -1
        clock.advance(1.01)
        assert listener.connect(), "what was missed meanwhile is to be looked for"
        assert not listener.connect()
    assert [line["event"] for line in logs] == ["listening_lost", "listening_again"]
    Notifier(engine).notify()
    assert hears(listener)


@pytest.mark.postgres
def test_connection_is_the_listeners_own_and_closed_for_good(engine: Engine, clock: ManualClock, monotonic):
    listener = Listener(engine, monotonic)
    assert listener.connect()
    assert engine.pool.checkedout() == 0
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT pg_listening_channels()").scalars().all()
        listening = connection.exec_driver_sql(f"SELECT count(*) {LISTENING}").scalar_one()
    assert (found, listening) == ([], 1)
    listener.close()
    clock.advance(60)
    assert not listener.connect()
    assert (listener.fileno(), listener.heard()) == (-1, NOTHING)


def test_server_that_cannot_be_reached_is_told_of_once_and_raises_nothing(
    unreachable: Store, clock: ManualClock, monotonic: Callable[[], float]
):
    engine = unreachable.deliveries._database.engine
    notifier, listener = Notifier(engine, monotonic), Listener(engine, monotonic)
    with capture_logs() as logs:
        for _ in range(3):
            notifier.notify()
            assert not listener.connect()
            assert (listener.fileno(), listener.heard()) == (-1, NOTHING)
            clock.advance(2)
        unreachable.notify()
    assert [line["event"] for line in logs].count("listening_lost") == 1
    assert [line["event"] for line in logs].count("notify_failed") == 2, "one each"
    listener.close()


def test_sqlite_has_no_listener(sqlite_url: str, tmp_path):
    store = Store.open(sqlite_url, folder=tmp_path)
    assert store.listener() is None
    store.notify()
    store.close()
