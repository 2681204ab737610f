"""Orders received, translated and sent to the simulator at a constant rate, for minutes.

    python -m benchmarks.end_to_end [--rate 400] [--seconds 300] [--rounds 1] [--workers 1] [--database SERVER-URL]

The rate is sustained when the backlog does not grow: what is open at the end is gone within seconds. That every order
has become one event in SALESmanago is counted by the simulator. For the most a worker can do see ``benchmarks.drain``.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.backlog import backlog, fill, wait_until_empty
from benchmarks.bodies import prepared
from benchmarks.databases import database, engine_of
from benchmarks.loading import open_loop
from benchmarks.machine import machine, spread, table
from benchmarks.processes import kinds, resident, shares, usage
from benchmarks.serving import Serving, scratch, serving, working
from benchmarks.simulating import Simulator, simulating

_WARM = 200
_FIRST = 1_000_000
_LOOK_S = 5.0


@dataclass
class Watched:
    """What was seen every few seconds: calls a second that reached the simulator, and what was open."""

    calls: list[float] = field(default_factory=list)
    open: list[int] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=400, help="orders a second")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; load client and simulator on the same machine")
    print(f"{given.rate:g} orders of three lines a second for {given.seconds} s, {given.workers} worker processes")
    for number in range(given.rounds):
        print(f"\nround {number + 1}")
        with (
            scratch() as folder,
            database(given.database, folder) as url,
            simulating() as simulator,
            serving("app:app", folder, sandbox=simulator.url, database_url=url) as server,
            working(server, given.workers),
        ):
            _round(given, server, simulator)


def _round(given: argparse.Namespace, server: Serving, simulator: Simulator) -> None:
    fill(server, range(_WARM))
    wait_until_empty(server)
    orders = int(given.rate * given.seconds)
    path = prepared(server.folder / "prepared", range(_FIRST, _FIRST + orders))
    first_calls, processes = simulator.calls(), kinds(server, simulator.pid)
    before, begun = usage(processes), time.monotonic()
    with _watching(server, simulator) as watched:
        load = open_loop(server, path, given.rate)
    received_s, used = time.monotonic() - begun, usage(processes).since(before)
    with server.store() as store:
        left = backlog(store)
    drained_s = wait_until_empty(server)
    whole_s = time.monotonic() - begun
    events, calls = simulator.events() - _WARM, simulator.calls() - first_calls
    print(
        table(
            ["what", "figure"],
            [
                ["orders acknowledged a second", f"{load.per_second:,.1f}"],
                ["answers p50 / p99 / slowest", f"{load.p50_ms:.1f} / {load.p99_ms:.1f} / {load.max_ms:.0f} ms"],
                ["not acknowledged", str(load.errors)],
                ["events in SALESmanago, of orders", f"{events:,} of {orders:,}"],
                ["events a second, until all were sent", f"{events / whole_s:,.1f}"],
                ["calls a second, min / median / max", spread(watched.calls or [0])],
                ["calls per order", f"{calls / orders:.2f}"],
                ["open, min / median / max", spread(watched.open or [0])],
                ["open at the end", f"{left.deliveries:,} deliveries, {left.commands:,} commands"],
                ["seconds until all was sent", f"{drained_s:,.1f}"],
                ["share of one core", shares(used | {"load client": load.cpu_s}, received_s)],
                ["own memory, MiB", ", ".join(f"{kind} {size:.0f}" for kind, size in resident(processes).items())],
            ],
        )
    )
    if events != orders:
        sys.exit("Not every order became one event.")


@contextmanager
def _watching(server: Serving, simulator: Simulator) -> Iterator[Watched]:
    """Look at the simulator and the store every few seconds, which costs them little."""
    watched, done = Watched(), threading.Event()

    def watch() -> None:
        with server.store() as store:
            calls, then = simulator.calls(), time.monotonic()
            while not done.wait(_LOOK_S):
                seen, now = simulator.calls(), time.monotonic()
                watched.calls.append((seen - calls) / (now - then))
                calls, then, left = seen, now, backlog(store)
                watched.open.append(left.deliveries + left.commands)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield watched
    finally:
        done.set()
        watcher.join()


if __name__ == "__main__":
    main()
