from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from app import create_app
from handlers.health import WORKER_HEARD_WITHIN_S
from relay import jsontext
from relay.deliveries import NewDelivery
from relay.errors import StoreUnavailable
from tests.support.platforms import Edge
from tests.support.postgres import PostgresServer


@pytest.fixture
def edge(tmp_path: Path, sqlite_url: str) -> Iterator[Edge]:
    with Edge(tmp_path, sqlite_url) as edge:
        yield edge


@pytest.fixture
def unopenable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings of a demo whose store cannot be opened: its folder is a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    return {
        "RELAY_DATA": str(tmp_path / "data"),
        "RELAY_DATABASE_URL": f"sqlite:///{tmp_path / 'file' / 'relay.sqlite3'}",
    }


def ready(edge: Edge) -> tuple[int, list[str]]:
    """Give the status of /readyz and what it says is wrong."""
    return read(edge.client.get("/readyz"))


def read(response: TestResponse) -> tuple[int, list[str]]:
    body: dict[str, Any] = jsontext.loads(response.get_data())
    assert body["success"] is (response.status_code == 200)
    assert body["requestId"]
    return response.status_code, body["messages"]


def beat(edge: Edge) -> None:
    edge.store.workers.beat("worker-1", edge.clock.now())


def test_process_that_answers_is_alive_whatever_the_store_does(edge: Edge) -> None:
    with edge.store_locked():
        assert read(edge.client.get("/healthz")) == (200, [])


def test_relay_with_a_store_and_a_worker_is_ready(database_url: str, tmp_path: Path) -> None:
    with Edge(tmp_path, database_url) as edge:
        beat(edge)
        assert ready(edge) == (200, [])


def test_relay_without_a_worker_is_not_ready(edge: Edge) -> None:
    status, [problem] = ready(edge)
    assert status == 503
    assert problem.startswith("No worker was heard of lately")


@pytest.mark.parametrize(("there", "missing"), [("translate", "dispatch"), ("dispatch", "translate")])
def test_relay_that_does_half_of_its_work_is_not_ready_and_says_which(edge: Edge, there: str, missing: str) -> None:
    edge.store.workers.beat(f"host:1:0a1b2c3d-{there}", edge.clock.now())
    status, [problem] = ready(edge)
    assert status == 503
    assert f"the duty to {missing} " in problem

    edge.store.workers.beat(f"host:2:0a1b2c3d-{missing}", edge.clock.now())
    edge.clock.advance(1)
    assert ready(edge) == (200, [])


@pytest.mark.parametrize(("silent_s", "status"), [(WORKER_HEARD_WITHIN_S, 200), (WORKER_HEARD_WITHIN_S + 1, 503)])
def test_worker_that_is_silent_for_too_long_is_taken_for_gone(edge: Edge, silent_s: float, status: int) -> None:
    beat(edge)
    edge.clock.advance(silent_s)
    assert ready(edge)[0] == status


def test_worker_that_said_goodbye_is_gone(edge: Edge) -> None:
    beat(edge)
    edge.store.workers.leave("worker-1")
    assert ready(edge)[0] == 503


def test_relay_whose_store_takes_no_write_is_not_ready(edge: Edge) -> None:
    beat(edge)
    with edge.store_locked():
        status, [problem] = ready(edge)
        assert status == 503
        assert "store" in problem


def test_relay_whose_store_has_other_tables_is_not_ready(edge: Edge, tmp_path: Path) -> None:
    beat(edge)
    with closing(sqlite3.connect(tmp_path / "relay.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'another'")
    status, [problem] = ready(edge)
    assert status == 503
    assert "`flask --app app prepare`" in problem


def test_relay_whose_store_is_empty_is_not_ready(tmp_path: Path) -> None:
    with Edge(tmp_path, f"sqlite:///{tmp_path / 'new.db'}") as edge:
        status, [problem] = ready(edge)
        assert status == 503
        assert "`flask --app app prepare`" in problem


@pytest.mark.postgres
def test_relay_whose_postgresql_database_is_empty_is_not_ready(postgres_server: PostgresServer, tmp_path: Path) -> None:
    with postgres_server.database() as url, Edge(tmp_path, url) as edge:
        status, [problem] = ready(edge)
        assert status == 503
        assert "`flask --app app prepare`" in problem


def test_finding_is_kept_for_a_second(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    monkeypatch.setattr(type(edge.store), "check_writable", lambda store: writes.append(1))
    beat(edge)
    for seconds, written in ((0, 1), (0.5, 1), (0.4, 1), (0.1, 2), (0.9, 2), (1, 3)):
        edge.clock.advance(seconds)
        assert ready(edge) == (200, [])
        assert len(writes) == written


def test_what_is_wrong_is_forgotten_after_a_second_too(edge: Edge) -> None:
    assert ready(edge)[0] == 503
    beat(edge)
    edge.clock.advance(0.9)
    assert ready(edge)[0] == 503
    edge.clock.advance(0.1)
    assert ready(edge)[0] == 200


def test_clock_that_is_put_back_does_not_keep_a_finding(edge: Edge) -> None:
    beat(edge)
    assert ready(edge)[0] == 200
    edge.store.workers.leave("worker-1")
    edge.clock.advance(-3600)
    assert ready(edge)[0] == 503


def test_two_apps_do_not_share_a_finding(edge: Edge) -> None:
    assert ready(edge)[0] == 503
    beat(edge)
    assert read(create_app(edge.environ, edge.relay).test_client().get("/readyz"))[0] == 200


def test_relay_whose_store_cannot_be_opened_is_alive_but_not_ready(unopenable: dict[str, str]) -> None:
    client = create_app(unopenable).test_client()
    assert read(client.get("/healthz")) == (200, [])
    status, [problem] = read(client.get("/readyz"))
    assert (status, "store" in problem) == (503, True)


def test_relay_with_a_faulty_configuration_is_alive_but_not_ready(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text("[groups.main]\n")
    client = create_app({"RELAY_CONFIG": str(tmp_path / "relay.toml"), "RELAY_DATA": str(tmp_path)}).test_client()
    assert read(client.get("/healthz")) == (200, [])
    with capture_logs() as lines:
        status, [problem] = read(client.get("/readyz"))
    assert (status, "configuration" in problem) == (503, True)
    [line] = lines
    assert "groups.main.client_id: is missing" in line["faults"]


def test_metrics_hold_what_waits_in_the_store(edge: Edge) -> None:
    edge.store.deliveries.record(NewDelivery("shopify", "main", "shopify", "t", "d", {}, b"", edge.clock.now()))
    response = edge.client.get("/metrics")
    assert (response.status_code, response.mimetype) == (200, "text/plain")
    lines = response.get_data(as_text=True).splitlines()
    assert 'relay_queue_deliveries{state="received"} 1.0' in lines
    assert "relay_store_readable 1.0" in lines


def test_metrics_still_come_when_the_store_cannot_be_opened(unopenable: dict[str, str]) -> None:
    response = create_app(unopenable).test_client().get("/metrics")
    assert response.status_code == 200
    text = response.get_data(as_text=True)
    assert "relay_store_readable 0.0" in text
    assert "relay_deliveries_total" in text


def test_metrics_still_come_when_the_store_cannot_be_read(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise StoreUnavailable

    monkeypatch.setattr(edge.store.reading, "counts", broken)
    assert "relay_store_readable 0.0" in edge.client.get("/metrics").get_data(as_text=True)


def test_metrics_can_be_switched_off(edge: Edge) -> None:
    off = edge.environ | {"RELAY_METRICS": "off"}
    assert read(create_app(off).test_client().get("/metrics"))[0] == 404
