"""Whether several worker processes together keep to a group's pace, and how much of it they use.

    python -m benchmarks.pace --database SERVER-URL [--requests-per-minute 600] [--minutes 3] [--workers 4] [--rounds 1]

A backlog waits for the workers from the start to the end; every other one sends, as gunicorn's do. Counted are the
calls in any 60 seconds, of which none may have more than the pace, and in any second, which may have one more than its
share (docs/decisions/0005-sending.md), by the times at which they reached the simulator.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from benchmarks.backlog import backlog, fill
from benchmarks.databases import database, engine_of
from benchmarks.machine import machine, table
from benchmarks.serving import scratch, serving, working
from benchmarks.simulating import Simulator, simulating

_LOOK_S = 1.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests-per-minute", type=int, default=600)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; simulator on the same machine")
    print(
        f"{given.workers} worker processes, {given.requests_per_minute} requests a minute, {given.minutes:g} minutes\n"
    )
    heads = [
        "calls",
        "most in 60 s",
        "windows over",
        f"most in 1 s (of {_most(given, 1)})",
        "windows over",
        "% of pace",
    ]
    print(table(heads, [_round(given) for _ in range(given.rounds)]))


def _round(given: argparse.Namespace) -> list[str]:
    orders = round(given.requests_per_minute * given.minutes * 1.2) + 200
    with (
        scratch() as folder,
        database(given.database, folder) as url,
        simulating() as simulator,
        serving(
            "app:app",
            folder,
            sandbox=simulator.url,
            requests_per_minute=given.requests_per_minute,
            database_url=url,
        ) as server,
    ):
        fill(server, range(orders))
        with working(server, given.workers):
            moments = _watched(simulator, 60 * given.minutes)
            with server.store() as store:
                if not backlog(store):
                    sys.exit("The backlog was too small: nothing waited at the end.")
    (minute, minute_over), (second, second_over) = (windows(moments, each, _most(given, each)) for each in (60, 1))
    allowed = (moments[-1] - moments[0]) * given.requests_per_minute / 60
    used = f"{100 * (len(moments) - 1) / allowed:.1f}"
    return [str(len(moments)), str(minute), str(minute_over), str(second), str(second_over), used]


def _most(given: argparse.Namespace, seconds: float) -> int:
    per_minute: int = given.requests_per_minute
    return math.ceil(per_minute * seconds / 60)


def _watched(simulator: Simulator, seconds: float) -> list[float]:
    """Collect the moments of all calls in the coming seconds, counted from the first call, in order."""
    moments: dict[int, float] = {}
    while not moments or max(moments.values()) - min(moments.values()) < seconds:
        time.sleep(_LOOK_S)
        moments |= {call["number"]: datetime.fromisoformat(call["at"]).timestamp() for call in simulator.last_calls()}
    return sorted(moments.values())


def windows(moments: Sequence[float], seconds: float, most: int) -> tuple[int, int]:
    """Give the most moments in any window of this length, and how many begin one with more than ``most``."""
    largest = over = last = 0
    for first, begin in enumerate(moments):
        while last < len(moments) and moments[last] < begin + seconds:
            last += 1
        largest = max(largest, last - first)
        over += last - first > most
    return largest, over


if __name__ == "__main__":
    main()
