"""How soon a delivery is acknowledged at a constant rate while a worker sends to the simulator; and in a burst.

    python -m benchmarks.steady [--rate 500] [--seconds 20] [--rounds 5] [--database SERVER-URL]
    python -m benchmarks.steady --rate 2000 --seconds 10            # the burst: 20,000 deliveries in 10 s

Every delivery is another order of three lines. Times are from the moment a delivery was due, so that a server that
stands still is charged for all that should have come meanwhile. Afterwards every acknowledged delivery is looked up in
the store.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backlog import backlog, fill, wait_until_empty
from benchmarks.bodies import order, prepared
from benchmarks.databases import database, engine_of, rows
from benchmarks.loading import Load, open_loop
from benchmarks.machine import machine, spread, table
from benchmarks.processes import kinds, shares, usage
from benchmarks.serving import Serving, scratch, serving
from benchmarks.simulating import Simulator, simulating

_WARM = 200  # orders; numbered apart from the measured ones
_FIRST = 1_000_000


@dataclass(frozen=True)
class Result:
    """One round."""

    load: Load
    lost: int  # acknowledged and not in the store
    left: int  # deliveries and commands still open when the last answer came
    drained_s: float
    cpu: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=500, help="deliveries a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; worker and simulator on the same machine")
    print(
        f"{given.rate:g} a second for {given.seconds} s over {given.connections} connections, {given.rounds} rounds\n"
    )
    results = [_round(given) for _ in range(given.rounds)]
    measures: dict[str, Callable[[Result], float]] = {
        "acknowledged a second": lambda each: each.load.per_second,
        "p50 ms": lambda each: each.load.p50_ms,
        "p99 ms": lambda each: each.load.p99_ms,
        "slowest ms": lambda each: each.load.max_ms,
        "not acknowledged": lambda each: each.load.errors,
        "acknowledged and lost": lambda each: each.lost,
        "open at the end": lambda each: each.left,
        "seconds until all was sent": lambda each: each.drained_s,
    }
    spreads = [[name, spread([of(each) for each in results], 1)] for name, of in measures.items()]
    print(table(["what", "min / median / max"], spreads))
    print(f"\nprocessor time of the last round, as a share of one core: {results[-1].cpu}")


def _round(given: argparse.Namespace) -> Result:
    numbers = range(_FIRST, _FIRST + int(given.rate * given.seconds))
    with (
        scratch() as folder,
        database(given.database, folder) as url,
        simulating() as simulator,
        serving("app:app", folder, sandbox=simulator.url, worker="on", database_url=url) as server,
    ):
        path = prepared(folder / "prepared", numbers)
        fill(server, range(_WARM))
        wait_until_empty(server)
        result = _measured(given, server, simulator, path, numbers)
    print(f"  p50 {result.load.p50_ms:.1f}, p99 {result.load.p99_ms:.1f} ms, lost {result.lost}", file=sys.stderr)
    return result


def _measured(given: argparse.Namespace, server: Serving, simulator: Simulator, path: Path, numbers: range) -> Result:
    processes = kinds(server, simulator.pid)
    before, begun = usage(processes), time.monotonic()
    load = open_loop(server, path, given.rate, given.connections)
    seconds, used = time.monotonic() - begun, usage(processes).since(before)
    with server.store() as store:
        left = backlog(store)
    drained_s = wait_until_empty(server)
    cpu = shares(used | {"load client": load.cpu_s}, seconds)
    return Result(load, lost(server, load, numbers), left.deliveries + left.commands, drained_s, cpu)


def lost(server: Serving, load: Load, numbers: range) -> int:
    """Count the orders that were acknowledged and are not in the store."""
    stored = {row[0] for row in rows(server.database_url, "SELECT delivery_id FROM deliveries")}
    acknowledged = [number for number, status in zip(numbers, load.statuses, strict=True) if status == 2]
    return sum(order(number).webhook_id not in stored for number in acknowledged)


if __name__ == "__main__":
    main()
