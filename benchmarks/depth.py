"""Whether old rows slow a relay down: acknowledging and draining with none, 100,000 and 10 million of them.

    python -m benchmarks.depth [--depths 0,100000,10000000] [--orders 5000] [--rounds 5] [--workers 2]
        [--database SERVER-URL]

An old row is a delivery that is through, with all it left: commands, attempts, contact, memory of the order and of its
events. Bodies and the like are empty: nobody reads them, and the disk has an end. All stores are made first, which
takes a while for ten million; then the rounds alternate between them.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ageing import age
from benchmarks.backlog import fill, wait_until_empty
from benchmarks.databases import database, engine_of, settle, size
from benchmarks.drain import drain
from benchmarks.machine import machine, spread, table
from benchmarks.serving import scratch, serving
from benchmarks.simulating import simulating

_FIRST = 1_000_000_000  # beyond all old ones
_STEP = 1_000_000


@dataclass
class Aged:
    """A store with old rows, and what was measured with it."""

    depth: int
    folder: Path
    url: str
    bytes: int = 0
    filled: list[float] = field(default_factory=list)
    drained: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--depths", default="0,100000,10000000", help="numbers of old deliveries, the first is the base"
    )
    parser.add_argument("--orders", type=int, default=5000, help="orders acknowledged and drained in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--workers", type=int, default=2, help="worker processes; a relay has two unless told otherwise"
    )
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; load client and simulator on the same machine")
    print(f"{given.orders:,} orders in each round, min / median / max of {given.rounds} rounds\n")
    with scratch() as folder, ExitStack() as stack:
        stores = []
        for depth in map(int, given.depths.split(",")):
            own = folder / str(depth)
            stores.append(Aged(depth, own, stack.enter_context(database(given.database, own))))
            _make(stores[-1])
        for number in range(given.rounds):
            for each in stores:
                _round(each, given.orders, _FIRST + _STEP * number, given.workers)
    lines = [
        [
            f"{each.depth:,}",
            spread(each.filled),
            _share(each.filled, stores[0].filled),
            spread(each.drained),
            _share(each.drained, stores[0].drained),
            f"{each.bytes / each.depth:,.0f}" if each.depth else "",
        ]
        for each in stores
    ]
    heads = ["old deliveries", "acknowledged a second", "% of first", "drained a second", "% of first", "bytes each"]
    print(table(heads, lines))


def _make(store: Aged) -> None:
    """Let one order go the whole way, and copy what it left."""
    with (
        simulating() as simulator,
        serving("app:app", store.folder, sandbox=simulator.url, worker="on", database_url=store.url) as server,
    ):
        fill(server, [0])
        wait_until_empty(server)
    settle(store.url)
    before = size(store.url)
    if store.depth:
        age(store.url, store.depth)
        settle(store.url)
    store.bytes = size(store.url) - before


def _round(store: Aged, orders: int, first: int, workers: int) -> None:
    with (
        simulating() as simulator,
        serving("app:app", store.folder, sandbox=simulator.url, database_url=store.url) as server,
    ):
        filled = fill(server, range(first, first + orders)).per_second
        drained = drain(server, simulator, orders, filled, workers)
    store.filled.append(filled)
    store.drained.append(drained.per_second)
    print(f"  {store.depth:,}: {filled:,.0f} and {drained.per_second:,.0f} a second", file=sys.stderr)


def _share(values: list[float], base: list[float]) -> str:
    return spread([100 * value / other for value, other in zip(values, base, strict=True)], 1)


if __name__ == "__main__":
    main()
