"""Retention: what is through and old leaves the store, a slice at a time.

What stays whatever its age: deliveries and commands that wait for somebody, the links from a shop's resources to
SALESmanago's events, contacts with the consent they were told, the catalogue, and the traces of those who were erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, exists, func, select

from relay.commands import CommandState
from relay.deliveries import DeliveryState
from relay.store.columns import state_in
from relay.store.engine import Database
from relay.store.memory import by_kind
from relay.store.tables import FORGOTTEN_RESOURCES, attempts, commands, deliveries, privacy_tasks, resources

SLICE = 200
"""Rows of a kind that one transaction looks at: nobody must wait long for it, however many there are."""

_THROUGH = (DeliveryState.TRANSLATED, DeliveryState.IGNORED)
_SETTLED = (CommandState.DONE, CommandState.SUPERSEDED, CommandState.DROPPED)


@dataclass(frozen=True, slots=True)
class Pruned:
    """A slice that was pruned: how many deliveries and resources left, and where the next one begins."""

    count: int
    after: int  # the id of the last delivery that was looked at
    is_last: bool  # nothing old is left but what has to stay


class RetentionStore:
    """Takes old rows out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prune(self, before: datetime, after: int = 0) -> Pruned:
        """Delete a slice of what is older than ``before``, of deliveries those that follow the id ``after``."""
        with self._database.remembering() as connection:
            looked_at = connection.execute(_FOLLOWING, {"after": after}).all()
            old = [row.id for row in looked_at if row.received_at < before]
            count = _prune_deliveries(connection, old) + _prune_resources(connection, before)
            last = looked_at[-1].id if looked_at else after
            is_last = not old and not count and not _is_older_behind(connection, before, last)
        return Pruned(count, last, is_last)

    def newest(self) -> datetime | None:
        """Give when the newest delivery was received, None when there is none."""
        newest = select(deliveries.c.received_at).order_by(deliveries.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            return connection.scalar(newest)


def _is_older_behind(connection: Connection, before: datetime, last: int) -> bool:
    """Look further and further on: ids grow with time, unless a clock was wrong for a while."""
    newest = connection.scalar(_NEWEST) or 0
    step = SLICE
    while last + step <= newest:
        received_at = connection.scalar(_RECEIVED_AT, {"place": last + step})
        if received_at is not None and received_at < before:
            return True
        step *= 2
    return False


def _prune_deliveries(connection: Connection, among: Sequence[int]) -> int:
    """Delete those that are through with all their commands, and these."""
    if not among:
        return 0
    unsettled = exists().where(commands.c.delivery_id == deliveries.c.id, commands.c.state.not_in(_SETTLED))
    named = exists().where(privacy_tasks.c.delivery_id == deliveries.c.id)
    through = connection.scalars(
        select(deliveries.c.id)
        .where(deliveries.c.id.in_(among), deliveries.c.state.in_(_THROUGH), ~unsettled, ~named)
        .order_by(deliveries.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    mine = select(commands.c.id).where(commands.c.delivery_id.in_(through))
    connection.execute(delete(attempts).where(attempts.c.command_id.in_(mine)))
    connection.execute(delete(commands).where(commands.c.delivery_id.in_(through)))
    connection.execute(delete(deliveries).where(deliveries.c.id.in_(through)))
    return len(through)


def _prune_resources(connection: Connection, before: datetime) -> int:
    """Forget orders, carts and accounts nothing was heard of since; one without a body is a trace that has to stay."""
    forgotten = (resources.c.body.is_not(None), state_in(resources.c.kind, FORGOTTEN_RESOURCES))
    old = connection.execute(
        select(resources.c.shop, resources.c.kind, resources.c.id)
        .where(*forgotten, resources.c.updated_at < before)
        .order_by(resources.c.updated_at)
        .limit(SLICE)
        .with_for_update(skip_locked=True)  # what is being changed is not old any more
    ).all()
    for named in by_kind(sorted(tuple(row) for row in old)):
        connection.execute(_FORGET, named)
    return len(old)


_FOLLOWING = (
    select(deliveries.c.id, deliveries.c.received_at)
    .where(deliveries.c.id > bindparam("after"))
    .order_by(deliveries.c.id)
    .limit(SLICE)
)
_FORGET = delete(resources).where(
    resources.c.shop == bindparam("of_shop"),
    resources.c.kind == bindparam("of_kind"),
    resources.c.id.in_(bindparam("among", expanding=True)),
)
_NEWEST = select(func.max(deliveries.c.id))
_RECEIVED_AT = (
    select(deliveries.c.received_at).where(deliveries.c.id >= bindparam("place")).order_by(deliveries.c.id).limit(1)
)
