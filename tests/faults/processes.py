"""The relay under fire: started like by a service manager, its processes told apart by what they do, and killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.road import CONFIG, FEED_TOKEN, REST_KEY, ROOT, Road, free_port, wait_for
from tests.support.sandbox import ACCOUNT, sandbox_process

UP_WITHIN_S = 90.0
RESTART_S = 0.5  # how long a service manager waits before it starts again what ended
WEB_PROCESSES = 2
SUPERVISED_WORKERS = 2
SETTINGS = {"POLL_S": "0.2", "LOG_LEVEL": "warning", "WEB_PROCESSES": str(WEB_PROCESSES)}
_WORKER = "--app app worker"


@dataclass
class Relay(Road):
    """A relay whose gunicorn, and whose further workers, are started again when they end."""

    further_workers: int = 0
    hosts: list[subprocess.Popen[bytes]] = field(default_factory=list)  # stand for the workers of other machines

    def start(self) -> None:
        """Start everything and wait until the relay is ready."""
        self.hosts = [self._launch("flask", "--app", "app", "worker") for _ in range(self.further_workers)]
        self.bring_up()

    def stop(self) -> None:
        """Stop everything in order, and leave no process behind."""
        for host in self.hosts:
            host.send_signal(signal.SIGCONT)
            host.terminate()
        try:
            for host in self.hosts:
                host.wait(30)
        except subprocess.TimeoutExpired:
            self.kill(*(host.pid for host in self.hosts))
        super().stop()

    def tend(self) -> None:
        """Do what a service manager does: start again what has ended."""
        if self.gunicorn is None or self.gunicorn.poll() is not None:
            self.gunicorn = self._launch("gunicorn", self.module)
        for place, host in enumerate(self.hosts):
            if host.poll() is not None:
                self.hosts[place] = self._launch("flask", "--app", "app", "worker")

    def bring_up(self) -> None:
        """Start again what has ended, again and again, until the relay is ready."""
        end = time.monotonic() + UP_WITHIN_S
        while True:
            self.tend()
            with contextlib.suppress(requests.RequestException):
                # An orphan of the gunicorn before may answer too, for as long as its callers keep it busy.
                if len(self.web_processes()) == WEB_PROCESSES and requests.get(f"{self.url}/readyz", timeout=5).ok:
                    return
            assert time.monotonic() < end, f"the relay is not ready again; it said:\n{self.log[-4000:]}"
            time.sleep(RESTART_S / 2)

    def faults(self) -> list[dict[str, Any]]:
        """Give what the simulator has still to do wrong, in the order it was told."""
        found: list[dict[str, Any]] = requests.get(f"{self.sandbox_url}/_sandbox/faults", timeout=30).json()["faults"]
        return found

    def web_processes(self) -> list[int]:
        """Give the processes that answer requests."""
        assert self.gunicorn is not None
        return [pid for pid in self.processes("gunicorn") if parent_of(pid) == self.gunicorn.pid]

    def workers(self) -> list[int]:
        """Give the workers, supervised ones and those of other machines."""
        return self.processes(_WORKER)

    def supervisors(self) -> list[int]:
        """Give the supervisor, while it runs."""
        return self.processes("relay.worker.supervisor")

    def wait_until_whole(self, *killed: int) -> None:
        """Wait until other processes have taken the places of those that were killed."""

        def is_whole() -> bool:
            self.tend()
            found = [self.web_processes(), self.workers(), self.supervisors()]
            wanted = [WEB_PROCESSES, SUPERVISED_WORKERS + self.further_workers, 1]
            there = {pid for pids in found for pid in pids}
            return there.isdisjoint(killed) and [len(pids) for pids in found] == wanted

        wait_for(is_whole, "killed processes to be replaced", UP_WITHIN_S)

    def _launch(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "relay.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the harness, which stops them in order
            )


def parent_of(pid: int) -> int:
    """Give a process's parent; 0 when it is gone."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def children_of(pid: int) -> list[int]:
    """Give a process's children."""
    return [child for each in Path("/proc").glob("[0-9]*") if parent_of(child := int(each.name)) == pid]


def is_running(pid: int) -> bool:
    """Tell whether a process is there and has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextmanager
def running_relay(
    folder: Path, database_url: str | None = None, further_workers: int = 0, **settings: str
) -> Iterator[Relay]:
    """Run a relay with both shops and, in a process of its own, the simulator; ``settings`` as in ``running_road``."""
    with sandbox_process([ACCOUNT]) as sandbox:
        text = CONFIG.format(
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
        own = {"DATA": str(folder), "CONFIG": str(folder / "relay.toml"), "BIND": f"127.0.0.1:{port}", **SETTINGS}
        if database_url is not None:
            own["DATABASE_URL"] = database_url
        given = {f"RELAY_{name.upper()}": value for name, value in {**own, **settings}.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "PROMETHEUS_"))}
        url = database_url or f"sqlite:///{folder / 'relay.sqlite3'}"
        relay = Relay(
            folder, f"http://127.0.0.1:{port}", sandbox.url, kept | given, url, further_workers=further_workers
        )
        try:
            relay.start()
            yield relay
        finally:
            relay.stop()
