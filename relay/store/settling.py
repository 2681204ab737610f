"""The two ends of an attempt: an attempt row before the call, and the command's next state after it.

Both are fenced: they touch a command only while it carries the lease token under which the caller claimed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, exists, func, insert, select, tuple_, update

from relay.commands import CommandState, Outcome, StoredCommand, Verdict
from relay.store.claiming import is_uncertain, same_event
from relay.store.columns import Moment
from relay.store.effects import came_to_nothing, done
from relay.store.tables import attempts, commands

NEXT_STATE = {
    Verdict.DONE: CommandState.DONE,
    Verdict.RETRY: CommandState.WAITING,
    Verdict.DEAD: CommandState.DEAD,
    Verdict.UNCERTAIN: CommandState.UNCERTAIN,
    Verdict.RELEASED: CommandState.WAITING,
    Verdict.SUPERSEDED: CommandState.SUPERSEDED,
}


@dataclass(frozen=True, slots=True)
class Beginning:
    """Commands of one call that is about to be made; with ``lease_s`` they are leased anew."""

    claimed: Sequence[StoredCommand]
    now: datetime
    lease_s: float | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """How the attempts of one call ended."""

    outcomes: Sequence[Outcome]
    now: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a call that begins or ended: the commands that may be sent, and how many were settled."""

    begun: list[StoredCommand] = field(default_factory=list)
    settled: int = 0


def write_attempts(connection: Connection, calls: Sequence[Beginning | Settling]) -> list[Written]:
    """Write the ends of attempts and then the beginnings of others; gives what was written, call by call."""
    endings = [call for call in calls if isinstance(call, Settling)]
    beginnings = [call for call in calls if isinstance(call, Beginning)]
    settled = iter(_settle(connection, endings) if endings else ())
    begun = iter(_begin(connection, beginnings) if beginnings else ())
    return [
        Written(settled=next(settled)) if isinstance(call, Settling) else Written(begun=next(begun)) for call in calls
    ]


def _begin(connection: Connection, calls: Sequence[Beginning]) -> list[list[StoredCommand]]:
    """Write an attempt for each command whose lease holds and has not run out; gives those, call by call."""
    leases = [call.now + timedelta(seconds=call.lease_s) for call in calls if call.lease_s is not None]
    now = max(call.now for call in calls)
    counted = connection.scalars(
        _COUNT_ATTEMPTS,
        {
            "ids": [each.id for call in calls for each in call.claimed],
            "pairs": [(each.id, each.lease_token) for call in calls for each in call.claimed],
            "now": now,
            "until": max(leases, default=None),
        },
    )
    begun = set(counted)
    if begun:
        connection.execute(_INSERT_ATTEMPTS, {"ids": sorted(begun), "now": now})
    return [[each for each in call.claimed if each.id in begun] for call in calls]


def _settle(connection: Connection, calls: Sequence[Settling]) -> list[int]:
    """Write the outcomes whose lease still holds; gives how many those are, call by call."""
    held = _held(connection, [outcome.command for call in calls for outcome in call.outcomes])
    settled = [
        (held[outcome.command.id], outcome, call.now)
        for call in calls
        for outcome in call.outcomes
        if outcome.command.id in held
    ]
    if settled:
        settled.sort(key=lambda each: each[1].command.id)
        connection.execute(_END_ATTEMPT, [_attempt_end(outcome, now) for _, outcome, now in settled])
        connection.execute(_SETTLE_COMMAND, [_next(row, outcome, now) for row, outcome, now in settled])
        done(connection, [(row, outcome) for row, outcome, _ in settled if outcome.verdict is Verdict.DONE])
    for row, outcome, now in settled:
        if outcome.verdict is Verdict.DEAD:
            came_to_nothing(connection, connection.execute(_WHOLE, {"this_id": row.id}).one())
        if outcome.ends_doubt:
            _end_doubt(connection, row, now)
    return [sum(outcome.command.id in held for outcome in call.outcomes) for call in calls]


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
# Without the payload, which is the largest part and seldom needed.
_COLUMNS = [column for column in commands.c if column.name != "payload"]
_WHOLE = select(commands).where(commands.c.id == bindparam("this_id"))
_HELD = (
    select(*_COLUMNS, _BEGUN.label("begun"))
    .where(commands.c.id.in_(_AMONG), commands.c.state == CommandState.CLAIMED)
    .order_by(commands.c.id)
    .with_for_update(of=commands)
)
_NOW = bindparam("now", type_=Moment)
_COUNT_ATTEMPTS = (
    update(commands)
    .where(
        commands.c.id.in_(_AMONG),  # SQLite finds no row by the pairs without reading them all
        tuple_(commands.c.id, commands.c.lease_token).in_(bindparam("pairs", expanding=True)),
        commands.c.state == CommandState.CLAIMED,
        commands.c.due_at > _NOW,
    )
    .values(
        attempts=commands.c.attempts + 1,
        due_at=func.coalesce(bindparam("until", type_=Moment), commands.c.due_at),
    )
    .returning(commands.c.id)
)
_EARLIER = select(func.max(attempts.c.number)).where(attempts.c.command_id == commands.c.id).scalar_subquery()
_INSERT_ATTEMPTS = insert(attempts).from_select(
    ["command_id", "number", "started_at"],
    select(commands.c.id, func.coalesce(_EARLIER, 0) + 1, _NOW).where(commands.c.id.in_(_AMONG)),
)
