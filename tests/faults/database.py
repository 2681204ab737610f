"""A PostgreSQL server of our own that syncs to disk, and that can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.processes import children_of, is_running
from tests.support.postgres import _programs, _user, _wait_until_ready

STOP_WITHIN_S = 30.0
DATABASE = "relay"


class Database:
    """A cluster in a folder of its own. Only processes that it started are ever ended."""

    def __init__(self, folder: Path) -> None:
        """Make the cluster; raises PostgresMissing where there are no programs of a server."""
        self._folder = folder
        self._programs = _programs()
        user = _user()
        self._identity: dict[str, Any] = {}
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._server: subprocess.Popen[bytes] | None = None
        command = ["initdb", "-D", str(folder / "data"), "-U", "relay", "-E", "UTF8", "--no-locale", "--auth=trust"]
        subprocess.run(
            [self._programs / command[0], *command[1:]], cwd=folder, check=True, capture_output=True, **self._identity
        )

    @property
    def url(self) -> str:
        """Where the relay's tables go."""
        return f"postgresql+psycopg://relay@/{DATABASE}?host={self._folder}"

    def start(self) -> None:
        """Start the server and wait until it takes connections, after a crash once it has recovered."""
        options = {"listen_addresses": "", "unix_socket_directories": self._folder, "fsync": "on"}
        arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the harness, which stops it last
                **self._identity,
            )
        _wait_until_ready(self._server, self._folder)

    def create(self) -> None:
        """Create the relay's database."""
        with self._connection("postgres") as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")

    def kill(self) -> None:
        """End the server and everything of it with signal 9, as a power cut would."""
        if self._server is not None:
            self._end([self._server.pid, *self._children()], signal.SIGKILL)

    def stop_at_once(self) -> None:
        """Stop the server without a checkpoint: the next start recovers."""
        if self._server is not None:
            self._end([self._server.pid], signal.SIGQUIT)

    def kill_connection(self, chance: random.Random) -> bool:
        """Kill the process of one of the relay's connections; the server then restarts all. False: there was none."""
        mine = set(self._children())
        victims = [pid for pid in self._backends() if pid in mine]
        if victims:
            os.kill(chance.choice(victims), signal.SIGKILL)
        return bool(victims)

    def terminate_connections(self, chance: random.Random) -> bool:
        """End some or all of the relay's connections; False: there was none."""
        victims = self._backends()
        if victims and chance.random() < 0.5:
            victims = chance.sample(victims, chance.randint(1, len(victims)))
        with self._connection("postgres") as connection:
            for pid in victims:
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return bool(victims)

    def wait_until_ready(self) -> None:
        """Wait until connections are taken."""
        assert self._server is not None
        _wait_until_ready(self._server, self._folder)

    def stop(self) -> None:
        """Stop the server for good."""
        if self._server is not None and self._server.poll() is None:
            children = self._children()
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._end([self._server.pid, *children], signal.SIGKILL)

    def _end(self, pids: list[int], number: signal.Signals) -> None:
        assert self._server is not None
        watched = {*pids, *self._children()}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        self._server.wait(STOP_WITHIN_S)
        # A server does not start while a process of the one before still holds its shared memory.
        end = time.monotonic() + STOP_WITHIN_S
        while any(is_running(pid) for pid in watched):
            assert time.monotonic() < end, "processes of the database server do not end"
            time.sleep(0.02)

    def _children(self) -> list[int]:
        assert self._server is not None
        return children_of(self._server.pid)

    def _backends(self) -> list[int]:
        with self._connection("postgres") as connection:
            found = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", (DATABASE,))
            return [row[0] for row in found]

    def _connection(self, name: str) -> psycopg.Connection[Any]:
        """Connect; to a server that still recovers from the last kill, as soon as it has."""
        given: Any = {"host": str(self._folder), "user": "relay", "dbname": name, "connect_timeout": 10}
        try:
            return psycopg.connect(**given, autocommit=True)
        except psycopg.OperationalError:
            self.wait_until_ready()
            return psycopg.connect(**given, autocommit=True)


@contextmanager
def running_database() -> Iterator[Database]:
    """Give a started server with an empty database, and leave nothing of it behind."""
    # A short path: a socket's name may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="relay-pg-"))
    database: Database | None = None
    try:
        database = Database(folder)
        database.start()
        database.create()
        yield database
    finally:
        if database is not None:
            database.stop()
        shutil.rmtree(folder, ignore_errors=True)
