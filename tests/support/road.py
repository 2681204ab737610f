"""The whole relay as processes: gunicorn, its worker and the simulator, talked to over HTTP alone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import requests

from handlers import discover_platforms
from relay.platforms import Sending
from relay.shops import Shop
from relay.store import Store
from tests.support.sandbox import ACCOUNT, running_sandbox

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = discover_platforms()
START_S = 40.0
WAIT_S = 40.0
REST_KEY = "an-invented-rest-key"
FEED_TOKEN = "an-invented-feed-token"

SHOPIFY = Shop(
    "nordljus",
    "shopify",
    "main",
    "nordljus_shop",
    ("shopify-secret-of-today", "shopify-secret-of-yesterday"),
    domains=("nordljus.myshopify.com",),
    url="https://nordljus.example",
    currency="EUR",
)
WOOCOMMERCE = Shop(
    "zielnik",
    "woocommerce",
    "main",
    "zielnik_shop",
    ("local-webhook-secret-żółw",),
    url="https://zielnik.example",
    currency="PLN",
)

CONFIG = """
[groups.main]
endpoint = "{sandbox}"
client_id = "{client_id}"
api_key = "any-string"
api_secret = "{api_secret}"
owner = "{owner}"
location = "nordljus_shop"
currency = "EUR"
api_keys = ["{rest_key}"]
products = ["feed", "catalog"]
catalog = {{ endpoint = "{sandbox}", api_key = "{v3_key}" }}
feed_token = "{feed_token}"

[shops.nordljus]
platform = "shopify"
group = "main"
domain = "nordljus.myshopify.com"
url = "https://nordljus.example"
currency = "EUR"
secrets = ["shopify-secret-of-today", "shopify-secret-of-yesterday"]
on_customer_delete = "delete"

[shops.zielnik]
platform = "woocommerce"
group = "main"
location = "zielnik_shop"
url = "https://zielnik.example"
currency = "PLN"
secrets = ["local-webhook-secret-żółw"]
on_customer_delete = "delete"
cart_after = "0s"
"""

T = TypeVar("T")


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(look: Callable[[], T | None], what: str, within_s: float = WAIT_S) -> T:
    """Look again until something truthy is seen; fails, saying what was waited for."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"Waited {within_s:g} s in vain for {what}.")


def processes_with(variable: str, value: str) -> list[int]:
    """Give the ids of all processes that were started with this variable in their environment."""
    found = []
    wanted = f"{variable}={value}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0") and _is_alive(folder):
                found.append(int(folder.name))
    return sorted(found)


def _is_alive(folder: Path) -> bool:
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z"


