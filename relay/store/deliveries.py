"""Deliveries: recorded once, claimed for translation, and applied with all they mean in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, select, update

from relay.deliveries import Delivery, DeliveryState, NewDelivery, Recorded, Translation
from relay.memory import Memory
from relay.privacy import ERASED
from relay.store.columns import state_in
from relay.store.commands import keep_dry_run, store_commands, supersede_waiting
from relay.store.engine import Database
from relay.store.group_commit import GroupCommit
from relay.store.items import store_items
from relay.store.memory import StoredMemory, store_resources
from relay.store.privacy.forgetting import forget, plan
from relay.store.receiving import insert_deliveries
from relay.store.tables import OPEN_DELIVERIES, deliveries


class Workbench:
    """One transaction of translating: what is remembered, and where the result goes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.memory: Memory = StoredMemory(connection)

    def finish(self, delivery: Delivery, translation: Translation, now: datetime) -> bool:
        """Store a delivery's translation; False when its lease was lost, then nothing of it is written."""
        if not _release(self._connection, delivery, _translated(translation, now)):
            return False
        _apply(self._connection, delivery.id, delivery.group, translation, now)
        return True


class DeliveryStore:
    """The queue of deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._incoming = GroupCommit(database, insert_deliveries, database.commit_wait_s)

    def record(self, new: NewDelivery, translation: Translation | None = None) -> Recorded:
        """Store a delivery, with what it means where that is known already (REST); it is on disk when this returns.

        A delivery whose ``dedupe`` is stored already adds nothing; its receipt names the first one. Deliveries that
        come together share a transaction.
        """
        if translation is None:
            return self._incoming.submit(new)
        with self._database.writing() as connection:
            [recorded] = insert_deliveries(connection, [new])
            if not recorded.repeated:
                values = _translated(translation, new.received_at)
                connection.execute(update(deliveries).where(deliveries.c.id == recorded.id).values(values))
                _apply(connection, recorded.id, new.group, translation, new.received_at)
        return recorded

    def claim(self, now: datetime, lease_s: float, limit: int) -> list[Delivery]:
        """Lease up to ``limit`` deliveries, oldest first, to the caller for ``lease_s`` seconds.

        Given are those received, those held until now or earlier, and those whose lease ran out.
        """
        leased = {"lease_token": uuid4().hex, "due_at": now + timedelta(seconds=lease_s)}
        with self._database.writing() as connection:
            ids = connection.scalars(due_deliveries(now, limit)).all()
            rows = connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(ids))
                .values(**leased, attempts=deliveries.c.attempts + 1)
                .returning(deliveries)
            ).all()
        return [_as_delivery(row) for row in sorted(rows, key=lambda row: row.id)]

    @contextmanager
    def translating(self) -> Iterator[Workbench]:
        """Give a workbench within one transaction, committed at the end and rolled back on any exception."""
        with self._database.writing() as connection:
            yield Workbench(connection)

    def postpone(self, delivery: Delivery, message: str, due_at: datetime) -> bool:
        """Put a delivery whose translation failed unexpectedly back until ``due_at``; False when its lease was lost."""
        with self._database.writing() as connection:
            return _release(connection, delivery, {"reason": message, "due_at": due_at})

    def bury(self, delivery: Delivery, message: str) -> bool:
        """Make a delivery a dead letter; False when its lease was lost."""
        with self._database.writing() as connection:
            return _release(connection, delivery, {"reason": message, "state": DeliveryState.DEAD})

    def replay(self, delivery_id: int, now: datetime) -> None:
        """Put a delivery back to be translated anew; those of its commands that still wait are superseded.

        Raises: LookupError when there is none of this id, ValueError when its body has been erased.
        """
        fresh = {"state": DeliveryState.RECEIVED, "reason": None, "due_at": now, "lease_token": None, "attempts": 0}
        this = deliveries.c.id == delivery_id
        with self._database.writing() as connection:
            row = connection.execute(select(deliveries.c.reason).where(this).with_for_update()).one_or_none()
            if row is None:
                raise LookupError(f"There is no delivery {delivery_id}.")
            if row.reason == ERASED:
                raise ValueError(f"Delivery {delivery_id} cannot be translated anew: its body has been erased.")
            connection.execute(update(deliveries).where(this).values(fresh))
            supersede_waiting(connection, delivery_id, now)


def due_deliveries(now: datetime, limit: int) -> Select[Any]:
    """The statement that locks up to ``limit`` deliveries that may be claimed, leaving out what another has locked."""
    return (
        select(deliveries.c.id)
        .where(state_in(deliveries.c.state, OPEN_DELIVERIES), deliveries.c.due_at <= now)
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _translated(translation: Translation, now: datetime) -> dict[str, Any]:
    # Being held is no failure: however often a delivery is looked at again, its tries begin anew.
    anew = {"attempts": 0} if translation.state is DeliveryState.HELD else {}
    return anew | {
        "state": translation.state,
        "reason": translation.reason,
        "warnings": list(translation.warnings),
        "due_at": translation.due_at or now,
        "resource_kind": translation.resource_kind,
        "resource_id": translation.resource_id,
    }


def _release(connection: Connection, delivery: Delivery, values: dict[str, Any]) -> bool:
    """Write a claimed delivery's new values and end its lease, if it is still the caller's."""
    result = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery.id, deliveries.c.lease_token == delivery.lease_token)
        .values(values | {"lease_token": None})
    )
    return result.rowcount == 1


def _apply(connection: Connection, delivery_id: int, group: str, translation: Translation, now: datetime) -> None:
    forgotten = forget(connection, delivery_id, translation, now)
    store_resources(connection, translation.resources)
    store_items(connection, translation.items, now)
    keep = keep_dry_run if translation.dry_run else store_commands
    keep(connection, delivery_id, group, translation.commands, now)
    plan(connection, delivery_id, translation, forgotten, now)


def _as_delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        platform=row.platform,
        group=row.group_key,
        shop=row.shop,
        topic=row.topic,
        headers=row.headers,
        body=row.body,
        received_at=row.received_at,
        triggered_at=row.triggered_at,
        api_version=row.api_version,
        attempts=row.attempts - 1,
        lease_token=row.lease_token,
    )
