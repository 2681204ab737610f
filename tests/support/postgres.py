"""A real PostgreSQL for the tests: the server of RELAY_TEST_POSTGRES_URL, or a throw-away one of our own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.engine import URL

URL_VARIABLE = "RELAY_TEST_POSTGRES_URL"
REQUIRE_VARIABLE = "RELAY_REQUIRE_POSTGRES"
START_WITHIN_S = 30.0
STOP_WITHIN_S = 20.0


class PostgresMissing(Exception):
    """No PostgreSQL can be used here; the message says what to install or set."""


class PostgresServer:
    """A running server, in which each test gets a database of its own."""

    def __init__(self, url: URL) -> None:
        self._url = url

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Give the URL of a new database, a copy of ``template`` where given, and drop it afterwards."""
        name = f"relay_test_{uuid4().hex}"
        copied = sql.SQL("TEMPLATE {}").format(sql.Identifier(template or "template0"))
        self._run(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), copied))
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Give a server; raises PostgresMissing when there is neither a URL nor the programs of one."""
    url = os.environ.get(URL_VARIABLE)
    if url:
        yield PostgresServer(make_url(url))
        return
    programs = _programs()
    # Each test process makes a cluster of its own, below a short path: a socket's name may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="relay-pg-"))
    try:
        user = _user()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        with _running(programs, folder, user):
            yield PostgresServer(
                URL.create("postgresql+psycopg", username="relay", database="postgres", query={"host": str(folder)})
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Find the folder that holds ``initdb`` and ``postgres``."""
    folders = [Path(found).parent for found in [shutil.which("initdb")] if found]
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(answer.stdout.strip()))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissing(f"PostgreSQL's programs were not found: install postgresql or set {URL_VARIABLE}")


def _user() -> pwd.struct_passwd | None:
    """Choose whom the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing("PostgreSQL does not run as root, and there is no user postgres or nobody")


@contextmanager
def _running(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> Iterator[None]:
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = str(folder / "data")
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "relay", "-E", "UTF8", "--no-locale", "--auth=trust", "--no-sync"],
        cwd=folder,
        check=True,
        capture_output=True,
        **identity,
    )
    options = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "max_connections": "100"}
    arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *arguments], cwd=folder, stdout=log, stderr=log, **identity
        )
    try:
        _wait_until_ready(server, folder)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: it ends all sessions
        try:
            server.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        try:
            psycopg.connect(host=str(folder), user="relay", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}") from None
            time.sleep(0.02)
        else:
            return
