from __future__ import annotations

import pytest

from relay.store import Store
from tests.support.sandbox import running_sandbox
from tests.support.working import FakeClient, Shift, a_group, real_client


@pytest.fixture
def sqlite(sqlite_url, tmp_path):
    """An open store on SQLite, where the engine does not matter."""
    store = Store.open(sqlite_url, folder=tmp_path)
    yield store
    store.close()


@pytest.fixture
def shift(sqlite, clock):
    """Work with a client that answers as it is told, on SQLite."""
    return Shift(sqlite, clock, FakeClient(clock))


@pytest.fixture
def both(store, clock):
    """Work with a client that answers as it is told, once on each engine."""
    return Shift(store, clock, FakeClient(clock))


@pytest.fixture
def sandbox():
    """A simulator that listens."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def real(store, clock, sandbox):
    """Work with the real client and the simulator, once on each engine."""
    client = real_client(clock)
    yield Shift(store, clock, client, groups=[a_group(sandbox.url)])
    client.close()
