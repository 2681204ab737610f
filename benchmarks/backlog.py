"""Filling a relay's backlog and watching it go."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.bodies import SHOP, prepared
from benchmarks.loading import Load, open_loop
from benchmarks.serving import Serving
from relay.store import Store

_LOOK_S = 0.25
_OPEN_DELIVERIES = ("received", "held")
_OPEN_COMMANDS = ("waiting", "claimed")


@dataclass(frozen=True)
class Backlog:
    """What is still to be done."""

    deliveries: int  # not yet translated
    commands: int  # not yet sent

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.commands)


def backlog(store: Store) -> Backlog:
    """Count what is open."""
    counts = store.reading.counts()
    return Backlog(
        sum(counts.deliveries.get(state, 0) for state in _OPEN_DELIVERIES),
        sum(number for (_, state), number in counts.commands.items() if state in _OPEN_COMMANDS),
    )


def failed(store: Store) -> dict[str, int]:
    """Count what has gone wrong: dead deliveries, dead and uncertain commands."""
    counts = store.reading.counts()
    found = {f"{state} deliveries": number for state, number in counts.deliveries.items() if state == "dead"}
    for (_, state), number in counts.commands.items():
        if state not in _OPEN_COMMANDS:
            found[f"{state} commands"] = found.get(f"{state} commands", 0) + number
    return {name: number for name, number in found.items() if number}


def fill(server: Serving, numbers: Iterable[int], shop: str = SHOP, rate: float = 0) -> Load:
    """Deliver these orders, as fast as they are taken unless a rate is given; ends the program if one is refused."""
    path = prepared(server.folder / "orders", numbers, shop)
    load = open_loop(server, path, rate)
    path.unlink()
    if load.errors:
        sys.exit(f"{load.errors} of {load.requests} deliveries were not taken.")
    return load


def wait_until_empty(server: Serving, within_s: float = 1800) -> float:
    """Wait until nothing is open, and give how many seconds it took; ends the program when it takes too long."""
    begun = time.monotonic()
    with server.store() as store:
        while left := backlog(store):
            if time.monotonic() - begun > within_s:
                sys.exit(f"{left.deliveries} deliveries and {left.commands} commands are left after {within_s:g} s.")
            time.sleep(_LOOK_S)
        if wrong := failed(store):
            print(f"  wrong: {wrong}", file=sys.stderr)
    return time.monotonic() - begun
