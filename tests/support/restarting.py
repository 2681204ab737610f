"""A PostgreSQL of a test's own, which it may stop and start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from tests.support.postgres import STOP_WITHIN_S, _programs, _user, _wait_until_ready


class RestartingServer:
    """A server that listens on a socket in its folder."""

    def __init__(self, programs: Path, folder: Path, identity: dict[str, Any]) -> None:
        self._programs = programs
        self._folder = folder
        self._identity = identity
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of its only database."""
        address = URL.create("postgresql+psycopg", username="relay", database="postgres", query={"host": self._host})
        return address.render_as_string()

    @property
    def _host(self) -> str:
        return str(self._folder)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {"listen_addresses": "", "unix_socket_directories": self._host, "fsync": "off"}
        arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *arguments],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                **self._identity,
            )
        _wait_until_ready(self._process, self._folder)

    def stop(self) -> None:
        """End all its sessions and stop it, if it runs."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def run(self, statement: str) -> None:
        """Run a statement in a session of its own."""
        with psycopg.connect(host=self._host, user="relay", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def end_sessions(self) -> None:
        """End all sessions but the one that says so, as an administrator or a fail-over does."""
        self.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def restarting_server() -> Iterator[RestartingServer]:
    """Give a server that runs; raises PostgresMissing where there are no programs of one."""
    programs, user = _programs(), _user()
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="relay-pg-"))
    server = RestartingServer(programs, folder, identity)
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        initdb = [programs / "initdb", "-D", folder / "data", "-U", "relay", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([*initdb, "--auth=trust"], cwd=folder, check=True, capture_output=True, **identity)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
