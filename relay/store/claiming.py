"""Which commands may be sent now: the due head of each subject with those behind it, groups and shops taking turns.

A head is a command with no earlier open command of its subject and no other claimed one. Two workers on PostgreSQL can
see the same moment differently, since neither sees what the other has not committed; so heads are locked first
and then judged a second time, by a statement that sees everything committed until then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby, islice, takewhile
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    and_,
    bindparam,
    exists,
    or_,
    select,
    true,
    update,
)

from relay.commands import CommandState, StoredCommand
from relay.store.columns import Moment, state_in
from relay.store.lanes import LaneKey, sendable_lanes
from relay.store.leases import lease_token
from relay.store.loading import load
from relay.store.tables import OPEN_COMMANDS, attempts, commands
from relay.store.turns import in_turn, loose_scan

MOST_FOLLOWERS = 20
"""Of one subject behind its head: few enough to be sent within the lease."""

LOST_MESSAGE = "The worker stopped before an answer came."


@dataclass(frozen=True, slots=True)
class Claim:
    """Commands that were leased together."""

    token: str
    ids: list[int]


def claim_commands(
    connection: Connection,
    now: datetime,
    lease_s: float,
    limit: int,
    turn: int,
    skip: Collection[LaneKey] = (),
    holder: str = "",
    followers: int = MOST_FOLLOWERS,
    most_of: Mapping[LaneKey, int] = MappingProxyType({}),
) -> Claim:
    """Lease up to ``limit`` heads, each with up to ``followers`` behind it; ``turn`` moves who is asked first."""
    lanes = [lane for lane in sendable_lanes(connection, now) if lane not in skip]

    def heads_of(lane: LaneKey, most: int) -> list[tuple[int, bool]]:
        return _lock_heads(connection, lane, now, min(most, most_of.get(lane, most)), turn)

    locked = dict(in_turn(lanes, limit, turn, heads_of))
    token = lease_token(holder)
    if not locked:
        return Claim(token, [])
    leased = {
        "new_state": CommandState.CLAIMED,
        "new_token": token,
        "new_due_at": now + timedelta(seconds=lease_s),
    }
    taken = connection.execute(_LEASE_HEADS, leased | {"ids": list(locked), "now": now}).all()
    _note_lost_answers(connection, [row.id for row in taken if locked[row.id]], now)
    if following := _followers(connection, taken, now, followers) if followers else []:
        connection.execute(_LEASE, leased | {"ids": following})
    return Claim(token, [*(row.id for row in taken), *following])


def claimed(connection: Connection, claim: Claim) -> list[StoredCommand]:
    """Read what was claimed, in its order. Better not in the claim's own transaction, for which others may wait."""
    return [command for command in load(connection, claim.ids) if command.lease_token == claim.token]


def has_due(connection: Connection, now: datetime, skip: Collection[LaneKey] = ()) -> bool:
    """Tell whether a claim would find anything; it only reads, so it keeps nobody from writing."""
    lanes = [lane for lane in sendable_lanes(connection, now) if lane not in skip]
    return any(_has_due_head(connection, _named(lane), now) for lane in lanes)


def is_head(now: Any) -> ColumnElement[bool]:
    """Tell whether a command is due and nothing of its subject goes before it."""
    other = commands.alias("other")
    in_the_way = exists().where(
        other.c.group_key == commands.c.group_key,
        other.c.subject == commands.c.subject,
        state_in(other.c.state, OPEN_COMMANDS),
        or_(
            other.c.id < commands.c.id,
            # An earlier command that was requeued must not join one that is being sent.
            and_(other.c.id != commands.c.id, other.c.state == CommandState.CLAIMED, other.c.due_at > now),
        ),
    )
    return and_(state_in(commands.c.state, OPEN_COMMANDS), commands.c.due_at <= now, ~in_the_way)


def _lock_heads(connection: Connection, lane: LaneKey, now: datetime, limit: int, turn: int) -> list[tuple[int, bool]]:
    """Lock heads of a lane, its shops by turns; tells for each whether an expired lease is taken over."""
    named = _named(lane)
    shops = connection.scalars(_SHOPS, named).all()

    def of_shop(shop: str, most: int) -> list[tuple[int, bool]]:
        rows = connection.execute(HEADS, named | {"of_shop": shop, "now": now, "most": most})
        return [(row.id, row.state == CommandState.CLAIMED) for row in rows]

    return in_turn(shops, limit, turn, of_shop)


def _has_due_head(connection: Connection, named: Mapping[str, str], now: datetime) -> bool:
    shops = connection.scalars(_SHOPS, named).all()
    return any(
        connection.execute(_DUE_HEADS, {**named, "of_shop": shop, "now": now, "most": 1}).first() for shop in shops
    )


def _named(lane: LaneKey) -> dict[str, str]:
    return {"of_group": lane.group, "of_lane": lane.lane}


def _followers(connection: Connection, heads: Sequence[Row[Any]], now: datetime, most: int) -> list[int]:
    """Lock up to ``most`` commands behind each of these heads, as far as they wait and are due."""
    by_group: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for head in heads:
        by_group[head.group_key][head.subject] = head.id
    taken: list[int] = []
    for group, mine in by_group.items():
        rows = connection.execute(_BEHIND, {"of_group": group, "subjects": list(mine), "heads": list(mine.values())})
        for subject, behind in groupby(rows, key=lambda row: row.subject):
            waiting = takewhile(partial(_follows, mine[subject], now), behind)
            taken += [row.id for row in islice(waiting, most)]
    return taken


def _follows(head: int, now: datetime, row: Row[Any]) -> bool:
    due: bool = row.id > head and row.state == CommandState.WAITING and row.due_at <= now
    return due


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


_NOW = bindparam("now", type_=Moment)
_IN_LANE = (commands.c.group_key == bindparam("of_group"), commands.c.lane == bindparam("of_lane"))
_SHOPS = loose_scan(commands.c.shop, *_IN_LANE, state_in(commands.c.state, OPEN_COMMANDS))

_DUE_HEADS = (
    select(commands.c.id, commands.c.state)
    .where(*_IN_LANE, commands.c.shop == bindparam("of_shop"), is_head(_NOW))
    .order_by(commands.c.due_at, commands.c.id)
    .limit(bindparam("most", type_=Integer))
)

HEADS = _DUE_HEADS.with_for_update(skip_locked=True, of=commands)
"""The statement that locks up to ``most`` heads of one shop in one lane, leaving out what another worker has locked."""

_AMONG = commands.c.id.in_(bindparam("ids", expanding=True))
_LEASE = (
    update(commands)
    .where(_AMONG)
    .values(state=bindparam("new_state"), lease_token=bindparam("new_token"), due_at=bindparam("new_due_at"))
)
_LEASE_HEADS = _LEASE.where(is_head(_NOW)).returning(commands.c.id, commands.c.group_key, commands.c.subject)
_BEHIND = (
    select(commands.c.id, commands.c.subject, commands.c.state, commands.c.due_at)
    .where(
        commands.c.group_key == bindparam("of_group"),
        commands.c.subject.in_(bindparam("subjects", expanding=True)),
        state_in(commands.c.state, OPEN_COMMANDS),
        commands.c.id.not_in(bindparam("heads", expanding=True)),
    )
    .order_by(commands.c.subject, commands.c.id)
    .with_for_update(skip_locked=True, of=commands)
)
