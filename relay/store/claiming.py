"""Which commands may be sent now: the due head of each subject, groups taking turns.

A head is a command with no earlier open command of its subject and no other claimed one. Two workers on PostgreSQL can
see the same moment differently, since neither sees what the other has not committed; so heads are locked first
and then judged a second time, by a statement that sees everything committed until then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select, true, update

from relay.commands import CommandKind, CommandState, StoredCommand
from relay.store.columns import state_in
from relay.store.lanes import LaneKey, sendable_lanes
from relay.store.tables import COMMANDS_FOR_SOMEBODY, OPEN_COMMANDS, attempts, commands, contacts, events

LOST_MESSAGE = "The worker stopped before an answer came."


def claim_heads(
    connection: Connection, now: datetime, lease_s: float, limit: int, turn: int, skip: Collection[LaneKey] = ()
) -> list[StoredCommand]:
    """Lease up to ``limit`` heads to the caller, oldest first; ``turn`` moves the lane that is asked first."""
    lanes = [lane for lane in sendable_lanes(connection, now) if lane not in skip]
    start = turn % len(lanes) if lanes else 0
    taken_over = _lock_heads(connection, lanes[start:] + lanes[:start], now, limit)
    token = uuid4().hex
    leased = {"state": CommandState.CLAIMED, "lease_token": token, "due_at": now + timedelta(seconds=lease_s)}
    claimed = connection.scalars(
        update(commands).where(commands.c.id.in_(taken_over), is_head(now)).values(leased).returning(commands.c.id)
    ).all()
    _note_lost_answers(connection, [id_ for id_ in claimed if taken_over[id_]], now)
    return _load(connection, claimed)


def is_head(now: datetime) -> ColumnElement[bool]:
    """Tell whether a command is due and nothing of its subject goes before it."""
    other = commands.alias("other")
    in_the_way = exists().where(
        other.c.group_key == commands.c.group_key,
        other.c.subject == commands.c.subject,
        state_in(other.c.state, OPEN_COMMANDS),
        or_(
            other.c.id < commands.c.id,
            # An earlier command that was requeued must not join one that is being sent.
            and_(other.c.id != commands.c.id, other.c.state == CommandState.CLAIMED),
        ),
    )
    return and_(state_in(commands.c.state, OPEN_COMMANDS), commands.c.due_at <= now, ~in_the_way)


def _lock_heads(connection: Connection, lanes: Sequence[LaneKey], now: datetime, limit: int) -> dict[int, bool]:
    """Lock heads lane by lane, each lane within its share; tells for each whether an expired lease is taken over."""
    locked: dict[int, bool] = {}
    for index, lane in enumerate(lanes):
        share = -(-(limit - len(locked)) // (len(lanes) - index))
        if share:
            rows = connection.execute(heads(lane, now, share)).all()
            locked.update({row.id: row.state == CommandState.CLAIMED for row in rows})
    return locked


def heads(lane: LaneKey, now: datetime, limit: int) -> Select[Any]:
    """The statement that locks up to ``limit`` heads of one lane, leaving out what another worker has locked."""
    return (
        select(commands.c.id, commands.c.state)
        .where(commands.c.group_key == lane.group, commands.c.lane == lane.lane, is_head(now))
        .order_by(commands.c.due_at, commands.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=commands)
    )


def _note_lost_answers(connection: Connection, taken_over: Sequence[int], now: datetime) -> None:
    """Mark the commands whose former worker began an attempt and was not heard of again."""
    if not taken_over:
        return
    lost = connection.scalars(
        update(attempts)
        .where(attempts.c.command_id.in_(taken_over), attempts.c.finished_at.is_(None))
        .values(finished_at=now, message=LOST_MESSAGE)
        .returning(attempts.c.command_id)
    ).all()
    connection.execute(update(commands).where(commands.c.id.in_(lost)).values(answer_lost=true()))


def _load(connection: Connection, ids: Sequence[int]) -> list[StoredCommand]:
    earlier = commands.alias("earlier")
    doubted = exists().where(same_event(earlier.c, commands.c), is_uncertain(earlier.c), earlier.c.id < commands.c.id)
    rows = connection.execute(
        select(
            commands,
            contacts.c.email,
            contacts.c.contact_id.label("known_contact_id"),
            # Of an event that was looked for, only the command that did so knows the id.
            func.coalesce(events.c.event_id, commands.c.event_id).label("known_event_id"),
            doubted.label("doubted"),
        )
        .select_from(commands)
        .outerjoin(contacts, contacts.c.id == commands.c.contact)
        .outerjoin(
            events,
            and_(
                events.c.shop == commands.c.event_shop,
                events.c.kind == commands.c.event_kind,
                events.c.resource_id == commands.c.event_resource_id,
                events.c.slot == commands.c.event_slot,
            ),
        )
        .where(commands.c.id.in_(ids))
        .order_by(commands.c.id)
    )
    return [_stored(row) for row in rows]


def is_uncertain(columns: Any) -> ColumnElement[bool]:
    """Tell whether a command is uncertain, in the words of the partial index of those that wait for somebody."""
    return and_(state_in(columns.state, COMMANDS_FOR_SOMEBODY), columns.state == CommandState.UNCERTAIN)


def same_event(one: Any, other: Any) -> ColumnElement[bool]:
    """Tell whether two commands are about one event of one group."""
    names = ("group_key", "event_shop", "event_kind", "event_resource_id", "event_slot")
    return and_(*(getattr(one, name) == getattr(other, name) for name in names))


def _stored(row: Row[Any]) -> StoredCommand:
    return StoredCommand(
        id=row.id,
        delivery_id=row.delivery_id,
        group=row.group_key,
        kind=CommandKind(row.kind),
        subject=row.subject,
        payload=row.payload,
        created_at=row.created_at,
        attempts=row.attempts,
        lease_token=row.lease_token,
        email=row.email,
        contact_id=row.known_contact_id,
        event_id=row.known_event_id,
        location=row.location,
        answer_lost=row.answer_lost,
        doubted=row.doubted and row.known_event_id is None,
    )
