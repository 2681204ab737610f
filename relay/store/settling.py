"""The two ends of an attempt: an attempt row before the call, and the command's next state after it.

Both are fenced: they touch a command only while it carries the lease token under which the caller claimed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, insert, select, update

from relay.commands import CommandState, Outcome, StoredCommand, Verdict
from relay.store.claiming import is_uncertain, same_event
from relay.store.effects import came_to_nothing, done
from relay.store.tables import attempts, commands

NEXT_STATE = {
    Verdict.DONE: CommandState.DONE,
    Verdict.RETRY: CommandState.WAITING,
    Verdict.DEAD: CommandState.DEAD,
    Verdict.UNCERTAIN: CommandState.UNCERTAIN,
    Verdict.RELEASED: CommandState.WAITING,
}


def begin(
    connection: Connection, claimed: Sequence[StoredCommand], now: datetime, lease_s: float | None = None
) -> list[StoredCommand]:
    """Write an attempt for each command whose lease holds and has not run out; gives those, leased anew."""
    held = _held(connection, claimed)
    beginning = [command for command in claimed if command.id in held and held[command.id].due_at > now]
    if not beginning:
        return []
    ids = [command.id for command in beginning]
    numbers = {
        row.command_id: row.number
        for row in connection.execute(
            select(attempts.c.command_id, func.max(attempts.c.number).label("number"))
            .where(attempts.c.command_id.in_(ids))
            .group_by(attempts.c.command_id)
        )
    }
    connection.execute(
        insert(attempts),
        [{"command_id": id_, "number": numbers.get(id_, 0) + 1, "started_at": now} for id_ in ids],
    )
    counted: dict[str, Any] = {"attempts": commands.c.attempts + 1}
    leased = {} if lease_s is None else {"due_at": now + timedelta(seconds=lease_s)}
    connection.execute(update(commands).where(commands.c.id.in_(ids)).values(counted | leased))
    return beginning


def settle(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> int:
    """Write the outcomes whose lease still holds; gives how many those are."""
    held = _held(connection, [outcome.command for outcome in outcomes])
    settled = [(held[outcome.command.id], outcome) for outcome in outcomes if outcome.command.id in held]
    if not settled:
        return 0
    connection.execute(_END_ATTEMPT, [_attempt_end(outcome, now) for _, outcome in settled])
    connection.execute(_SETTLE_COMMAND, [_next(row, outcome, now) for row, outcome in settled])
    for row, outcome in settled:
        if outcome.verdict is Verdict.DONE:
            done(connection, row, outcome)
        elif outcome.verdict is Verdict.DEAD:
            came_to_nothing(connection, row)
        if outcome.ends_doubt:
            _end_doubt(connection, row, now)
    return len(settled)


def _end_doubt(connection: Connection, row: Row[Any], now: datetime) -> None:
    """Close the uncertain commands about an event: this later one takes it from there."""
    doubtful = and_(same_event(commands.c, row), is_uncertain(commands.c), commands.c.id < row.id)
    connection.execute(update(commands).where(doubtful).values(state=CommandState.SUPERSEDED, settled_at=now))


_END_ATTEMPT = (
    update(attempts)
    .where(attempts.c.command_id == bindparam("this_id"), attempts.c.finished_at.is_(None))
    .values({name: bindparam(f"new_{name}") for name in ("finished_at", "duration_ms", "status", "verdict", "message")})
)

_SETTLED_COLUMNS = (
    "state",
    "due_at",
    "lease_token",
    "attempts",
    "answer_lost",
    "last_error",
    "contact_id",
    "event_id",
    "warnings",
    "settled_at",
)

_SETTLE_COMMAND = (
    update(commands)
    .where(commands.c.id == bindparam("this_id"))
    .values({name: bindparam(f"new_{name}") for name in _SETTLED_COLUMNS})
)


def _held(connection: Connection, claimed: Iterable[StoredCommand]) -> dict[int, Row[Any]]:
    """Lock the commands still leased under these tokens; each row tells whether an attempt has ``begun``."""
    tokens = {command.id: command.lease_token for command in claimed}
    begun = exists().where(attempts.c.command_id == commands.c.id, attempts.c.finished_at.is_(None))
    rows = connection.execute(
        select(commands, begun.label("begun"))
        .where(commands.c.id.in_(tokens), commands.c.state == CommandState.CLAIMED)
        .order_by(commands.c.id)
        .with_for_update(of=commands)
    )
    return {row.id: row for row in rows if row.lease_token == tokens[row.id]}


def _attempt_end(outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "this_id": outcome.command.id,
        "new_finished_at": now,
        "new_duration_ms": outcome.duration_ms,
        "new_status": outcome.status,
        "new_verdict": outcome.verdict,
        "new_message": outcome.message,
    }


def _next(row: Row[Any], outcome: Outcome, now: datetime) -> dict[str, Any]:
    verdict = outcome.verdict
    released = verdict is Verdict.RELEASED
    state = NEXT_STATE[verdict]
    last_error = None if verdict is Verdict.DONE else outcome.message or row.last_error
    return {
        "this_id": row.id,
        "new_state": state,
        "new_due_at": outcome.due_at or now,
        "new_lease_token": None,
        "new_attempts": row.attempts - 1 if released and row.begun else row.attempts,
        "new_answer_lost": row.answer_lost if released else outcome.answer_lost,
        "new_last_error": last_error,
        "new_contact_id": outcome.contact_id or row.contact_id,
        "new_event_id": outcome.event_id or row.event_id,
        "new_warnings": [*row.warnings, *outcome.problems],
        "new_settled_at": None if state is CommandState.WAITING else now,
    }
