"""What a delivery takes on disk, and the processes in memory: before and after many, and while SALESmanago is down.

    python -m benchmarks.footprint [--orders 50000] [--rate 400] [--outage 50000] [--database SERVER-URL]

A day's outage is its backlog: the simulator refuses every call while ``--outage`` orders arrive. At the end they must
all be waiting, none lost and none given up, and the memory must be where it was. Memory is the proportional set size of
each process: what several share is counted once.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
from pathlib import Path

import psycopg

from benchmarks.backlog import backlog, failed, fill, wait_until_empty
from benchmarks.bodies import order
from benchmarks.databases import database, engine_of, is_sqlite, rows, settle, size
from benchmarks.machine import machine, table
from benchmarks.processes import kinds, resident
from benchmarks.serving import Serving, scratch, serving
from benchmarks.simulating import Simulator, simulating

_WARM = 1000
_FIRST = 1_000_000
_STEPS = 10
_LARGEST = 12
_KINDS = ("web", "worker", "supervisor", "database")
_SQLITE_SIZES = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC"
_POSTGRESQL_SIZES = (
    "SELECT relname, pg_table_size(oid) FROM pg_class "
    "WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=400, help="orders a second")
    parser.add_argument("--outage", type=int, default=50_000, help="orders that arrive while SALESmanago is down")
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; bodies of {len(order(1).body):,} bytes")
    with (
        scratch() as folder,
        database(given.database, folder) as url,
        simulating() as simulator,
        serving("app:app", folder, sandbox=simulator.url, worker="on", database_url=url) as server,
    ):
        fill(server, range(_WARM))
        wait_until_empty(server)
        _sent(given, server)
        _outage(given, server, simulator)


def _sent(given: argparse.Namespace, server: Serving) -> None:
    settle(server.database_url)
    before, lines = size(server.database_url), [_memory("before", server)]
    fill(server, range(_FIRST, _FIRST + given.orders), rate=given.rate)
    wait_until_empty(server)
    lines.append(_memory(f"after {given.orders:,} orders", server))
    settle(server.database_url)
    print(
        f"\n{(size(server.database_url) - before) / given.orders:,.0f} bytes on disk for each order that is through\n"
    )
    whole = given.orders + _WARM
    print(table(["table or index", "bytes per order"], _sizes(server.database_url, whole)))
    print("\n" + table(["memory in MiB", *_KINDS], lines))


def _outage(given: argparse.Namespace, server: Serving, simulator: Simulator) -> None:
    simulator.refuse()
    lines = [_memory("nothing waits", server)]
    first, step = 10 * _FIRST, given.outage // _STEPS
    for number in range(_STEPS):
        fill(server, range(first + number * step, first + (number + 1) * step), rate=given.rate)
        with server.store() as store:
            left, wrong = backlog(store), failed(store)
        lines.append(_memory(f"{left.deliveries:,} deliveries, {left.commands:,} commands wait", server))
    print("\n" + table(["memory in MiB, SALESmanago down", *_KINDS], lines))
    print(f"\n{step * _STEPS:,} orders arrived; given up: {wrong or 'none'}")


def _memory(when: str, server: Serving) -> list[str]:
    held = resident(kinds(server))
    return [when, *(f"{held[kind]:.0f}" if kind in held else "" for kind in _KINDS)]


def _sizes(url: str, orders: int) -> list[list[str]]:
    found = []
    with contextlib.suppress(sqlite3.OperationalError, psycopg.Error):  # not every SQLite can tell
        found = rows(url, _SQLITE_SIZES if is_sqlite(url) else _POSTGRESQL_SIZES)
    if is_sqlite(url):
        found.append(("the whole file", Path(url.removeprefix("sqlite:///")).stat().st_size))
    return [[str(name), f"{amount / orders:,.0f}"] for name, amount in found[:_LARGEST]]


if __name__ == "__main__":
    main()
