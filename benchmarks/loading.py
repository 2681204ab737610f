"""Load: wrk, as much as the server takes, and open_loop, at a constant rate whatever the server does."""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.bodies import SECRET, Order
from benchmarks.serving import ROOT, Serving
from relay.signatures import sign

_SOURCES = ROOT / "benchmarks"


@dataclass(frozen=True)
class Load:
    """What a load client saw. ``statuses`` (open_loop alone): a byte for each request, 2 where it was taken."""

    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    requests: int
    errors: int
    seconds: float
    cpu_s: float = 0
    statuses: bytes = b""


def wrk(
    server: Serving,
    order: Order,
    connections: int,
    seconds: int,
    path: str = "/webhooks/bench",
    *,
    hex_too: bool = False,
) -> Load:
    """Load a server for some seconds with one order under ever new delivery ids.

    ``hex_too`` adds the signature as GitHub writes it, for servers that read no base64.
    """
    body = server.folder / "body.json"
    body.write_bytes(order.body)
    environment = os.environ | {
        "BENCH_BODY": str(body),
        "BENCH_PATH": path,
        "BENCH_SIGNATURE": sign(order.body, SECRET),
        "BENCH_RUN": f"{time.time_ns()}",
    }
    if hex_too:
        environment["BENCH_HEX"] = base64.b64decode(sign(order.body, SECRET)).hex()
    command = [_program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    numbers = _result([*command, "-s", str(_SOURCES / "load.lua"), server.url], environment)
    requests, duration_us, p50, p99, most, errors = map(int, numbers)
    per_second = requests / duration_us * 1e6
    return Load(per_second, p50 / 1000, p99 / 1000, most / 1000, requests, errors, duration_us / 1e6)


def open_loop(server: Serving, prepared: Path, rate: float, connections: int = 32) -> Load:
    """Send prepared requests at ``rate`` a second; 0: as fast as they are taken."""
    statuses = server.folder / "statuses"
    arguments = [str(server.port), str(prepared), str(connections), f"{rate:g}", str(statuses)]
    numbers = _result([str(compiled("open_loop")), *arguments], os.environ.copy())
    requests, errors = int(numbers[0]), int(numbers[1])
    seconds, p50, p99, most, cpu_s = map(float, numbers[3:])
    taken = (requests - errors) / seconds
    return Load(
        taken, p50 * 1000, p99 * 1000, most * 1000, requests, errors, seconds, cpu_s, statuses=statuses.read_bytes()
    )


@cache
def compiled(name: str, *flags: str) -> Path:
    """Compile benchmarks/<name>.c; gives the program, or the library when the flags ask for one."""
    compiler = shutil.which("cc") or sys.exit("A C compiler is needed, by the name cc.")
    made = _made() / (f"{name}.so" if "-shared" in flags else name)
    subprocess.run([compiler, "-O2", *flags, "-o", str(made), str(_SOURCES / f"{name}.c")], check=True)
    return made


@cache
def _made() -> Path:
    """Make a folder for compiled programs, which goes when this process ends."""
    folder = Path(mkdtemp(prefix="bench-made-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _program(name: str) -> str:
    return shutil.which(name) or sys.exit(f"{name} is needed: Debian's package has this name.")


def _result(command: list[str], environment: dict[str, str]) -> list[str]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
    if done.returncode != 0 or line is None:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return line.split()[1:]
