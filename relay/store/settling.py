"""What became of a call is written: the end of its attempts, and the next state of its commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    select,
    update,
)

from relay.commands import CommandState, Outcome, StoredCommand, Verdict
from relay.store.bulk import Bulk
from relay.store.effects import came_to_nothing, done
from relay.store.loading import is_uncertain, same_event
from relay.store.tables import attempts, commands

NEXT_STATE = {
    Verdict.DONE: CommandState.DONE,
    Verdict.RETRY: CommandState.WAITING,
    Verdict.DEAD: CommandState.DEAD,
    Verdict.UNCERTAIN: CommandState.UNCERTAIN,
    Verdict.RELEASED: CommandState.WAITING,
    Verdict.SUPERSEDED: CommandState.SUPERSEDED,
}


def settle(connection: Connection, ended: Sequence[tuple[Outcome, datetime]]) -> set[int]:
    """Write outcomes, each with the moment it was known, as far as their lease still holds; gives those commands."""
    held = _held(connection, [outcome.command for outcome, _ in ended])
    settled = [(held[outcome.command.id], outcome, now) for outcome, now in ended if outcome.command.id in held]
    settled.sort(key=lambda each: each[1].command.id)
    if settled:
        _END_ATTEMPT.run(connection, [_attempt_end(outcome, now) for _, outcome, now in settled])
        _write_states(connection, settled)
        done(connection, [(row, outcome) for row, outcome, _ in settled if outcome.verdict is Verdict.DONE])
    for row, outcome, now in settled:
        if outcome.verdict is Verdict.DEAD:
            came_to_nothing(connection, connection.execute(_WHOLE, {"this_id": row.id}).one())
        if outcome.ends_doubt:
            _end_doubt(connection, row, now)
    return set(held)


def _write_states(connection: Connection, settled: Sequence[tuple[Row[Any], Outcome, datetime]]) -> None:
    """Write the next states of commands: of as good as all that they are done, in a statement that says no more."""
    plain = [_done(outcome, now) for _, outcome, now in settled if _is_plain(outcome)]
    _DONE_COMMAND.run(connection, plain)
    others = [_next(row, outcome, now) for row, outcome, now in settled if not _is_plain(outcome)]
    _SETTLE_COMMAND.run(connection, others)


def _is_plain(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.DONE and not outcome.problems


def _end_doubt(connection: Connection, row: Row[Any], now: datetime) -> None:
    """Close the uncertain commands about an event: this later one takes it from there."""
    doubtful = and_(same_event(commands.c, row), is_uncertain(commands.c), commands.c.id < row.id)
    connection.execute(update(commands).where(doubtful).values(state=CommandState.SUPERSEDED, settled_at=now))


_END_ATTEMPT = Bulk(
    update(attempts)
    .where(attempts.c.command_id == bindparam("this_id"), attempts.c.finished_at.is_(None))
    .values({name: bindparam(f"new_{name}") for name in ("finished_at", "duration_ms", "status", "verdict", "message")})
)

_DONE_COMMAND = Bulk(
    update(commands)
    .where(commands.c.id == bindparam("this_id"))
    .values(
        state=CommandState.DONE,
        due_at=bindparam("new_now"),
        lease_token=None,
        answer_lost=false(),
        last_error=None,
        contact_id=func.coalesce(bindparam("new_contact_id", type_=Text), commands.c.contact_id),
        event_id=func.coalesce(bindparam("new_event_id", type_=Text), commands.c.event_id),
        settled_at=bindparam("new_now"),
    )
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

_SETTLE_COMMAND = Bulk(
    update(commands)
    .where(commands.c.id == bindparam("this_id"))
    .values({name: bindparam(f"new_{name}") for name in _SETTLED_COLUMNS})
)


def _held(connection: Connection, claimed: Iterable[StoredCommand]) -> dict[int, Any]:
    """Lock the commands still leased under these tokens; each row tells whether an attempt has ``begun``."""
    tokens = {command.id: command.lease_token for command in claimed}
    rows = connection.execute(_HELD, {"ids": sorted(tokens)})
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


def _done(outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Give the parameters that write what ``_next`` gives for a command that is done and has no new warnings."""
    return {
        "this_id": outcome.command.id,
        "new_now": now,
        "new_contact_id": outcome.contact_id,
        "new_event_id": outcome.event_id,
    }


def _next(row: Row[Any], outcome: Outcome, now: datetime) -> dict[str, Any]:
    verdict = outcome.verdict
    released = verdict is Verdict.RELEASED
    state = NEXT_STATE[verdict]
    is_over = verdict in (Verdict.DONE, Verdict.SUPERSEDED)
    last_error = None if is_over else outcome.message or row.last_error
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


_AMONG: BindParameter[Any] = bindparam("ids", expanding=True)
_BEGUN = exists().where(attempts.c.command_id == commands.c.id, attempts.c.finished_at.is_(None))
# What the outcomes and their effects need: each column costs something for each command.
_COLUMNS = (
    *("id", "group_key", "kind", "contact", "event_shop", "event_kind", "event_resource_id", "event_slot"),
    *("lease_token", "attempts", "answer_lost", "last_error", "contact_id", "event_id", "warnings"),
)
_WHOLE = select(commands).where(commands.c.id == bindparam("this_id"))
_HELD = (
    select(*(commands.c[name] for name in _COLUMNS), _BEGUN.label("begun"))
    .where(commands.c.id.in_(_AMONG), commands.c.state == CommandState.CLAIMED)
    .order_by(commands.c.id)
    .with_for_update(of=commands)
)
