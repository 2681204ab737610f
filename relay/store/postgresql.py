"""Connections to PostgreSQL: how long they wait, how the loss of one is noticed, and that every commit is synced."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError

IDLE_S = 0.25
"""A connection that rested for longer is tried before it is used: the server may have been restarted meanwhile."""

_QUIET: dict[str, Any] = {
    # A host that vanished says nothing; without these, whoever waits for its answer waits for a quarter of an hour.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

# Commits without a sync would acknowledge what a power cut takes away. Stronger settings than "on" stay as they are.
_SYNCED = (
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local') "
)


def open_engine(address: URL, commit_wait_s: float, **pool: Any) -> Engine:
    """Give an engine for ``address`` whose statements wait at most ``commit_wait_s`` seconds for a lock.

    What the address itself says about keeping connections alive goes before what is said here. ``pool`` has the sizes.
    """
    usual = _QUIET | {"connect_timeout": max(2, round(commit_wait_s))}
    own = {name: value for name, value in usual.items() if name not in address.query}
    # Its errors go into logs, where no value may be.
    engine = create_engine(address, pool_timeout=commit_wait_s, hide_parameters=True, connect_args=own, **pool)

    @event.listens_for(engine, "connect")
    def prepare(driver_connection: Any, record: object) -> None:
        with driver_connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{round(commit_wait_s * 1000)}ms'")
            cursor.execute(_SYNCED)
        driver_connection.commit()

    @event.listens_for(engine, "checkin")
    def note_rest(driver_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def try_rested(driver_connection: Any, record: Any, proxy: object) -> None:
        # Not before every use: a busy connection has just shown that it works, and a trip to the server would cost more
        # than the whole claim on the network of a cloud.
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since < IDLE_S:
            return
        try:
            engine.dialect.do_ping(driver_connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # the others are as old: the pool makes new ones

    return engine
