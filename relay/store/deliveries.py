"""Deliveries: recorded once, claimed for translation, and applied with all they mean in one transaction."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import count, takewhile
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from relay.deliveries import Delivery, DeliveryState, NewDelivery, Recorded, Translation
from relay.errors import StoreUnavailable
from relay.privacy import ERASED
from relay.store.ahead import ReadAhead
from relay.store.columns import state_in
from relay.store.commands import supersede_waiting
from relay.store.engine import Database
from relay.store.group_commit import GroupCommit, Promise
from relay.store.inbox import Inbox
from relay.store.leases import lease_token
from relay.store.pseudonyms import Pseudonyms
from relay.store.receiving import Row as NewRow
from relay.store.receiving import insert_deliveries, written
from relay.store.tables import OPEN_DELIVERIES, deliveries
from relay.store.turns import in_turn, loose_scan
from relay.store.workbench import Meaning, Workbench, ending, store_meanings, workbench

_TAKEN_IN = 2000  # with each claim; many, since shops take turns only with what is in the store


class DeliveryStore:
    """The queue of deliveries."""

    def __init__(self, database: Database, inbox: Inbox, ahead: ReadAhead) -> None:
        """Take the database, where its deliveries go first, and what reads ahead in it."""
        self._database = database
        self._inbox = inbox
        self._ahead = ahead
        self._pseudonyms = Pseudonyms(database)
        self._incoming = GroupCommit(inbox.appending, inbox.insert, database.commit_wait_s)
        self._turns = count()

    def record(self, new: NewDelivery, translation: Translation | None = None) -> Recorded:
        """Store a delivery, with what it means where that is known already (REST); it is on disk when this returns.

        A delivery whose ``dedupe`` is stored already adds nothing; its receipt names the first one.
        """
        row = written(new)
        if translation is None:
            with self._database.appending() as connection:
                return insert_deliveries(connection, [row])[0]
        meaning = Meaning.of(new, translation)
        if translation.stands_alone:
            self.take_in()  # whom it is to forget may be in there
        with self._database.remembering() as connection:
            [recorded] = insert_deliveries(connection, [row])
            if not recorded.repeated:
                values = ending(translation, new.received_at)
                connection.execute(update(deliveries).where(deliveries.c.id == recorded.id).values(values))
                store_meanings(connection, [(recorded.id, meaning)], new.received_at)
        return recorded

    def record_soon(self, new: NewDelivery) -> Promise[NewRow, bool]:
        """Store a delivery as soon as its promise is asked to be kept; it tells whether the same had come before.

        Deliveries that come together share a transaction. On SQLite they are stored in the inbox.
        """
        return self._incoming.promise(written(new))

    def take_in(self, most: int | None = None) -> None:
        """Put what is in SQLite's inbox, all or about ``most`` of it, where the other methods find it."""
        self._inbox.take_in(most)

    def claim(self, now: datetime, lease_s: float, limit: int, holder: str = "") -> list[Delivery]:
        """Lease up to ``limit`` deliveries to ``holder`` for ``lease_s`` seconds; shops take turns, each in its order.

        Given are those received, those held until now or earlier, and those whose lease ran out. One that was begun
        before and not finished comes alone: should it take its worker down, it takes no other delivery with it.
        """
        try:
            self.take_in(_TAKEN_IN)
        except StoreUnavailable as error:
            if not error.is_busy:
                raise  # while others are at it, there is enough to do with what the store has
        with self._database.reading() as connection:
            if connection.scalar(_ANY_DUE, {"now": now}) is None:
                return []  # without having kept anybody from writing
        token = lease_token(holder)
        with self._database.writing(synced=False) as connection:
            shops = connection.scalars(_SHOPS).all()
            due = in_turn(
                [*shops, None], limit, next(self._turns), lambda shop, most: _due(connection, shop, now, most)
            )
            begun = [row.id for row in due if row.attempts]
            chosen = begun[:1] or [row.id for row in due]
            if not chosen:
                return []
            leased = {"ids": chosen, "new_token": token, "until": now + timedelta(seconds=lease_s)}
            connection.execute(_LEASE, leased)
        with self._database.reading() as connection:  # bodies are large, and nobody should have to wait for them
            return [_as_delivery(row) for row in connection.execute(_LEASED, {"ids": chosen, "token": token})]

    def translating(self) -> AbstractContextManager[Workbench]:
        """Give a workbench for some of the deliveries; what it stored is committed when its block ends."""
        return workbench(self._database, self._pseudonyms, self._ahead)

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
        with self._database.remembering() as connection:
            row = connection.execute(select(deliveries.c.reason).where(this).with_for_update()).one_or_none()
            if row is None:
                raise LookupError(f"There is no delivery {delivery_id}.")
            if row.reason == ERASED:
                raise ValueError(f"Delivery {delivery_id} cannot be translated anew: its body has been erased.")
            connection.execute(update(deliveries).where(this).values(fresh))
            supersede_waiting(connection, delivery_id, now)


def _due(connection: Connection, shop: str | None, now: datetime, limit: int) -> list[Row[Any]]:
    """Lock the shop's next deliveries, oldest first, leaving out what another worker has locked."""
    due = connection.execute(due_deliveries(shop, now, limit)).all()
    return list(due[:1]) if due and due[0].attempts else list(takewhile(lambda row: not row.attempts, due))


def due_deliveries(shop: str | None, now: datetime, limit: int) -> Select[Any]:
    """The statement that locks up to ``limit`` deliveries of a shop that may be claimed."""
    return (
        select(deliveries.c.id, deliveries.c.attempts)
        .where(
            state_in(deliveries.c.state, OPEN_DELIVERIES),
            deliveries.c.shop.is_(None) if shop is None else deliveries.c.shop == shop,
            deliveries.c.due_at <= now,
        )
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


_ANY_DUE = (
    select(deliveries.c.id)
    .where(state_in(deliveries.c.state, OPEN_DELIVERIES), deliveries.c.due_at <= bindparam("now"))
    .limit(1)
)
_SHOPS = loose_scan(deliveries.c.shop, state_in(deliveries.c.state, OPEN_DELIVERIES))
# What a translation reads. Each further column would be read for nothing, and some have to be parsed.
_CLAIMED = (
    "id",
    "platform",
    "group_key",
    "shop",
    "topic",
    "headers",
    "body",
    "received_at",
    "delivery_id",
    "triggered_at",
    "api_version",
    "attempts",
    "lease_token",
)
_LEASE = (
    update(deliveries)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .values(lease_token=bindparam("new_token"), due_at=bindparam("until"), attempts=deliveries.c.attempts + 1)
)
_LEASED = (
    select(*(deliveries.c[name] for name in _CLAIMED))
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)), deliveries.c.lease_token == bindparam("token"))
    .order_by(deliveries.c.id)
)


def _release(connection: Connection, delivery: Delivery, values: dict[str, Any]) -> bool:
    """Write a claimed delivery's new values and end its lease, if it is still the caller's."""
    result = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery.id, deliveries.c.lease_token == delivery.lease_token)
        .values(values | {"lease_token": None})
    )
    return result.rowcount == 1


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
        delivery_id=row.delivery_id,
        triggered_at=row.triggered_at,
        api_version=row.api_version,
        attempts=row.attempts - 1,
        lease_token=row.lease_token,
    )
