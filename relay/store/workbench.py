"""Translating a slice of deliveries: what is remembered meanwhile, and how all they mean is stored together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from relay.deliveries import Delivery, DeliveryState, NewDelivery, Translation
from relay.memory import Memory, Outlook
from relay.store.ahead import ReadAhead
from relay.store.asking import Request, Written, store_commands
from relay.store.bulk import Bulk
from relay.store.engine import Database
from relay.store.items import store_items
from relay.store.memory import StoredMemory, resource_row, store_resources
from relay.store.overlay import Overlay
from relay.store.privacy.forgetting import forget, plan
from relay.store.pseudonyms import Pseudonyms
from relay.store.tables import deliveries

STORED_AT_ONCE = 16
"""How many deliveries share a transaction on SQLite: one takes as long as a REST call may be kept waiting."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a delivery means, with all that is stored of it written out before anybody has to wait for the database."""

    delivery: Delivery | NewDelivery
    translation: Translation
    commands: tuple[Written, ...]
    resources: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, delivery: Delivery | NewDelivery, translation: Translation) -> Meaning:
        """Write a translation out."""
        return cls(
            delivery,
            translation,
            tuple(map(Written.of, translation.commands)),
            tuple(map(resource_row, translation.resources)),
        )


class Workbench:
    """One slice: ``memory`` is read while its deliveries are translated, ``keep`` takes each, ``store`` writes them."""

    def __init__(self, database: Database, reads: Connection, stack: ExitStack, overlay: Overlay) -> None:
        self._database = database
        self._reads = reads
        self._stack = stack
        self._overlay = overlay
        self._kept: list[tuple[Delivery, Meaning]] = []
        self._later: Sequence[Outlook] = ()

    @property
    def memory(self) -> Memory:
        """Memory as it will be once what is kept has been stored."""
        return self._overlay

    def foresee(self, outlooks: Sequence[Outlook]) -> None:
        """Read at once what some deliveries, translated in this order, will most likely read of memory.

        Where things are locked one by one, only the first delivery may wait for them: the others' are read when it is
        kept, as far as nobody works on them.
        """
        at_once = len(outlooks) if self._database.has_one_writer else 1
        self._later = outlooks[at_once:]
        self._overlay.foresee(outlooks[:at_once])

    def keep(self, delivery: Delivery, translation: Translation, now: datetime) -> None:
        """Take a translation, to be stored with the rest of the slice.

        From now on memory raises Contended instead of waiting for what another worker translates.
        """
        meaning = Meaning.of(delivery, translation)
        self._kept.append((delivery, meaning))
        self._overlay.absorb(delivery.group, translation, meaning.commands, now)
        self._overlay.stored.waits = False
        if self._later:
            later, self._later = self._later, ()
            self._overlay.foresee(later)

    def store(self, now: datetime) -> bool:
        """Store all that was kept, in its order; False when the lease of any of it was lost.

        Then that and what comes after it is not written. What comes before it may be: on SQLite some deliveries at a
        time share a transaction, so that nobody has to wait for all. The last one is committed with the block.
        """
        kept, self._kept = self._kept, []
        if not kept:
            return True
        if not self._database.has_one_writer:
            return _store(self._reads, kept, now)
        while len(kept) > STORED_AT_ONCE:
            with self._database.writing(synced=False) as connection:
                if not _store(connection, kept[:STORED_AT_ONCE], now):
                    return False
            kept = kept[STORED_AT_ONCE:]
        return _store(self._stack.enter_context(self._database.writing(synced=False)), kept, now)

    def finish(self, delivery: Delivery, translation: Translation, now: datetime) -> bool:
        """Store a slice of one."""
        self.keep(delivery, translation, now)
        return self.store(now)


@contextmanager
def workbench(database: Database, pseudonyms: Pseudonyms, ahead: ReadAhead) -> Iterator[Workbench]:
    """Give a workbench; what it stored is committed at the end, and rolled back on any exception.

    On PostgreSQL one transaction reads and writes. On SQLite only storing keeps others from writing, and of many
    deliveries the first ones are committed before the end.
    """
    with ExitStack() as stack:
        stack.enter_context(database.memory())
        key = pseudonyms.key
        reads = stack.enter_context(database.reading() if database.has_one_writer else database.writing())
        yield Workbench(database, reads, stack, Overlay(StoredMemory(reads, key), ahead))


def _store(connection: Connection, kept: Sequence[tuple[Delivery, Meaning]], now: datetime) -> bool:
    if not _are_leased(connection, [delivery for delivery, _ in kept]):
        return False
    _END_LEASE.run(connection, [_ended(delivery, meaning.translation, now) for delivery, meaning in kept])
    store_meanings(connection, [(delivery.id, meaning) for delivery, meaning in kept], now)
    return True


def store_meanings(connection: Connection, each: Sequence[tuple[int, Meaning]], now: datetime) -> None:
    """Store what deliveries (by id) mean, in their order."""
    forgotten = [forget(connection, id_, meaning.translation, now) for id_, meaning in each]
    store_resources(connection, [row for _, meaning in each for row in meaning.resources])
    items = {
        (item.group, item.location, item.product_id): item for _, meaning in each for item in meaning.translation.items
    }
    store_items(connection, items.values(), now)
    requests = [
        Request(
            id_, meaning.delivery.group, meaning.delivery.shop, meaning.commands, dry_run=meaning.translation.dry_run
        )
        for id_, meaning in each
        if meaning.commands
    ]
    store_commands(connection, requests, now)
    for (id_, meaning), mine in zip(each, forgotten, strict=True):
        plan(connection, id_, meaning.translation, mine, now)


def ending(translation: Translation, now: datetime) -> dict[str, Any]:
    """Give the columns of a delivery that its translation decides."""
    return {
        "state": translation.state,
        "reason": translation.reason,
        "warnings": list(translation.warnings),
        "due_at": translation.due_at or now,
        "resource_kind": translation.resource_kind,
        "resource_id": translation.resource_id,
    }


def _ended(delivery: Delivery, translation: Translation, now: datetime) -> dict[str, Any]:
    # Being held is no failure: however often a delivery is looked at again, its tries begin anew.
    is_held = translation.state is DeliveryState.HELD
    attempts = 0 if is_held else delivery.attempts + 1
    ended = ending(translation, now) | {"attempts": attempts}
    return {"of_id": delivery.id, **{f"new_{name}": value for name, value in ended.items()}}


def _are_leased(connection: Connection, claimed: Sequence[Delivery]) -> bool:
    tokens = {row.id: row.lease_token for row in connection.execute(_LEASES, {"ids": [each.id for each in claimed]})}
    return all(tokens.get(each.id) == each.lease_token for each in claimed)


_LEASES = (
    select(deliveries.c.id, deliveries.c.lease_token)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(deliveries.c.id)
    .with_for_update()
)
_ENDED = ("state", "reason", "warnings", "due_at", "resource_kind", "resource_id", "attempts")
_END_LEASE = Bulk(
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}") for name in _ENDED} | {"lease_token": None})
)
