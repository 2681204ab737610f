"""What the figures were measured on, and how they are told."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from pathlib import Path


def machine() -> str:
    """Describe this machine in a line."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    gigabytes = int(memory.split()[1]) / 1024 / 1024
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores, {gigabytes:.0f} GiB, Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Give minimum, median and maximum."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{low:,.{digits}f} / {middle:,.{digits}f} / {high:,.{digits}f}"
