"""What all tests share: a clean environment, no network but this machine's own, and the store on both databases."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relay.clock import ManualClock
from relay.store import Store
from relay.store.inbox import inbox_file
from tests.support.postgres import REQUIRE_VARIABLE, URL_VARIABLE, PostgresMissing, PostgresServer, running_server

# These are the tests' own; all other RELAY_* variables would change what the product does.
TEST_VARIABLES = {URL_VARIABLE, REQUIRE_VARIABLE, "RELAY_SHARED_SAMPLES"}

for _name in set(os.environ) - TEST_VARIABLES:
    if _name.startswith("RELAY_"):
        del os.environ[_name]


class NetworkForbidden(Exception):
    """A test tried to leave this machine."""


def _check_address(address: object) -> None:
    if not isinstance(address, tuple):  # a unix socket
        return
    host = str(address[0])
    if host in ("", "localhost"):
        return
    try:
        local = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkForbidden(f"Tests may not connect to {host}.")


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Let no test connect, or look up a name, beyond this machine."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)

        def guarded(self, address, _original=original):
            _check_address(address)
            return _original(self, address)

        patch.setattr(socket.socket, name, guarded)
    look_up = socket.getaddrinfo

    def guarded_look_up(host, *args, **kwargs):
        if host is not None and host not in ("0.0.0.0", "::"):  # what a server listens on
            _check_address((host.decode() if isinstance(host, bytes) else host,))
        return look_up(host, *args, **kwargs)

    patch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield
    patch.undo()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server; skips where there is none, fails where RELAY_REQUIRE_POSTGRES asks for one."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except PostgresMissing as missing:
            if os.environ.get(REQUIRE_VARIABLE):
                pytest.fail(f"{REQUIRE_VARIABLE} is set, but: {missing}")
            pytest.skip(str(missing))
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a migrated database that tests copy."""
    with postgres_server.database() as url:
        _migrate(url, tmp_path_factory.mktemp("template"))
        yield url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database."""
    with postgres_server.database(postgres_template) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy, with the inbox beside it."""
    folder = tmp_path_factory.mktemp("template")
    _migrate(f"sqlite:///{folder / 'relay.db'}", folder)
    return folder / "relay.db"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite file."""
    for file in (sqlite_template, inbox_file(sqlite_template)):
        shutil.copy(file, tmp_path / file.name)
    return f"sqlite:///{tmp_path / 'relay.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database, once on each engine."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    """An open, migrated, empty store, once on each engine."""
    opened = Store.open(database_url, folder=tmp_path)
    yield opened
    opened.close()


def _migrate(url: str, folder: Path) -> None:
    store = Store.open(url, folder=folder)
    store.migrate()
    store.close()
