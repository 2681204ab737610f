"""Retention: what is through and old leaves the store, a slice at a time.

What stays whatever its age: deliveries and commands that wait for somebody, the links from a shop's resources to
SALESmanago's events, contacts with the consent they were told, the catalogue, and the traces of those who were erased.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, exists, select, tuple_

from relay.commands import CommandState
from relay.commerce import ResourceKind
from relay.deliveries import DeliveryState
from relay.store.engine import Database
from relay.store.tables import attempts, commands, deliveries, privacy_tasks, resources

SLICE = 500
"""Rows of a kind that one transaction takes: nobody must wait long for it."""

_THROUGH = (DeliveryState.TRANSLATED, DeliveryState.IGNORED)
_SETTLED = (CommandState.DONE, CommandState.SUPERSEDED, CommandState.DROPPED)
_FORGOTTEN = (ResourceKind.ORDER, ResourceKind.CART, ResourceKind.CUSTOMER)


class RetentionStore:
    """Takes old rows out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prune(self, before: datetime) -> int:
        """Delete a slice of what is older than ``before``; gives how many deliveries and resources that were."""
        with self._database.remembering() as connection:
            return _prune_deliveries(connection, before) + _prune_resources(connection, before)

    def newest(self) -> datetime | None:
        """Give when the newest delivery was received, None when there is none."""
        newest = select(deliveries.c.received_at).order_by(deliveries.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            return connection.scalar(newest)


def _prune_deliveries(connection: Connection, before: datetime) -> int:
    """Delete deliveries that are through with all their commands, and these."""
    unsettled = exists().where(commands.c.delivery_id == deliveries.c.id, commands.c.state.not_in(_SETTLED))
    named = exists().where(privacy_tasks.c.delivery_id == deliveries.c.id)
    old = connection.scalars(
        select(deliveries.c.id)
        .where(deliveries.c.received_at < before, deliveries.c.state.in_(_THROUGH), ~unsettled, ~named)
        .order_by(deliveries.c.id)
        .limit(SLICE)
        .with_for_update(skip_locked=True)
    ).all()
    mine = select(commands.c.id).where(commands.c.delivery_id.in_(old))
    connection.execute(delete(attempts).where(attempts.c.command_id.in_(mine)))
    connection.execute(delete(commands).where(commands.c.delivery_id.in_(old)))
    connection.execute(delete(deliveries).where(deliveries.c.id.in_(old)))
    return len(old)


def _prune_resources(connection: Connection, before: datetime) -> int:
    """Forget orders, carts and accounts nothing was heard of since; one without a body is a trace that has to stay."""
    key = (resources.c.shop, resources.c.kind, resources.c.id)
    old = connection.execute(
        select(*key)
        .where(resources.c.kind.in_(_FORGOTTEN), resources.c.updated_at < before, resources.c.body.is_not(None))
        .limit(SLICE)
    ).all()
    if old:
        connection.execute(delete(resources).where(tuple_(*key).in_([tuple(row) for row in old])))
    return len(old)
