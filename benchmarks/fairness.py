"""How long a shop's fresh order takes while another shop of the same group has a large backlog.

    python -m benchmarks.fairness [--backlog 100000] [--orders 100] [--rounds 1] [--database SERVER-URL]

The backlog is filled while no worker runs. Then the worker starts, and the other shop sends an order every half to
whole second; the time is from sending it to its contact's creation in the simulator. What has not come two minutes
after the last one was sent counts as if it had come then, and is told.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from benchmarks.backlog import backlog, fill
from benchmarks.bodies import email_of
from benchmarks.databases import database, engine_of
from benchmarks.machine import machine, percentile, spread, table
from benchmarks.serving import Serving, scratch, serving, working
from benchmarks.simulating import Simulator, simulating
from benchmarks.wake import send

_FRESH = "fresh"
_FIRST = 500_000_000
_LAST_WAIT_S = 120.0
_SETTLED_S = 5.0  # the worker's start is not what is asked for


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=100, help="fresh orders of the other shop")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--requests-per-minute", type=int, help="the group's pace; none unless given")
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; simulator on the same machine")
    print(f"backlog of {given.backlog:,} orders, {given.orders} fresh ones, {given.rounds} rounds\n")
    rounds = [_round(given) for _ in range(given.rounds)]
    lines = [[f"p{share}", spread([percentile(each, share) for each in rounds], 2)] for share in (50, 95, 99)]
    lines.append(["slowest", spread([max(each) for each in rounds], 2)])
    print(table(["fresh order to SALESmanago", "s"], lines))


def _round(given: argparse.Namespace) -> list[float]:
    with (
        scratch() as folder,
        database(given.database, folder) as url,
        simulating() as simulator,
        serving(
            "app:app",
            folder,
            sandbox=simulator.url,
            shops=("bench", _FRESH),
            requests_per_minute=given.requests_per_minute,
            database_url=url,
        ) as server,
    ):
        fill(server, range(given.backlog))
        with working(server, 2), server.store() as store:
            time.sleep(_SETTLED_S)
            sent = _sent(server, given.orders)
            left = backlog(store)
            came = _came(simulator, list(sent))
    end = time.time()
    took = [came.get(email, end) - moment for email, moment in sent.items()]
    open_rows = f"{left.deliveries:,} deliveries and {left.commands:,} commands"
    print(
        f"  p95 {percentile(took, 95):.2f} s; {len(sent) - len(came)} were not sent in time;"
        f" of the backlog {open_rows} were left",
        file=sys.stderr,
    )
    if not left:
        sys.exit("The backlog was too small: it ended before the last fresh order.")
    return took


def _sent(server: Serving, orders: int) -> dict[str, float]:
    """Send fresh orders one by one; gives when each was sent, by its buyer's address."""
    chance = random.Random(1)
    sent = {}
    for number in range(_FIRST, _FIRST + orders):
        time.sleep(chance.uniform(0.5, 1))
        sent[email_of(number)] = send(server, number, _FRESH)
    return sent


def _came(simulator: Simulator, emails: list[str]) -> dict[str, float]:
    """Give when each contact arrived; waits for the last ones, up to a limit."""
    end = time.monotonic() + _LAST_WAIT_S
    while len(came := simulator.came_at(emails)) < len(emails) and time.monotonic() < end:
        time.sleep(1)
    return came


if __name__ == "__main__":
    main()
