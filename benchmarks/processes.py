"""What the processes of a run use: processor time and memory, by what they do."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.databases import is_sqlite, name_of
from benchmarks.serving import Serving
from tests.support.road import command_line, processes_with

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """Seconds of processor time since each process started, by (kind, process)."""

    seconds: dict[tuple[str, int], float] = field(default_factory=dict)

    def since(self, before: Usage) -> dict[str, float]:
        """Give the seconds each kind has used since ``before``."""
        used: defaultdict[str, float] = defaultdict(float)
        for (kind, pid), seconds in self.seconds.items():
            used[kind] += seconds - before.seconds.get((kind, pid), 0)
        return dict(used)


def kinds(server: Serving, simulator: int | None = None) -> dict[int, str]:
    """Give what each process of a run does: web, worker, supervisor, database, simulator."""
    found = {pid: _kind(command_line(pid)) for pid in processes_with("RELAY_DATA", str(server.folder))}
    if not is_sqlite(server.database_url):
        found |= dict.fromkeys(_backends(name_of(server.database_url)), "database")
    if simulator is not None:
        found[simulator] = "simulator"
    return found


def usage(processes: Mapping[int, str]) -> Usage:
    """Read the processor time of these processes."""
    seen = Usage()
    for pid, kind in processes.items():
        with contextlib.suppress(OSError):
            numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            seen.seconds[kind, pid] = (int(numbers[11]) + int(numbers[12])) / _TICKS
    return seen


def resident(processes: Mapping[int, str]) -> dict[str, float]:
    """Give the MiB of memory of each kind, added up; of what several processes share each has its part."""
    held: defaultdict[str, float] = defaultdict(float)
    for pid, kind in processes.items():
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            held[kind] += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return dict(held)


def shares(used: Mapping[str, float], seconds: float) -> str:
    """Tell the processor time of each kind as a share of one core."""
    return ", ".join(f"{kind} {100 * each / seconds:.0f} %" for kind, each in sorted(used.items()) if each > 0)


def _kind(command: str) -> str:
    if "supervisor" in command:
        return "supervisor"
    return "web" if "gunicorn" in command else "worker"


def _backends(database: str) -> list[int]:
    """Find the processes of a PostgreSQL on this machine that work for a database; their title tells."""
    folders = Path("/proc").glob("[0-9]*")
    return [
        int(folder.name)
        for folder in folders
        if (words := command_line(int(folder.name)).split()) and words[0] == "postgres:" and database in words
    ]
