"""The first answers to REST requests that carried an Idempotency-Key, so that a repeat gets the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from relay.errors import RequestConflict, RequestInvalid
from relay.store.engine import Database, insert_into
from relay.store.tables import answers

KEPT = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(seconds=60)  # no request is worked on for longer: its process must have died

HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the body that went with it."""

    status: int
    body: bytes


class AnswerStore:
    """The answers of the last 24 hours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: str, body_digest: str, now: datetime) -> Answer | None:
        """Give the answer of the first request under ``key``, or None when this is the first; then call ``finish``.

        Raises: RequestInvalid when the first request had another body, RequestConflict while it is worked on.
        """
        with self._database.writing() as connection:
            connection.execute(delete(answers).where(answers.c.started_at < now - KEPT))
            if _is_first(connection, key, body_digest, now):
                return None
            row = connection.execute(select(answers).where(answers.c.key == key).with_for_update()).one()
            if row.status is None and row.started_at < now - GIVEN_UP_AFTER:
                again = update(answers).where(answers.c.key == key)
                connection.execute(again.values(body_digest=body_digest, started_at=now))
                return None
        if row.body_digest != body_digest:
            raise RequestInvalid({HEADER: ["was used before with another body; use a new one for a new request"]})
        if row.status is None:
            raise RequestConflict
        return Answer(row.status, row.body)

    def finish(self, key: str, status: int, body: bytes, now: datetime) -> None:
        """Keep the answer to the request that ``begin`` let through, for 24 hours from ``now``."""
        with self._database.writing() as connection:
            connection.execute(
                update(answers).where(answers.c.key == key).values(status=status, body=body, started_at=now)
            )


def _is_first(connection: Connection, key: str, body_digest: str, now: datetime) -> bool:
    statement = insert_into(connection, answers).values(key=key, body_digest=body_digest, started_at=now)
    inserted = connection.scalar(statement.on_conflict_do_nothing().returning(answers.c.key))
    return inserted is not None
