"""What became of deliveries that were just posted, as the store knows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cli.posting import Posted
from relay.clock import Clock
from relay.commands import CommandState
from relay.deliveries import DeliveryState
from relay.store import CommandView, DeliveryFilter, DeliveryView, Store

_LOOKED_AT = 1000
_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """A delivery and the commands it asked for."""

    delivery: DeliveryView
    commands: tuple[CommandView, ...]

    def is_open(self, until: datetime) -> bool:
        """Tell whether something will still happen to it by itself before ``until``."""
        # One that is received may be under way, which its due_at (the lease's end) would hide.
        received = self.delivery.state is DeliveryState.RECEIVED
        held = self.delivery.state is DeliveryState.HELD and self.delivery.due_at <= until
        return received or held or any(_is_open(each, until) for each in self.commands)

    @property
    def words(self) -> str:
        """The outcome in a few words."""
        if self.delivery.reason:
            return f"{self.delivery.state}: {self.delivery.reason}"
        if self.delivery.state is not DeliveryState.TRANSLATED:
            return self.delivery.state
        return "; ".join(map(_told, self.commands)) or "nothing new to send"


def find(store: Store, posted: Sequence[Posted]) -> dict[str, int]:
    """Give the store's id of every delivery that is in it, by the delivery id of its platform."""
    shops = dict.fromkeys(each.sending.shop.key for each in posted)
    wanted = {each.sending.delivery_id for each in posted}
    views = [view for shop in shops for view in store.reading.deliveries(DeliveryFilter(shop=shop), _LOOKED_AT)]
    return {view.delivery_id: view.id for view in views if view.delivery_id in wanted}


def wait(
    store: Store, ids: Mapping[str, int], clock: Clock, wait_s: float, sleep: Callable[[float], None] = time.sleep
) -> tuple[dict[str, Outcome], bool]:
    """Wait up to ``wait_s`` seconds until the deliveries that ``find`` gave are through.

    Gives what became of each by its platform's delivery id, and whether all of them are through.
    """
    until = clock.now() + timedelta(seconds=wait_s)
    while True:
        outcomes = {name: outcome for name, each in ids.items() if (outcome := _outcome(store, each)) is not None}
        through = not any(outcome.is_open(until) for outcome in outcomes.values())
        if through or clock.now() >= until:
            return outcomes, through
        sleep(_PAUSE_S)


def _outcome(store: Store, delivery_id: int) -> Outcome | None:
    view = store.reading.delivery(delivery_id)
    return None if view is None else Outcome(view, tuple(store.commands.of_delivery(delivery_id)))


def _is_open(command: CommandView, until: datetime) -> bool:
    waits = command.state is CommandState.WAITING and command.due_at <= until
    return waits or command.state is CommandState.CLAIMED


def _told(command: CommandView) -> str:
    event = command.payload.get("contactEvent")
    kind = f"{command.kind} {event['contactExtEventType']}" if event else command.kind
    error = f" ({command.last_error})" if command.last_error and command.state is not CommandState.DONE else ""
    return f"{kind} {command.state}{error}"
