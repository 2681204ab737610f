"""Lanes of groups, which can be paused, and the pace of each group, shared by all processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, or_, select, update

from relay.commands import Lane
from relay.store.bulk import Bulk
from relay.store.columns import Moment
from relay.store.engine import INSERTS, Database, insert_into
from relay.store.tables import lanes, paces


@dataclass(frozen=True, slots=True)
class LaneKey:
    """One lane of one group."""

    group: str
    lane: Lane


@dataclass(frozen=True, slots=True)
class LaneView:
    """A paused lane. ``until`` is None when it stays paused until somebody resumes it."""

    group: str
    lane: Lane
    paused_at: datetime
    until: datetime | None
    reason: str | None


class LaneStore:
    """Pauses and paces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pause(self, group: str, lane: Lane, until: datetime | None, reason: str, now: datetime) -> None:
        """Stop claiming the lane's commands until ``until``, or, when that is None, until it is resumed."""
        pause = {"paused_at": now, "paused_until": until, "reason": reason}
        with self._database.writing() as connection:
            statement = insert_into(connection, lanes).values(group_key=group, lane=lane, **pause)
            connection.execute(statement.on_conflict_do_update(index_elements=["group_key", "lane"], set_=pause))

    def hold(self, group: str, lane: Lane, until: datetime, reason: str, now: datetime) -> None:
        """Pause the lane until ``until`` unless it is paused for longer already, say by an operator."""
        pause = {"paused_at": now, "paused_until": until, "reason": reason}
        shorter = or_(_sendable(now), lanes.c.paused_until < until)
        with self._database.writing() as connection:
            statement = insert_into(connection, lanes).values(group_key=group, lane=lane, **pause)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["group_key", "lane"], set_=pause, where=shorter)
            )

    def resume(self, group: str, lane: Lane | None = None) -> None:
        """End the pause of one lane, or of all lanes of the group."""
        chosen = lanes.c.group_key == group
        if lane is not None:
            chosen = and_(chosen, lanes.c.lane == lane)
        with self._database.writing() as connection:
            connection.execute(update(lanes).where(chosen).values(paused_at=None, paused_until=None, reason=None))

    def paused(self, now: datetime) -> list[LaneView]:
        """Give the lanes that are paused now, by group and lane."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(lanes).where(~_sendable(now)).order_by(lanes.c.group_key, lanes.c.lane)
            ).all()
        return [LaneView(row.group_key, Lane(row.lane), row.paused_at, row.paused_until, row.reason) for row in rows]

    def take_turn(self, group: str, interval_s: float, now: datetime, latest: datetime | None = None) -> datetime:
        """Give the moment at which the caller may send, at least ``interval_s`` seconds after the one granted before.

        Grants are evenly spaced, whichever process or host asks; an idle group saves up none. A moment after
        ``latest`` is told but not granted, so that it is there for whoever asks when it has come.
        """
        with self._database.writing() as connection:
            first = insert_into(connection, paces).values(group_key=group, next_at=now)
            connection.execute(first.on_conflict_do_nothing())
            next_at = connection.scalars(
                select(paces.c.next_at).where(paces.c.group_key == group).with_for_update()
            ).one()
            granted: datetime = max(now, next_at)
            if latest is None or granted <= latest:
                following = granted + timedelta(seconds=interval_s)
                connection.execute(update(paces).where(paces.c.group_key == group).values(next_at=following))
        return granted


def remember_lanes(connection: Connection, used: Iterable[tuple[str, Lane]]) -> None:
    """Make sure that claims look into these lanes, (group, lane) each."""
    rows = [{"group_key": group, "lane": lane} for group, lane in sorted(set(used))]
    _REMEMBER.run(connection, rows)


def sendable_lanes(connection: Connection, now: datetime) -> list[LaneKey]:
    """Give all lanes that are not paused, in a fixed order."""
    return [LaneKey(row.group_key, Lane(row.lane)) for row in connection.execute(_SENDABLE, {"now": now})]


_REMEMBER = Bulk({name: insert(lanes).on_conflict_do_nothing() for name, insert in INSERTS.items()})


def _sendable(now: Any) -> ColumnElement[bool]:
    # Spelt out for null, which is neither past nor future, so that its opposite is right too.
    over = and_(lanes.c.paused_until.is_not(None), lanes.c.paused_until <= now)
    return or_(lanes.c.paused_at.is_(None), over)


_SENDABLE = (
    select(lanes.c.group_key, lanes.c.lane)
    .where(_sendable(bindparam("now", type_=Moment)))
    .order_by(lanes.c.group_key, lanes.c.lane)
)
