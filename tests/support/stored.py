"""Short ways to put deliveries and commands into a store and through it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from relay.commands import (
    Command,
    CommandKind,
    ContactSubject,
    EventKey,
    Outcome,
    ProductSubject,
    StoredCommand,
    Verdict,
)
from relay.deliveries import Delivery, DeliveryState, NewDelivery, Translation
from relay.store import Store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LEASE_S = 60.0
PURCHASE = EventKey("acme", "order", "1001", "PURCHASE")

_numbers = itertools.count(1)


def after(seconds: float) -> datetime:
    """Give the moment ``seconds`` after NOW."""
    return NOW + timedelta(seconds=seconds)


def new_delivery(**changes: Any) -> NewDelivery:
    """Make a delivery nobody has seen before."""
    values: dict[str, Any] = {
        "platform": "shopify",
        "group": "main",
        "shop": "acme",
        "topic": "orders/create",
        "dedupe": f"dedupe-{next(_numbers)}",
        "headers": {"x-shopify-topic": "orders/create"},
        "body": b'{"id": 1001}',
        "received_at": NOW,
    }
    return NewDelivery(**values | changes)


def upsert(email: str = "ann@example.com", new_email: str | None = None, **payload: Any) -> Command:
    """Make a command that adds or changes a contact."""
    content: dict[str, Any] = {"contact": {"email": email}, **payload}
    if new_email:
        content["newEmail"] = new_email
    return Command(CommandKind.CONTACT_UPSERT, ContactSubject(email, new_email), content)


def contact_delete(email: str = "ann@example.com") -> Command:
    """Make a command that deletes a contact."""
    return Command(CommandKind.CONTACT_DELETE, ContactSubject(email), {"email": email})


def put(email: str = "ann@example.com", key: EventKey | None = PURCHASE, **event: Any) -> Command:
    """Make a command that adds or updates an event."""
    return Command(CommandKind.EVENT_PUT, ContactSubject(email), {"contactEvent": event or {"value": 10}}, key)


def event_delete(email: str = "ann@example.com", key: EventKey = PURCHASE) -> Command:
    """Make a command that deletes an event."""
    return Command(CommandKind.EVENT_DELETE, ContactSubject(email), {}, key)


def product(product_id: str = "7", location: str = "acme_shop") -> Command:
    """Make a command about a catalogue product."""
    return Command(CommandKind.PRODUCT_UPSERT, ProductSubject(location, product_id), {"productId": product_id})


def translated(*commands: Command, **changes: Any) -> Translation:
    """Make a translation that asks for these commands."""
    return Translation(DeliveryState.TRANSLATED, commands=commands, **changes)


def ask(store: Store, *commands: Command, group: str = "main", at: datetime = NOW, **changes: Any) -> int:
    """Store a delivery that means these commands; gives its id."""
    new = new_delivery(group=group, received_at=at)
    return store.deliveries.record(new, translated(*commands, **changes)).id


def claim(store: Store, at: datetime = NOW, limit: int = 100) -> list[StoredCommand]:
    """Claim the heads of all subjects for LEASE_S seconds, without the commands behind them."""
    return store.commands.claim(at, LEASE_S, limit, followers=0)


def claim_one(store: Store, at: datetime = NOW) -> StoredCommand:
    """Claim the only command that may be claimed."""
    (command,) = claim(store, at)
    return command


def end(store: Store, verdict: Verdict, at: datetime = NOW, **changes: Any) -> StoredCommand:
    """Claim the only command that may be claimed, try it once and settle it so."""
    command = claim_one(store, at)
    store.commands.begin([command], at)
    assert store.commands.settle([Outcome(command, verdict, **changes)], at) == 1
    return command


def finish_all(store: Store, at: datetime = NOW) -> Sequence[StoredCommand]:
    """Send everything that is due, successfully, in the order given."""
    sent: list[StoredCommand] = []
    while claimed := claim(store, at):
        store.commands.begin(claimed, at)
        store.commands.settle([Outcome(command, Verdict.DONE) for command in claimed], at)
        sent += claimed
    return sent


def claim_delivery(store: Store, at: datetime = NOW) -> Delivery:
    """Claim the only delivery that may be claimed."""
    (delivery,) = store.deliveries.claim(at, LEASE_S, 100)
    return delivery
