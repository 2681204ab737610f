"""How soon an order that meets an idle relay is at SALESmanago's.

    python -m benchmarks.wake [--orders 100] [--rounds 5] [--database SERVER-URL]

An order every half to whole second; the time is from sending the request to the contact's creation in the simulator,
which answers at once, by the clock of this machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

import requests

from benchmarks.backlog import fill, wait_until_empty
from benchmarks.bodies import SHOP, email_of, order
from benchmarks.databases import database, engine_of
from benchmarks.machine import machine, percentile, spread, table
from benchmarks.serving import Serving, scratch, serving
from benchmarks.simulating import Simulator, simulating

_WARM = 50
_FIRST = 1_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", help="a PostgreSQL server's URL; SQLite unless given")
    given = parser.parse_args()
    print(f"{machine()}; {engine_of(given.database)}; simulator on the same machine")
    print(f"{given.orders} orders, one at a time, min / median / max of {given.rounds} rounds\n")
    with (
        scratch() as folder,
        database(given.database, folder) as url,
        simulating() as simulator,
        serving("app:app", folder, sandbox=simulator.url, worker="on", database_url=url) as server,
    ):
        fill(server, range(_WARM))
        wait_until_empty(server)
        rounds = [
            _round(server, simulator, range(first, first + given.orders))
            for first in range(_FIRST, _FIRST + given.rounds * given.orders, given.orders)
        ]
    lines = [[f"p{share}", spread([percentile(each, share) for each in rounds])] for share in (50, 95, 99)]
    lines.append(["slowest", spread([max(each) for each in rounds])])
    print(table(["idle to SALESmanago", "ms"], lines))


def _round(server: Serving, simulator: Simulator, numbers: range) -> list[float]:
    """Give the milliseconds that each order took."""
    chance = random.Random(numbers.start)
    sent = {}
    for number in numbers:
        time.sleep(chance.uniform(0.5, 1))
        sent[email_of(number)] = send(server, number)
    wait_until_empty(server)
    came = simulator.came_at(list(sent))
    took = [1000 * (came[email] - sent[email]) for email in sent]
    print(f"  p50 {percentile(took, 50):.0f}, p95 {percentile(took, 95):.0f} ms", file=sys.stderr)
    return took


def send(server: Serving, number: int, shop: str = SHOP) -> float:
    """Deliver one order over a new connection, as shops do, and give when it was sent, in seconds since 1970."""
    one = order(number)
    headers = one.headers(shop)
    begun = time.time()
    requests.post(f"{server.url}/webhooks/{shop}", data=one.body, headers=headers, timeout=60).raise_for_status()
    return begun


if __name__ == "__main__":
    main()
