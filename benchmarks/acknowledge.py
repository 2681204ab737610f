"""How many deliveries are acknowledged a second, against the bare limit of the same run.

    python -m benchmarks.acknowledge [--rounds 5] [--seconds 5] [--connections 8,32,128] [--database SERVER-URL]
    python -m benchmarks.acknowledge --sync-ms 4 --per-request      # SQLite on a slow disk, e.g. a cloud volume

Runs alternate: bare, relay, bare, relay, ... Every acknowledged delivery is on disk; the worker is off.
``--per-request`` adds the same relay with a commit for every request to each round, once synced as the relay does, when
the next one may write already, and on SQLite once as SQLite does by itself, before. ``--sync-ms`` makes every sync of
the relay's own processes slower, so it says something about SQLite only. The server of ``--database`` gets a database
for each run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.bodies import order
from benchmarks.databases import database, engine_of
from benchmarks.loading import Load, compiled, wrk
from benchmarks.machine import machine, spread, table
from benchmarks.serving import scratch, serving

_BARE, _RELAY, _SINGLE, _PLAIN = "bare", "relay", "one by one", "one by one, SQLite syncs"
_APPS = {
    _BARE: "benchmarks.bare_app:app",
    _RELAY: "app:app",
    _SINGLE: "benchmarks.one_by_one_app:app",
    _PLAIN: "benchmarks.plain_app:app",
}
_WARM_S = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", default="32", help="one number of them or several, separated by commas")
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    parser.add_argument("--sync-ms", type=float, default=0, help="how much slower each sync is to be")
    parser.add_argument("--per-request", action="store_true", help="measure a commit for every request, too")
    given = parser.parse_args()
    if given.sync_ms and given.database:
        sys.exit("PostgreSQL's syncs are made by processes that are not started here: leave out one of the two.")
    names = [_BARE, _RELAY]
    if given.per_request:
        names += [_SINGLE] if given.database else [_SINGLE, _PLAIN]
    print(f"{machine()}; {engine_of(given.database)}; wrk on the same machine, bodies of {len(order(1).body):,} bytes")
    print(
        f"min / median / max of {given.rounds} rounds of {given.seconds} s; {given.sync_ms:g} ms added to each sync\n"
    )
    rows = []
    for connections in map(int, given.connections.split(",")):
        with scratch() as folder:
            rounds = [
                {name: _load(name, connections, given, folder / f"{number}-{name}") for name in names}
                for number in range(given.rounds)
            ]
        rows += [_row(name, connections, rounds) for name in names]
    heads = ["connections", "what", "a second", "p50 ms", "p99 ms", "errors", "% of bare"]
    heads += [f"times {base}" for base in (_SINGLE, _PLAIN) if base in names]
    print(table(heads, [row[: len(heads)] for row in rows]))


def _load(name: str, connections: int, given: argparse.Namespace, folder: Path) -> Load:
    variables: dict[str, str] = {}
    if given.sync_ms and name != _BARE:
        library = compiled("slow_sync", "-shared", "-fPIC")
        variables = {"LD_PRELOAD": str(library), "BENCH_SYNC_US": f"{1000 * given.sync_ms:.0f}"}
    with (
        database(given.database, folder) as url,
        serving(_APPS[name], folder, variables=variables, database_url=url) as server,
    ):
        wrk(server, order(1), connections, _WARM_S)
        load = wrk(server, order(1), connections, given.seconds)
    print(f"  {connections} connections, {name}: {load.per_second:,.0f} a second", file=sys.stderr)
    return load


def _row(name: str, connections: int, rounds: Sequence[Mapping[str, Load]]) -> list[str]:
    loads = [each[name] for each in rounds]

    def times(base: str, factor: float, digits: int) -> str:
        if name == base or base not in rounds[0]:
            return ""
        return spread([factor * each[name].per_second / each[base].per_second for each in rounds], digits)

    return [
        str(connections),
        name,
        spread([load.per_second for load in loads]),
        spread([load.p50_ms for load in loads], 1),
        spread([load.p99_ms for load in loads], 1),
        str(sum(load.errors for load in loads)),
        times(_BARE, 100, 1),
        *(times(base, 1, 1) if name == _RELAY else "" for base in (_SINGLE, _PLAIN)),
    ]


if __name__ == "__main__":
    main()