def command_line(pid: int) -> str:
    """Give the command line of a process; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@dataclass
class Road:
    """A relay that runs. ``environment`` is what its processes were started with."""

    folder: Path
    url: str
    sandbox_url: str
    environment: dict[str, str]
    database_url: str
    module: str = "app:app"
    gunicorn: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    @property
    def log(self) -> str:
        """What the processes have said."""
        return (self.folder / "relay.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start gunicorn and wait until the relay is ready."""
        self.launch()
        wait_for(self._is_ready, f"the relay to be ready; it said:\n{self.log}", START_S)

    def launch(self) -> None:
        """Start gunicorn."""
        with (self.folder / "relay.log").open("ab") as log:
            self.gunicorn = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", self.module],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _is_ready(self) -> bool:
        assert self.gunicorn is not None
        assert self.gunicorn.poll() is None, f"gunicorn ended:\n{self.log}"
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        return False

    def stop(self) -> None:
        """Stop gunicorn the way an operator does, then make sure that no process is left."""
        if self.gunicorn is not None and self.gunicorn.poll() is None:
            self.gunicorn.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.gunicorn.wait(30)
        left = processes_with("RELAY_DATA", str(self.folder))
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.gunicorn is not None:
            self.gunicorn.wait(10)
        assert not left, "processes were left behind after a stop in order"

    def processes(self, words: str) -> list[int]:
        """Give the running processes of this relay whose command line has these words."""
        found = processes_with("RELAY_DATA", str(self.folder))
        return [pid for pid in found if words in command_line(pid)]

    def kill(self, *pids: int) -> None:
        """Kill processes of this relay with signal 9."""
        mine = set(processes_with("RELAY_DATA", str(self.folder)))
        for pid in mine & set(pids):
            os.kill(pid, signal.SIGKILL)

    def kill_all(self) -> None:
        """Kill every process of this relay with signal 9 and wait until they are gone."""
        wait_for(self._all_gone, "the killed processes to be gone")
        if self.gunicorn is not None:
            self.gunicorn.wait(10)

    def _all_gone(self) -> bool:
        left = processes_with("RELAY_DATA", str(self.folder))
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.gunicorn is not None:
            self.gunicorn.poll()
        return not left

    def send(
        self,
        shop: Shop,
        topic: str,
        body: Any,
        delivery_id: str | None = None,
        session: requests.Session | None = None,
        timeout_s: float = 30,
    ) -> requests.Response:
        """Deliver a body (parsed or raw) as the shop's platform would, signed."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        delivery_id = delivery_id or f"road-{next(self.numbers)}"
        sending = Sending(shop, topic, raw, delivery_id, datetime.now(UTC))
        headers = PLATFORMS[shop.platform].headers_of(sending)
        return (session or requests).post(  # type: ignore[union-attr]  # both have it
            f"{self.url}/webhooks/{shop.key}", data=raw, headers=headers, timeout=timeout_s
        )

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Call the REST API."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, self.url + path, json=body, headers={"X-API-Key": REST_KEY} | given, timeout=60)

    def sandbox(self) -> dict[str, Any]:
        """Give what SALESmanago holds."""
        state = requests.get(f"{self.sandbox_url}/_sandbox/state", timeout=30).json()
        account: dict[str, Any] = state["accounts"][ACCOUNT.client_id]
        return account

    def events(self) -> list[dict[str, Any]]:
        """Give all events SALESmanago holds, each with its contact's e-mail."""
        return [
            event | {"email": contact["email"]} for contact in self.sandbox()["contacts"] for event in contact["events"]
        ]

    def fault(self, **order: Any) -> None:
        """Have the simulator misbehave."""
        requests.post(f"{self.sandbox_url}/_sandbox/faults", json=order, timeout=30).raise_for_status()

    def clear_faults(self) -> None:
        """Have the simulator behave again."""
        requests.delete(f"{self.sandbox_url}/_sandbox/faults", timeout=30).raise_for_status()

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the relay."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def flask_json(self, *arguments: str) -> Any:
        """Run a command of the relay and give the JSON it prints."""
        done = self.flask(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the relay's store beside it."""
        store = Store.open(self.database_url, folder=self.folder)
        try:
            yield store
        finally:
            store.close()

    def wait_until_idle(self, within_s: float = WAIT_S) -> None:
        """Wait until every delivery is translated and every command settled."""
        with self.store() as store:

            def idle() -> bool:
                counts = store.reading.counts()
                open_deliveries = counts.deliveries.get("received", 0) + counts.deliveries.get("held", 0)
                states = [state for (_, state), number in counts.commands.items() if number]
                return not open_deliveries and not {"waiting", "claimed"} & set(states)

            wait_for(idle, "all work to be done", within_s)


@contextmanager
def running_road(
    folder: Path,
    *,
    module: str = "app:app",
    config: str = CONFIG,
    database_url: str | None = None,
    started: bool = True,
    **settings: str,
) -> Iterator[Road]:
    """Run a relay with both shops against a simulator; ``settings`` are RELAY_* variables without the prefix."""
    with running_sandbox([ACCOUNT]) as sandbox:
        text = config.format(
            sandbox=sandbox.url,
            client_id=ACCOUNT.client_id,
            api_secret=ACCOUNT.api_secret,
            owner=ACCOUNT.owners[0],
            rest_key=REST_KEY,
            v3_key=ACCOUNT.v3_key,
            feed_token=FEED_TOKEN,
        )
        (folder / "relay.toml").write_text(text, encoding="utf-8")
        port = free_port()
        own = {"DATA": str(folder), "CONFIG": str(folder / "relay.toml"), "BIND": f"127.0.0.1:{port}", "POLL_S": "0.2"}
        if database_url is not None:
            own["DATABASE_URL"] = database_url
        given = {f"RELAY_{name.upper()}": value for name, value in {**own, **settings}.items()}
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "PROMETHEUS_"))
        }
        url = database_url or f"sqlite:///{folder / 'relay.sqlite3'}"
        road = Road(folder, f"http://127.0.0.1:{port}", sandbox.url, environment | given, url, module)
        try:
            if started:
                road.start()
            yield road
        finally:
            road.stop()


def samples_of(platform: str, names: Sequence[str]) -> list[tuple[str, bytes]]:
    """Give the project's own samples as (name, body)."""
    folder = ROOT / "tests" / "samples" / platform
    return [(name, (folder / f"{name}.json").read_bytes()) for name in names]
