"""A relay, or another server, as processes on free ports, of which nothing is left afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bodies import SECRET, SHOP
from relay.store import Store
from relay.worker.duty import duties
from tests.support.road import free_port, processes_with
from tests.support.sandbox import ACCOUNT

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = "http://127.0.0.1:9"
_START_S = 60.0
_STOP_S = 60.0
_GROUP = """
[groups.main]
endpoint = "{sandbox}"
client_id = "{client_id}"
api_key = "any-string"
api_secret = "{api_secret}"
owner = "{owner}"
location = "bench_shop"
currency = "EUR"
products = []
{pace}
"""
_SHOP = """
[shops.{key}]
platform = "shopify"
group = "main"
domain = "{key}.myshopify.com"
url = "https://{key}.example"
currency = "EUR"
secrets = ["{secret}"]
"""


@dataclass
class Serving:
    """A running server. ``environment`` is what a relay's processes were started with."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    database_url: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the relay's store beside it."""
        address = self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        store = Store.open(address, folder=self.folder, commit_wait_s=30)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def serving(
    module: str,
    folder: Path,
    *,
    sandbox: str = NOWHERE,
    shops: Sequence[str] = (SHOP,),
    requests_per_minute: int | None = None,
    variables: Mapping[str, str] | None = None,
    **settings: str,
) -> Iterator[Serving]:
    """Run gunicorn with ``module`` on a free port, without a worker unless ``worker="on"`` is given.

    ``settings`` are RELAY_* variables without the prefix, ``variables`` any other ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "relay.toml").write_text(_config(sandbox, shops, requests_per_minute), encoding="utf-8")
    port = free_port()
    own = {
        "DATA": str(folder),
        "CONFIG": str(folder / "relay.toml"),
        "BIND": f"127.0.0.1:{port}",
        "LOG_LEVEL": "warning",
        "WORKER": "off",
        "DATABASE_URL": f"sqlite:///{folder / 'relay.sqlite3'}",
    }
    given = {f"RELAY_{name.upper()}": value for name, value in {**own, **settings}.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "PROMETHEUS_"))}
    environment = inherited | given | dict(variables or {})
    ready = "/readyz" if given["RELAY_WORKER"] == "on" else "/"
    url = f"http://127.0.0.1:{port}"
    with started([sys.executable, "-m", "gunicorn", module], folder, url + ready, environment) as process:
        yield Serving(url, folder, process, environment, given["RELAY_DATABASE_URL"])
    left = processes_with("RELAY_DATA", str(folder))
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def started(
    command: Sequence[str], folder: Path, ready: str | None, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block; begins when ``ready`` answers (/readyz: with 200)."""
    log = folder / f"{Path(command[-1]).name.partition(':')[0]}.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    try:
        if ready is not None:
            _wait(ready, process, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def working(server: Serving, processes: int = 1) -> Iterator[None]:
    """Run worker processes beside a relay, which share the work as gunicorn's do."""
    command = [sys.executable, "-m", "flask", "--app", "app", "worker"]
    with contextlib.ExitStack() as stack:
        for duty in duties(processes):
            stack.enter_context(started([*command, f"--duty={duty}"], server.folder, None, server.environment))
        yield


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is removed afterwards, also when the program is told to end."""
    before = signal.signal(signal.SIGTERM, _end)  # else nothing would be tidied up
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def _end(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not break off the tidying up
    sys.exit("ended by SIGTERM")


def _config(sandbox: str, shops: Sequence[str], requests_per_minute: int | None) -> str:
    pace = f"requests_per_minute = {requests_per_minute}" if requests_per_minute else ""
    group = _GROUP.format(
        sandbox=sandbox,
        client_id=ACCOUNT.client_id,
        api_secret=ACCOUNT.api_secret,
        owner=ACCOUNT.owners[0],
        pace=pace,
    )
    return group + "".join(_SHOP.format(key=key, secret=SECRET) for key in shops)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"The server ended:\n{log.read_text()}")
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(url, timeout=2)
            except urllib.error.HTTPError:
                if url.endswith("/readyz"):
                    raise
            return
        time.sleep(0.1)
    sys.exit(f"The server does not answer:\n{log.read_text()}")
