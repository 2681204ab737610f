"""How fast a backlog is translated and sent to the simulator: the most that worker processes can do.

    python -m benchmarks.drain [--orders 10000] [--rounds 5] [--workers 1,2] [--database SERVER-URL]

Each round fills the backlog while no worker runs, then starts the workers and waits until everything is sent. The
start of the processes, about a second, counts as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from benchmarks.backlog import fill, wait_until_empty
from benchmarks.databases import database, engine_of
from benchmarks.machine import machine, spread, table
from benchmarks.processes import kinds, usage
from benchmarks.serving import Serving, scratch, serving, working
from benchmarks.simulating import Simulator, simulating


@dataclass(frozen=True)
class Drained:
    """One round: orders filled and drained a second, calls per order, milliseconds of processor time per order."""

    filled: float
    per_second: float
    calls: float
    cpu_ms: dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--workers", default="1,2", help="one number of worker processes or several, separated by commas"
    )
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; simulator on the same machine")
    print(f"backlog of {given.orders:,} orders of three lines; min / median / max of {given.rounds} rounds\n")
    lines = []
    for workers in map(int, given.workers.split(",")):
        results = [_round(given, workers) for _ in range(given.rounds)]
        cpu = {kind: [each.cpu_ms.get(kind, 0) for each in results] for kind in results[0].cpu_ms}
        lines.append(
            [
                str(workers),
                spread([each.filled for each in results]),
                spread([each.per_second for each in results]),
                spread([each.calls for each in results], 2),
                "; ".join(f"{kind} {spread(values, 2)}" for kind, values in sorted(cpu.items()) if max(values) >= 0.01),
            ]
        )
    print(table(["workers", "filled a second", "drained a second", "calls per order", "processor ms per order"], lines))


def _round(given: argparse.Namespace, workers: int) -> Drained:
    with (
        scratch() as folder,
        database(given.database, folder) as url,
        simulating() as simulator,
        serving("app:app", folder, sandbox=simulator.url, database_url=url) as server,
    ):
        filled = fill(server, range(given.orders)).per_second
        drained = drain(server, simulator, given.orders, filled, workers)
        if (events := simulator.events()) != given.orders:
            sys.exit(f"{events} events of {given.orders} orders.")
    print(f"  {workers} workers: {drained.per_second:,.0f} orders a second", file=sys.stderr)
    return drained


def drain(server: Serving, simulator: Simulator, orders: int, filled: float, workers: int = 1) -> Drained:
    """Start workers, and wait until they have sent the backlog of ``orders`` orders."""
    calls, before = simulator.calls(), usage(kinds(server, simulator.pid))
    begun = time.monotonic()
    with working(server, workers):
        wait_until_empty(server)
        seconds, used = time.monotonic() - begun, usage(kinds(server, simulator.pid)).since(before)
    cpu_ms = {kind: 1000 * each / orders for kind, each in used.items()}
    return Drained(filled, orders / seconds, (simulator.calls() - calls) / orders, cpu_ms)


if __name__ == "__main__":
    main()
