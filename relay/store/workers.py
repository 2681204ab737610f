"""Which workers are alive: readiness tells whether anybody works the queues, workers take over from one another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, insert, select

from relay.store.engine import Database, insert_into
from relay.store.tables import workers
from relay.store.takeover import Released, end_waiting_turns, hurry_waiting, release

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class WorkerStore:
    """The workers' signs of life, and what becomes of the work of those that give none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, worker: str, now: datetime) -> dict[str, datetime]:
        """Note that the worker is alive; gives the last beat of each other worker, in the time of that one's clock."""
        with self._database.writing(synced=False) as connection:
            statement = insert_into(connection, workers).values(worker=worker, seen_at=now)
            connection.execute(statement.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": now}))
            others = connection.execute(select(workers).where(workers.c.worker != worker))
            return {row.worker: row.seen_at for row in others}

    def heard_of(self, now: datetime, within_s: float) -> list[str]:
        """Give the names of the workers heard of within the last ``within_s`` seconds."""
        span = timedelta(seconds=within_s)
        # A clock that was put back must not keep a worker alive whose last beat now lies in the future.
        recent = workers.c.seen_at.between(now - span, now + span)
        with self._database.reading() as connection:
            return list(connection.scalars(select(workers.c.worker).where(recent)))

    def leave(self, worker: str) -> None:
        """Note that the worker has stopped."""
        with self._database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.worker == worker))

    def take_over(self, worker: str, seen_at: datetime, now: datetime) -> Released | None:
        """Make the work of a worker whose last beat was ``seen_at`` due at once, and forget the worker.

        None, and nothing changes, when it has beaten since, or when another worker was faster. An added event whose
        call was begun waits for the end of its lease, and is then looked for before it is sent.
        """
        with self._database.writing() as connection:
            return release(connection, worker, seen_at, now)

    def catch_up(self, now: datetime) -> None:
        """Make due what waits for a moment of a clock that was put back since, however much that is.

        Pauses that began after ``now`` and turns granted for later end as well. Claimed work is left to its worker.
        """
        with self._database.writing() as connection:
            end_waiting_turns(connection, now)
        more = True
        while more:
            with self._database.writing() as connection:
                more = hurry_waiting(connection, now)


def check_writing(database: Database) -> None:
    """Write a row and take it back within one committed transaction; raises StoreUnavailable when that fails."""
    passer_by = uuid4().hex
    with database.writing() as connection:
        connection.execute(insert(workers).values(worker=passer_by, seen_at=LONG_AGO))
        connection.execute(delete(workers).where(workers.c.worker == passer_by))
