"""Work whose due moment no longer means anything: a dead worker's, and all that waits when the clock was put back.

Only rows that are not due yet are touched, queue by queue, so the indexes of due rows find them, however many others
are open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, delete, exists, select, update

from relay.commands import CommandKind, CommandState
from relay.store.claiming import LOST_MESSAGE
from relay.store.columns import state_in
from relay.store.leases import held_by
from relay.store.tables import (
    OPEN_COMMANDS,
    OPEN_DELIVERIES,
    attempts,
    commands,
    deliveries,
    events,
    lanes,
    paces,
    workers,
)
from relay.store.turns import loose_scan

SLICE = 2000
"""Rows of a queue that one transaction hurries: nobody must wait long for it."""


@dataclass(frozen=True, slots=True)
class Released:
    """How much of a worker's work is due again, and how many added events wait until its lease ends."""

    deliveries: int
    commands: int
    under_way: int


def release(connection: Connection, worker: str, seen_at: datetime, now: datetime) -> Released | None:
    """Make a dead worker's work due at once; None when it has beaten since ``seen_at``, or another was faster.

    An added event whose call was begun waits as long as its lease would have: SALESmanago may be busy with the call, or
    the worker is only paused. What else was begun may be repeated. A worker that lives on learns from its tokens that
    it is too late.
    """
    gone = delete(workers).where(workers.c.worker == worker, workers.c.seen_at == seen_at)
    if connection.execute(gone).rowcount == 0:
        return None
    pattern = held_by(worker)
    released, may_repeat, under_way = 0, 0, 0
    held = select(deliveries.c.id).where(deliveries.c.lease_token.like(pattern, escape="!"))
    for queue in _delivery_queues(connection, now):
        mine = _lock(connection, deliveries, held.where(queue))
        _make_due(connection, deliveries, mine, now)
        released += len(mine)
    for queue in _command_queues(connection, now):
        rows = _lock(connection, commands, _held_commands(pattern).where(queue))
        free = [row for row in rows if not row.is_adding]
        _put_back(connection, free, now, {"due_at": now})
        _put_back(connection, [row for row in rows if row.is_adding], now, {})
        may_repeat += len(free)
        under_way += len(rows) - len(free)
    return Released(released, may_repeat, under_way)


def hurry_waiting(connection: Connection, now: datetime) -> bool:
    """Make what waits due at once, a slice of each queue; tells whether there may be more.

    For a clock that was put back: what waits was put off by a clock that told a later time, by how much nobody knows.
    A retry then comes early, and what is held is looked at and held again. Claimed work is left to whoever holds it.
    """
    more = False
    for queue in _delivery_queues(connection, now):
        free = select(deliveries.c.id).where(queue, deliveries.c.lease_token.is_(None))
        more |= _hurry(connection, deliveries, free, now)
    for queue in _command_queues(connection, now):
        waiting = select(commands.c.id).where(queue, commands.c.state == CommandState.WAITING)
        more |= _hurry(connection, commands, waiting, now)
    return more


def end_waiting_turns(connection: Connection, now: datetime) -> None:
    """Let groups and lanes go on that wait for a moment told by a clock that was put back."""
    connection.execute(update(paces).where(paces.c.next_at > now).values(next_at=now))
    over = {"paused_at": None, "paused_until": None, "reason": None}
    # A pause without an end is an operator's; one that began before ``now`` was told by a clock that still holds.
    connection.execute(update(lanes).where(lanes.c.paused_at > now, lanes.c.paused_until.is_not(None)).values(over))


def _delivery_queues(connection: Connection, now: datetime) -> Iterator[ColumnElement[bool]]:
    """Give what is true of the open deliveries that are not due yet, queue by queue."""
    still_open = state_in(deliveries.c.state, OPEN_DELIVERIES)
    shops = connection.scalars(loose_scan(deliveries.c.shop, still_open)).all()
    for mine in (*(deliveries.c.shop == shop for shop in shops), deliveries.c.shop.is_(None)):
        yield and_(mine, still_open, deliveries.c.due_at > now)


def _command_queues(connection: Connection, now: datetime) -> Iterator[ColumnElement[bool]]:
    """Give what is true of the open commands that are not due yet, queue by queue."""
    still_open = state_in(commands.c.state, OPEN_COMMANDS)
    for lane in connection.execute(select(lanes.c.group_key, lanes.c.lane)).all():
        here = and_(commands.c.group_key == lane.group_key, commands.c.lane == lane.lane, still_open)
        for shop in connection.scalars(loose_scan(commands.c.shop, here)).all():
            yield and_(here, commands.c.shop == shop, commands.c.due_at > now)


def _held_commands(pattern: str) -> Select[Any]:
    """Select the commands claimed under such tokens, and whether a call that adds an event may be under way."""
    begun = exists().where(attempts.c.command_id == commands.c.id, attempts.c.finished_at.is_(None))
    known = exists().where(
        events.c.shop == commands.c.event_shop,
        events.c.kind == commands.c.event_kind,
        events.c.resource_id == commands.c.event_resource_id,
        events.c.slot == commands.c.event_slot,
        events.c.event_id.is_not(None),
    )
    # One whose answer was lost before is only looked for, and one with an id is changed: both may be repeated.
    adds = and_(
        commands.c.kind == CommandKind.EVENT_PUT, commands.c.event_id.is_(None), ~commands.c.answer_lost, ~known
    )
    return select(commands.c.id, begun.label("begun"), and_(begun, adds).label("is_adding")).where(
        commands.c.state == CommandState.CLAIMED, commands.c.lease_token.like(pattern, escape="!")
    )


def _lock(connection: Connection, table: Table, chosen: Select[Any]) -> Sequence[Row[Any]]:
    """Lock rows, in the order of their index; what somebody else has locked is being settled just now."""
    return connection.execute(chosen.order_by(table.c.due_at).with_for_update(skip_locked=True, of=table)).all()


def _make_due(connection: Connection, table: Table, rows: Sequence[Row[Any]], now: datetime) -> None:
    if rows:
        connection.execute(update(table).where(table.c.id.in_([row.id for row in rows])).values(due_at=now))


def _hurry(connection: Connection, table: Table, chosen: Select[Any], now: datetime) -> bool:
    rows = _lock(connection, table, chosen.limit(SLICE))
    _make_due(connection, table, rows, now)
    return len(rows) == SLICE


def _put_back(connection: Connection, rows: Sequence[Row[Any]], now: datetime, due: dict[str, datetime]) -> None:
    """Let commands wait to be claimed again, once they are due; of those that were begun, the answer counts as lost."""
    if not rows:
        return
    begun = [row.id for row in rows if row.begun]
    lost = and_(attempts.c.command_id.in_(begun), attempts.c.finished_at.is_(None))
    connection.execute(update(attempts).where(lost).values(finished_at=now, message=LOST_MESSAGE))
    for ids, answer in ((begun, {"answer_lost": True}), ([row.id for row in rows if not row.begun], {})):
        free = {"state": CommandState.WAITING, "lease_token": None}
        connection.execute(update(commands).where(commands.c.id.in_(ids)).values(free | due | answer))
