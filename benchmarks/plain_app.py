"""A transaction for every request, which SQLite itself syncs under its lock: what a simple program would do."""

from __future__ import annotations

from typing import Any

import relay.store.engine
import relay.store.sqlite

_prepare = relay.store.sqlite._prepare


def _synced(driver_connection: Any, record: object) -> None:
    _prepare(driver_connection, record)
    driver_connection.execute("PRAGMA synchronous = FULL").close()


relay.store.sqlite._prepare = _synced
relay.store.engine.logged_file = lambda _connection: None

from benchmarks.one_by_one_app import app  # noqa: E402 - which opens the store

__all__ = ["app"]
