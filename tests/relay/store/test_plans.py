"""However many rows are through, nothing that is done again and again reads a table from end to end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event

from relay.commands import Verdict
from relay.memory import Resource
from relay.store import Store
from relay.store.reading import CommandFilter, DeliveryFilter
from tests.support.stored import (
    NOW,
    ask,
    claim_delivery,
    end,
    finish_all,
    new_delivery,
    put,
    translated,
    upsert,
)

GROWING = "deliveries|contacts|contact_addresses|commands|attempts|resources|events|privacy_tasks"
OLD = NOW - timedelta(days=800)
ORDER = Resource("acme", "order", "1001", updated_at=OLD, email="ann@example.com", body=b"{}")

# SQLite says SCAN as well of a partial index, of which all is meant to be read; PostgreSQL names no table then.
FROM_END_TO_END = {
    "sqlite": rf"^SCAN ({GROWING})\b(?! USING (COVERING )?INDEX ix_)",
    "postgresql": rf"Seq Scan on ({GROWING})\b",
}


@pytest.fixture
def asked(store: Store) -> Iterator[dict[str, Any]]:
    """The statements the store has carried out, each with the parameters of one time."""
    found: dict[str, Any] = {}

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, executemany: bool) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", statement):
            found[statement] = parameters[0] if executemany else parameters

    engine = store._database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def scans(url: str, asked: dict[str, Any]) -> list[str]:
    """Give the statements whose plan reads a growing table from end to end, each after that line of the plan."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # what is empty would be read so all the same
        plans = {statement: _plan(connection, statement, parameters) for statement, parameters in asked.items()}
    engine.dispose()
    sought = FROM_END_TO_END[engine.dialect.name]
    return [f"{line}: {statement}" for statement, plan in plans.items() for line in plan if re.search(sought, line)]


def _plan(connection: Connection, statement: str, parameters: Any) -> list[str]:
    explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)]


def take_the_road(store: Store) -> None:
    store.deliveries.record_soon(new_delivery()).kept()
    delivery = claim_delivery(store)
    with store.deliveries.translating() as bench:
        bench.memory.resource("acme", "order", "1001")
        bench.memory.events("acme", "order", "1001")
        bench.memory.contact_digest("main", "ann@example.com")
        assert bench.finish(delivery, translated(upsert(), put(), resources=(ORDER,)), NOW)
    assert len(finish_all(store)) == 2


def fail(store: Store) -> None:
    for verdict in (Verdict.UNCERTAIN, Verdict.DEAD, Verdict.DONE):
        ask(store, put())
        end(store, verdict)


def prune(store: Store) -> None:
    ask(store, upsert(), at=OLD, resources=(ORDER,))
    finish_all(store)
    assert store.retention.prune(NOW - timedelta(days=730)).count == 2


def watch(store: Store) -> None:
    fail(store)
    store.reading.counts()
    assert store.reading.dead().commands
    store.reading.deliveries(DeliveryFilter(resource_id="1001"))
    store.reading.commands(CommandFilter(subject="contact:1"))
    store.privacy.unfinished(NOW)


@pytest.mark.parametrize("work", [take_the_road, fail, prune, watch])
def test_no_table_is_read_from_end_to_end(work: Callable[[Store], None], store, asked, database_url):
    work(store)
    assert len(asked) > 5
    assert scans(database_url, asked) == []


def test_a_statement_that_does_so_is_noticed(database_url):
    found = scans(database_url, {"SELECT count(*) FROM attempts WHERE message = 'x'": ()})
    assert len(found) == 1
