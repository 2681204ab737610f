"""The long form, run by hand: ``python -m tests.faults.long --kills 200 --deliveries 200000 --engine postgresql``.

Prints how it goes every 30 seconds and a table at the end. Ends with 1 when anything was lost, sent twice or odd.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.faults.running import POSTGRESQL, SQLITE, Plan, run


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.long", description=__doc__)
    parser.add_argument("--engine", choices=(SQLITE, POSTGRESQL), default=SQLITE)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--deliveries", type=int, default=200_000, help="acknowledged ones, without repeats")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop then, reached or not")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=250.0, help="deliveries a second that are aimed at")
    parser.add_argument("--keep", action="store_true", help="keep the store and the log of the run")
    given = parser.parse_args()
    plan = Plan(given.engine, given.kills, given.deliveries, given.seed, given.rate, given.minutes * 60)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything is stopped in order
    folder = Path(tempfile.mkdtemp(prefix="relay-faults-"))
    try:
        result = run(plan, folder, _say)
    finally:
        if given.keep:
            _say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    _say(result.table())
    for sentence in result.violations:
        _say(f"- {sentence}")
    reached = len(result.chaos.kills) >= plan.kills and len(result.books.acknowledged) >= plan.deliveries
    if not reached:
        _say("The time was over before the numbers were reached.")
    return 1 if result.violations or not reached else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - for whoever runs it


if __name__ == "__main__":
    sys.exit(main())
