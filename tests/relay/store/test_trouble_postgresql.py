"""PostgreSQL goes away and comes back: only what is stored is acknowledged, and the first request afterwards works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from relay.errors import StoreUnavailable
from relay.store import Store
from tests.support.postgres import REQUIRE_VARIABLE, PostgresMissing
from tests.support.restarting import RestartingServer, restarting_server
from tests.support.stored import NOW, new_delivery

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestartingServer]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(restarting_server())
        except PostgresMissing as missing:
            if os.environ.get(REQUIRE_VARIABLE):
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        store = Store.open(running.url, folder=tmp_path_factory.mktemp("first"))
        store.migrate()
        store.close()
        yield running


@pytest.fixture
def open_store(server: RestartingServer, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store whose connections all count as rested, without a test having to wait."""
    monkeypatch.setattr("relay.store.postgresql.IDLE_S", 0.0)
    server.run("TRUNCATE deliveries CASCADE")
    opened = Store.open(server.url, folder=tmp_path, commit_wait_s=0.5)
    yield opened
    opened.close()


def rest_connections(store: Store, number: int = 5) -> None:
    """Have the pool hold several connections that rest."""
    engine = store.deliveries._database.engine
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(engine.connect())


def stored(store: Store) -> list[int]:
    return sorted(view.id for view in store.reading.deliveries(limit=1000))


def test_server_that_is_stopped_is_unavailable_and_what_was_acknowledged_is_there_afterwards(
    server: RestartingServer, open_store: Store
):
    before = open_store.deliveries.record(new_delivery()).id
    rest_connections(open_store)
    server.stop()
    refused = new_delivery()
    try:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                open_store.deliveries.record(refused)
        with pytest.raises(StoreUnavailable):
            open_store.check_writable()
    finally:
        server.start()
    again = open_store.deliveries.record(refused)
    assert not again.repeated
    assert stored(open_store) == [before, again.id]


def test_first_use_after_a_restart_meets_no_connection_of_before(server: RestartingServer, open_store: Store):
    rest_connections(open_store)
    server.stop()
    server.start()
    assert not open_store.deliveries.record(new_delivery()).repeated
    assert len(open_store.deliveries.claim(NOW, 60, 10)) == 1
    assert open_store.is_current()


def test_first_use_after_a_session_was_ended_works(server: RestartingServer, open_store: Store):
    rest_connections(open_store)
    server.end_sessions()
    assert [open_store.deliveries.record(new_delivery()).repeated for _ in range(5)] == [False] * 5


def test_busy_connection_is_not_tried_before_every_use(open_store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("relay.store.postgresql.IDLE_S", 3600.0)
    tried: list[object] = []
    monkeypatch.setattr(open_store.deliveries._database.engine.dialect, "do_ping", tried.append)
    for _ in range(3):
        open_store.deliveries.record(new_delivery())
    assert tried == []
    monkeypatch.setattr("relay.store.postgresql.IDLE_S", 0.0)
    open_store.deliveries.record(new_delivery())
    assert len(tried) == 1


def test_server_that_became_read_only_is_unavailable_until_it_is_not(server: RestartingServer, open_store: Store):
    server.run("ALTER DATABASE postgres SET default_transaction_read_only = on")
    server.end_sessions()
    try:
        with pytest.raises(StoreUnavailable, match="read-only"):
            open_store.deliveries.record(new_delivery())
        assert stored(open_store) == []
    finally:
        server.run("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")
    server.end_sessions()
    open_store.deliveries.record(new_delivery())
    assert len(stored(open_store)) == 1


def test_commits_are_synced_even_where_the_server_is_set_not_to(server: RestartingServer, tmp_path):
    def told(value: str) -> str:
        server.run(f"ALTER DATABASE postgres SET synchronous_commit = {value}")
        store = Store.open(server.url, folder=tmp_path)
        with store.deliveries._database.reading() as connection:
            found = str(connection.exec_driver_sql("SHOW synchronous_commit").scalar())
        store.close()
        return found

    try:
        assert [told(value) for value in ("off", "local", "on", "remote_apply")] == ["on", "on", "on", "remote_apply"]
    finally:
        server.run("ALTER DATABASE postgres RESET synchronous_commit")


def test_what_the_address_says_about_keeping_connections_goes_first(server: RestartingServer, tmp_path):
    store = Store.open(f"{server.url}&keepalives_idle=77", folder=tmp_path)
    with store.deliveries._database.reading() as connection:
        parameters = connection.connection.driver_connection.info.get_parameters()
    store.close()
    assert (parameters["keepalives_idle"], parameters["keepalives_count"]) == ("77", "3")
