"""A store in trouble as shops meet it: 503 with Retry-After, and a 200 only for what is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from relay.store.inbox import FileInbox
from tests.support.platforms import Edge, refusal, status


@pytest.fixture
def edge(tmp_path: Path, sqlite_url: str) -> Iterator[Edge]:
    with Edge(tmp_path, sqlite_url) as edge:
        yield edge


def assert_told_to_come_again(response: TestResponse) -> None:
    assert refusal(response) == 503
    assert int(response.headers["Retry-After"]) > 0


def set_up(edge: Edge, statement: str) -> None:
    """Have the connection that deliveries are stored with run a statement."""
    inbox = edge.store._inbox
    assert isinstance(inbox, FileInbox)
    inbox._appends.open().execute(statement)


def test_store_that_is_locked(edge: Edge) -> None:
    with edge.store_locked():
        assert_told_to_come_again(edge.deliver("shopify"))
    assert edge.woken == 0
    assert edge.deliveries() == []
    assert status(edge.deliver("shopify")) == "stored"


def test_store_that_is_read_only(edge: Edge) -> None:
    set_up(edge, "PRAGMA query_only = ON")
    assert_told_to_come_again(edge.deliver("woocommerce"))
    set_up(edge, "PRAGMA query_only = OFF")
    assert status(edge.deliver("woocommerce")) == "stored"


def test_store_that_is_full(edge: Edge) -> None:
    set_up(edge, "PRAGMA main.max_page_count = 1")
    statuses = {edge.deliver("shopify", delivery_id=str(number)).status_code for number in range(300)}
    assert statuses <= {200, 503}
    assert_told_to_come_again(edge.deliver("shopify", delivery_id="last"))
    set_up(edge, "PRAGMA main.max_page_count = 1000000")
    assert status(edge.deliver("shopify", delivery_id="last")) == "stored"


def test_repeat_of_what_was_refused_is_no_repeat_and_of_what_was_stored_is_one(edge: Edge) -> None:
    with edge.store_locked():
        edge.deliver("shopify", delivery_id="d-7")
    assert status(edge.deliver("shopify", delivery_id="d-7")) == "stored"
    with edge.store_locked():
        assert status(edge.deliver("shopify", delivery_id="d-7")) == "repeated", "it is stored, whoever writes"
    assert status(edge.deliver("shopify", delivery_id="d-7")) == "repeated"
    assert len(edge.deliveries()) == 1


def test_store_that_is_damaged_is_no_fault_of_the_request(edge: Edge, tmp_path: Path) -> None:
    edge.deliver("shopify")
    with closing(sqlite3.connect(tmp_path / "relay.db-inbox")) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'arrivals'").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "relay.db-inbox").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    edge.store.close()  # what its connections have read already is whole
    with capture_logs() as logs:
        assert_told_to_come_again(edge.deliver("shopify", delivery_id="d-2"))
    assert [line["log_level"] for line in logs if line["event"] == "store_damaged"] == ["critical"]
