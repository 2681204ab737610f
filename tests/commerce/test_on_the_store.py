"""The same lives through a real store: what it remembers leads to the same commands as in the world of the tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from relay.commands import CommandKind, CommandState, Outcome, StoredCommand, Verdict
from relay.deliveries import NewDelivery
from relay.shops import Directory, Shop
from relay.store import CommandView, Store
from relay.translation.translator import Translator
from tests.support import shopify, woocommerce
from tests.support.arrivals import deliver
from tests.support.lives import (
    Step,
    after,
    shopify_account,
    shopify_life,
    step,
    woo_account,
    woo_life,
    woo_order,
    woo_refunds,
)
from tests.support.world import DEFAULT, NOW, PLATFORMS, World, a_group

LEASE_S = 60.0
UPSERT, PUT = CommandKind.CONTACT_UPSERT, CommandKind.EVENT_PUT


class Road:
    """A store between deliveries and a SALESmanago that answers as it is told."""

    def __init__(self, store: Store, shop: Shop) -> None:
        self.store = store
        self.shop = shop
        self.group = a_group(currency=shop.currency, location=shop.location)
        directory = Directory(groups={self.group.key: self.group}, shops={shop.key: shop})
        self.translator = Translator(directory, PLATFORMS, DEFAULT)
        self.now = NOW
        self._numbers = itertools.count(1)

    def deliver(self, delivery: Step) -> int:
        """Store a delivery and translate it; gives its id."""
        number = next(self._numbers)
        new = NewDelivery(
            platform=self.shop.platform,
            group=self.group.key,
            shop=self.shop.key,
            topic=delivery.topic,
            dedupe=f"{number}",
            headers={},
            body=delivery.body,
            received_at=delivery.at,
            triggered_at=delivery.at,
        )
        recorded = self.store.deliveries.record(new)
        self.translate()
        return recorded.id

    def translate(self) -> None:
        """Translate whatever is due."""
        for delivery in self.store.deliveries.claim(self.now, LEASE_S, 100):
            with self.store.deliveries.translating() as bench:
                translation = self.translator.translate(delivery, bench.memory, self.now)
                assert bench.finish(delivery, translation, self.now)

    def send(self, verdict: Callable[[StoredCommand], Verdict] = lambda command: Verdict.DONE) -> list[StoredCommand]:
        """Send whatever is due, with invented ids; gives what was sent, in order."""
        sent = []
        while claimed := self.store.commands.claim(self.now, LEASE_S, 100, followers=0):
            self.store.commands.begin(claimed, self.now)
            self.store.commands.settle([self._outcome(command, verdict(command)) for command in claimed], self.now)
            sent += claimed
        return sent

    def commands(self, delivery_id: int) -> list[CommandView]:
        return self.store.commands.of_delivery(delivery_id)

    def replay(self, delivery_id: int) -> list[CommandView]:
        """Translate a delivery anew; gives the commands it asks for this time."""
        before = len(self.commands(delivery_id))
        self.store.deliveries.replay(delivery_id, self.now)
        self.translate()
        return self.commands(delivery_id)[before:]

    def _outcome(self, command: StoredCommand, verdict: Verdict) -> Outcome:
        number = next(self._numbers)
        ids = {"contact_id": f"contact-{number}"} if command.kind is UPSERT else {"event_id": f"event-{number}"}
        return Outcome(command, verdict, **(ids if verdict is Verdict.DONE else {}))


def product(at: float, **changes: Any) -> Step:
    body = {
        "id": 2010,
        "name": "Herbata",
        "type": "simple",
        "status": "publish",
        "price": "20.00",
        "date_modified_gmt": after(at).replace(tzinfo=None).isoformat(),
    }
    return step("product.updated", body | changes, after(at))


def kinds(commands: Sequence[Any]) -> list[str]:
    return [command.kind.value for command in commands]


LIVES = {"shopify": shopify_life(), "woocommerce": woo_life()}
ARRIVALS: dict[str, Callable[[tuple[Step, ...]], tuple[Step, ...]]] = {
    "as it happened": lambda steps: steps,
    "reversed": lambda steps: steps[::-1],
    "the order's end first, then its beginning": lambda steps: (*steps[4:], *steps[:4]),
}


@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize("platform", LIVES)
def test_a_life_leads_to_the_same_commands_as_in_the_world(store: Store, platform: str, arrival: str) -> None:
    life = LIVES[platform]
    world, road = World(life.shop), Road(store, life.shop)
    for one in ARRIVALS[arrival](life.steps):
        before = len(world.commands)
        deliver(world, one)
        asked = road.commands(road.deliver(one))
        assert [(each.kind, each.payload) for each in asked] == [
            (each.kind, each.payload) for each in world.commands[before:]
        ]
        assert len(road.send()) == len(asked)


@pytest.mark.parametrize("platform", LIVES)
def test_what_was_not_sent_yet_counts_as_asked_for(store: Store, platform: str) -> None:
    life = LIVES[platform]
    world, road = World(life.shop), Road(store, life.shop)
    for one in life.steps:
        deliver(world, one)
        road.deliver(one)
    assert kinds(road.send()) == kinds(world.commands)


def test_a_replay_repeats_nothing_that_stands_and_all_that_was_withdrawn(store: Store) -> None:
    road = Road(store, woocommerce.a_shop())
    delivery = road.deliver(step("order.updated", woo_order(after(0), "processing"), after(0)))
    withdrawn = road.commands(delivery)
    again = road.replay(delivery)
    assert kinds(again) == kinds(withdrawn) == [UPSERT, PUT]
    assert [each.payload for each in again] == [each.payload for each in withdrawn]
    assert {each.state for each in road.commands(delivery)[:2]} == {CommandState.SUPERSEDED}

    assert kinds(road.send()) == [UPSERT, PUT]
    assert road.replay(delivery) == []


def consenting(at: float, phone: str) -> Step:
    consent = {"state": "subscribed", "consent_updated_at": after(0).isoformat()}
    account = shopify_account(after(at), "Maja.Lund@example.com", phone=phone, email_marketing_consent=consent)
    return step("customers/update", account, after(at))


def test_a_dead_contact_is_asked_for_again_with_its_consent(store: Store) -> None:
    road = Road(store, shopify.a_shop())
    first = road.deliver(consenting(0, "+46700000001"))
    assert [each.payload["forceOptIn"] for each in road.commands(first)] == [True]
    road.send(lambda command: Verdict.DEAD)

    [again] = road.commands(road.deliver(consenting(0, "+46700000001")))
    assert (again.kind, again.payload["forceOptIn"]) == (UPSERT, True)
    road.send()
    [change] = road.commands(road.deliver(consenting(5, "+46700000002")))
    assert change.payload["forceOptIn"] is False, "a consent that was told is not told with every change"


def test_a_dead_change_of_the_address_is_asked_for_again(store: Store) -> None:
    road = Road(store, woocommerce.a_shop())
    road.deliver(step("customer.created", woo_account(after(0), "Jan.Lipa@example.com"), after(0)))
    road.send()
    moved = step("customer.updated", woo_account(after(10), "jan@work.example"), after(10))
    road.deliver(moved)
    road.send(lambda command: Verdict.DEAD)

    [again] = road.commands(road.deliver(moved))
    assert (again.payload["contact"]["email"], again.payload["newEmail"]) == (
        "Jan.Lipa@example.com",
        "jan@work.example",
    )
    road.send()
    assert road.commands(road.deliver(moved)) == []


def test_a_dead_event_is_asked_for_again(store: Store) -> None:
    road = Road(store, woocommerce.a_shop())
    paid = step("order.updated", woo_order(after(0), "processing"), after(0))
    road.deliver(paid)
    road.send(lambda command: Verdict.DEAD if command.kind is PUT else Verdict.DONE)
    assert kinds(road.commands(road.deliver(paid))) == [PUT]


def test_a_dead_product_is_asked_for_again(store: Store) -> None:
    road = Road(store, woocommerce.a_shop())
    road.deliver(product(0))
    road.send(lambda command: Verdict.DEAD)
    assert kinds(road.commands(road.deliver(product(0)))) == [CommandKind.PRODUCT_UPSERT]
    road.send()
    assert road.commands(road.deliver(product(0))) == []
    assert [item.product_id for item in store.items.stream("main", road.shop.location)] == ["2010"]


def test_an_event_that_becomes_another_contacts_is_removed_before_it_is_added(store: Store) -> None:
    """Both in one queue: otherwise the event could be changed instead of added, and then removed."""
    road = Road(store, woocommerce.a_shop())
    typo = woo_order(after(0), "processing", billing={"email": "jan.lip@example.com"})
    road.deliver(step("order.updated", typo, after(0)))
    road.send()
    corrected = road.deliver(step("order.updated", woo_order(after(5), "processing"), after(5)))
    assert kinds(road.commands(corrected)) == [UPSERT, CommandKind.EVENT_DELETE, PUT]
    assert len({each.subject for each in road.commands(corrected)}) == 1
    sent = road.send()
    assert [(command.kind, bool(command.event_id)) for command in sent] == [
        (UPSERT, False),
        (CommandKind.EVENT_DELETE, True),
        (PUT, False),
    ]


def test_a_dry_run_stores_what_it_would_send_and_remembers_nothing_as_told(store: Store) -> None:
    life = LIVES["woocommerce"]
    dry = Road(store, replace(life.shop, dry_run=True))
    paid, refunded = life.steps[2], life.steps[3]
    first = dry.deliver(paid)
    assert {each.state for each in dry.commands(first)} == {CommandState.DROPPED}
    assert kinds(dry.commands(first)) == [UPSERT, PUT]
    assert kinds(dry.commands(dry.deliver(refunded))) == [UPSERT, PUT, PUT], "all of it, since nothing was told"
    assert dry.send() == []

    real = Road(store, life.shop)
    assert kinds(real.replay(first)) == [UPSERT, PUT, PUT]
    assert kinds(real.send()) == [UPSERT, PUT, PUT]


def test_a_held_cart_is_announced_when_its_time_has_come(store: Store) -> None:
    road = Road(store, woocommerce.a_shop())
    pending = woo_order(NOW - timedelta(minutes=10), "pending")
    delivery = road.deliver(step("order.created", pending, NOW - timedelta(minutes=10)))
    assert kinds(road.commands(delivery)) == [UPSERT]
    road.now = NOW + timedelta(minutes=19)
    road.translate()
    assert kinds(road.commands(delivery)) == [UPSERT]
    road.now = NOW + timedelta(minutes=20)
    road.translate()
    assert kinds(road.commands(delivery)) == [UPSERT, PUT]


def test_events_of_a_life_are_removed_by_their_ids(store: Store) -> None:
    road = Road(store, woocommerce.a_shop())
    refunds = woo_refunds((1, "5.00"))
    road.deliver(step("order.updated", woo_order(after(0), "processing", refunds=refunds), after(0)))
    road.send()
    road.deliver(step("order.updated", woo_order(after(9), "processing"), after(9)))
    [removed] = road.send()
    assert (removed.kind, removed.event_id is not None) == (CommandKind.EVENT_DELETE, True)
