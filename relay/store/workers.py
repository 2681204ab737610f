"""Which workers are alive, so that readiness can tell whether anybody works the queues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, func, insert, select

from relay.store.engine import Database, insert_into
from relay.store.tables import workers

FORGET_AFTER = timedelta(days=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class WorkerStore:
    """The workers' signs of life."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, worker: str, now: datetime) -> None:
        """Note that the worker is alive, and forget those not heard of for a day."""
        with self._database.writing() as connection:
            statement = insert_into(connection, workers).values(worker=worker, seen_at=now)
            connection.execute(statement.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": now}))
            connection.execute(delete(workers).where(workers.c.seen_at < now - FORGET_AFTER))

    def alive(self, now: datetime, within_s: float) -> int:
        """Count the workers heard of within the last ``within_s`` seconds."""
        recent = workers.c.seen_at >= now - timedelta(seconds=within_s)
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(workers).where(recent)) or 0

    def leave(self, worker: str) -> None:
        """Note that the worker has stopped."""
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.worker == worker))


def check_writing(database: Database) -> None:
    """Write a row and take it back within one committed transaction; raises StoreUnavailable when that fails."""
    passer_by = uuid4().hex
    with database.writing() as connection:
        connection.execute(insert(workers).values(worker=passer_by, seen_at=LONG_AGO))
        connection.execute(delete(workers).where(workers.c.worker == passer_by))
