"""However many rows are through, nothing that is done again and again reads a table from end to end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine

from relay.commands import Verdict
from relay.memory import Resource
from relay.store import Store
from relay.store.reading import CommandFilter, DeliveryFilter
from tests.support.statements import noting
from tests.support.stored import NOW, ask, claim_delivery, end, finish_all, new_delivery, put, translated, upsert

OF_WHAT_WAITS = (
    *("ix_deliveries_due", "ix_deliveries_dead", "ix_commands_due", "ix_commands_subject", "ix_commands_for_somebody"),
    *("ix_commands_uncertain", "ix_privacy_tasks_due"),
)
"""The indexes that may be read from end to end: they have what waits for a worker or for somebody."""

SMALL = ("lanes", "workers", "keys", "paces", "sqlite_sequence")
"""Tables with a row for each lane, process and the like."""

OLD = NOW - timedelta(days=800)
ORDER = Resource("acme", "order", "1001", updated_at=OLD, email="ann@example.com", body=b"{}")


@pytest.fixture
def asked(store: Store) -> Iterator[dict[str, Any]]:
    """The statements the store has carried out, each with the parameters of one time."""
    found: dict[str, Any] = {}

    def note(statement: str, parameters: Any) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", statement):
            found[statement] = parameters

    with noting(store._database.engine, note):
        yield found


def scans(url: str, asked: dict[str, Any]) -> list[str]:
    """Give the statements that read a growing table, or an index of all of it, from end to end, each with where."""
    engine = create_engine(url)
    find = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}[engine.dialect.name]
    with engine.begin() as connection:
        found = [f"{part}: {words}" for words, given in asked.items() for part in find(connection, words, given)]
    engine.dispose()
    return found


def _on_sqlite(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    """Judge what SQLite says: ``SCAN`` of what is not small, and a search for nothing but "is not null"."""
    small = "|".join((*SMALL, "hops", "CONSTANT ROW"))
    waits = "|".join(OF_WHAT_WAITS)
    for *_, line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
        if line.startswith("SCAN "):
            if not re.match(rf"SCAN ({small})\b|SCAN \S+ USING (COVERING )?INDEX ({waits})\b|SCAN \(subquery", line):
                yield line
        elif re.search(r"\((contact|email|account|address|resource_id)>\?\)", line):
            yield line


def _on_postgresql(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # what is empty would be read so all the same
    [[[plan]]] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).all()
    nodes = [plan["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        table, index = node.get("Relation Name"), node.get("Index Name")
        if node["Node Type"] == "Seq Scan" and table not in SMALL:
            yield f"{table}"
        without_bounds = node["Node Type"].startswith(("Index", "Bitmap Index")) and "Index Cond" not in node
        if without_bounds and index not in OF_WHAT_WAITS and table not in SMALL:
            yield f"{index}"


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


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM attempts WHERE message = 'x'",
        "SELECT id FROM deliveries WHERE received_at < '2024-01-01' ORDER BY id LIMIT 5",
        "SELECT id FROM commands AS other WHERE other.location = 'x' ORDER BY id",
    ],
)
def test_a_statement_that_does_so_is_noticed(statement, database_url):
    assert len(scans(database_url, {statement: ()})) == 1
