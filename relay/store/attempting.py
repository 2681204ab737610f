"""The two ends of an attempt: an attempt row before the call, and the command's next state after it.

Both are fenced: they touch a command only while it carries the lease token under which the caller claimed it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, select, update

from relay.commands import CommandState, Outcome, StoredCommand
from relay.store.columns import Moment
from relay.store.settling import settle
from relay.store.tables import attempts, commands


@dataclass(frozen=True, slots=True)
class Step:
    """How the attempts of one call ended, and the commands of another that is about to be made; either may be nothing.

    With ``lease_s`` those that begin are leased anew.
    """

    now: datetime
    outcomes: Sequence[Outcome] = ()
    claimed: Sequence[StoredCommand] = ()
    lease_s: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What was written of a step: the commands that may be sent, and how many were settled."""

    begun: list[StoredCommand]
    settled: int


def write_attempts(connection: Connection, steps: Sequence[Step]) -> list[Progress]:
    """Write the ends of attempts and then the beginnings of others; gives what was written, step by step."""
    ended = [(outcome, step.now) for step in steps for outcome in step.outcomes]
    held = settle(connection, ended) if ended else set()
    settled = [sum(outcome.command.id in held for outcome in step.outcomes) for step in steps]
    begun = _begin(connection, steps)
    return [Progress(*each) for each in zip(begun, settled, strict=True)]


def _begin(connection: Connection, steps: Sequence[Step]) -> list[list[StoredCommand]]:
    """Write an attempt for each command whose lease holds and has not run out; gives those, step by step."""
    by_token: defaultdict[str, list[int]] = defaultdict(list)  # what was claimed together has one
    for step in steps:
        for each in step.claimed:
            by_token[each.lease_token].append(each.id)
    if not by_token:
        return [[] for _ in steps]
    now = max(step.now for step in steps if step.claimed)
    leases = [step.now + timedelta(seconds=step.lease_s) for step in steps if step.claimed and step.lease_s is not None]
    leased = {"now": now, "until": max(leases, default=None)}
    begun: set[tuple[int, str]] = set()
    for token, ids in by_token.items():
        counted = connection.scalars(_COUNT_ATTEMPTS, leased | {"ids": ids, "token": token})
        begun.update((each, token) for each in counted)
    if begun:
        connection.execute(_INSERT_ATTEMPTS, {"ids": sorted(each for each, _ in begun), "now": now})
    return [[each for each in step.claimed if (each.id, each.lease_token) in begun] for step in steps]


_AMONG = commands.c.id.in_(bindparam("ids", expanding=True))
_NOW = bindparam("now", type_=Moment)
_COUNT_ATTEMPTS = (
    update(commands)
    .where(
        _AMONG,
        commands.c.lease_token == bindparam("token"),
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
    select(commands.c.id, func.coalesce(_EARLIER, 0) + 1, _NOW).where(_AMONG),
)
