"""How many deliveries are acknowledged a second, against the bare limit of the same run.

    python -m benchmarks.acknowledge [--rounds 5] [--seconds 5] [--connections 32] [--database URL] [--preload shim.so]

Runs alternate: bare, relay, bare, relay, ... Every acknowledged delivery is on disk; the worker is off.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from benchmarks.machine import machine, spread
from benchmarks.serving import Load, order_body, scratch, serving, wrk


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--database", help="a PostgreSQL URL; SQLite in a temporary folder unless given")
    parser.add_argument("--preload", help="a library to load into the relay, such as one that slows every sync down")
    given = parser.parse_args()
    body = order_body()
    rounds = list(_rounds(given, body))
    print(f"{machine()}; wrk on the same machine, {given.connections} connections, bodies of {len(body):,} bytes")
    print("min / median / max of", len(rounds), "rounds of", given.seconds, "s")
    for name, loads in (("bare", [bare for bare, _ in rounds]), ("relay", [relay for _, relay in rounds])):
        rates, errors = spread([load.per_second for load in loads]), sum(load.errors for load in loads)
        p50, p99 = spread([load.p50_ms for load in loads], 1), spread([load.p99_ms for load in loads], 1)
        print(f"{name:6} {rates} a second; p50 {p50} ms; p99 {p99} ms; errors {errors}")
    shares = [100 * relay.per_second / bare.per_second for bare, relay in rounds]
    print(f"share of the bare limit: {spread(shares, 1)} %")


def _rounds(given: argparse.Namespace, body: bytes) -> Iterator[tuple[Load, Load]]:
    settings = {"database_url": given.database} if given.database else {}
    with scratch() as folder:
        for number in range(given.rounds):
            with serving("benchmarks.bare_app:app", folder / f"bare{number}", **settings) as server:
                wrk(server, body, given.connections, 1, "warm")
                bare = wrk(server, body, given.connections, given.seconds, "run")
            with serving("app:app", folder / f"relay{number}", preload=given.preload, **settings) as server:
                wrk(server, body, given.connections, 1, "warm")
                relay = wrk(server, body, given.connections, given.seconds, "run")
            print(f"  round {number + 1}: bare {bare.per_second:,.0f}, relay {relay.per_second:,.0f}", file=sys.stderr)
            yield bare, relay


if __name__ == "__main__":
    main()
