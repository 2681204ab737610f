"""A relay, or the bare limit, under the load of wrk."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay import jsontext
from relay.signatures import sign

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a-secret-for-benchmarks"
CONFIG = f"""
[groups.main]
endpoint = "{{sandbox}}"
client_id = "sandbox-client"
api_key = "any-string"
api_secret = "invented-secret"
owner = "owner@example.com"
location = "bench_shop"
currency = "EUR"
products = []

[shops.bench]
platform = "shopify"
group = "main"
domain = "bench.myshopify.com"
url = "https://bench.example"
currency = "EUR"
secrets = ["{SECRET}"]
"""


@dataclass(frozen=True)
class Load:
    """What a run of wrk saw."""

    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    requests: int
    errors: int


@dataclass
class Serving:
    """A running server."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    module: str, folder: Path, sandbox: str = "http://127.0.0.1:9", preload: str | None = None, **settings: str
) -> Iterator[Serving]:
    """Run gunicorn with ``module`` on a free port; ``settings`` are RELAY_* variables without the prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "relay.toml").write_text(CONFIG.format(sandbox=sandbox), encoding="utf-8")
    port = free_port()
    own = {
        "DATA": str(folder),
        "CONFIG": str(folder / "relay.toml"),
        "BIND": f"127.0.0.1:{port}",
        "LOG_LEVEL": "warning",
        "WORKER": "off",
    }
    given = {f"RELAY_{name.upper()}": value for name, value in {**own, **settings}.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
    environment = inherited | given | ({"LD_PRELOAD": preload} if preload else {})
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", module], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        _wait(f"http://127.0.0.1:{port}/", process, folder)
        yield Serving(f"http://127.0.0.1:{port}", folder, process)
    finally:
        process.terminate()
        process.wait(60)


def wrk(server: Serving, body: bytes, connections: int, seconds: int, rate_run: str) -> Load:
    """Load a server for some seconds."""
    path = server.folder / "body.json"
    path.write_bytes(body)
    environment = os.environ | {
        "BENCH_BODY": str(path),
        "BENCH_SIGNATURE": sign(body, SECRET),
        "BENCH_RUN": f"{rate_run}-{time.time_ns()}",
    }
    program = shutil.which("wrk")
    if program is None:
        sys.exit("wrk is needed: Debian's package has this name.")
    command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    done = subprocess.run(
        [*command, "-s", str(ROOT / "benchmarks" / "load.lua"), server.url],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    requests, duration_us, p50, p99, most, errors = map(int, line.split()[1:])
    return Load(requests / duration_us * 1e6, p50 / 1000, p99 / 1000, most / 1000, requests, errors)


def order_body(number: int = 1, lines: int = 3) -> bytes:
    """Give an order of the usual size (about 5 KB), with invented values."""
    sample = jsontext.loads((ROOT / "tests/samples/shopify/orders_create__three-lines-2025.json").read_bytes())
    own = {
        "id": 6300000000000 + number,
        "email": f"buyer{number}@example.com",
        "customer": None,
        "checkout_token": None,
    }
    order = sample | own | {"line_items": sample["line_items"][:lines]}
    return jsontext.dumps(order).encode()


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"The server ended:\n{(folder / 'server.log').read_text()}")
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(url, timeout=2)
            except urllib.error.HTTPError:
                return
            return
        time.sleep(0.1)
    sys.exit("The server does not answer.")
