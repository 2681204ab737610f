from __future__ import annotations

import pytest

from relay.commands import CommandKind, CommandState, Lane, Outcome, Verdict
from relay.deliveries import DeliveryState, Translation
from relay.store import CommandFilter, DeliveryFilter
from tests.support.stored import NOW, ask, claim_delivery, end, new_delivery, product, put, upsert


def test_deliveries_are_listed_newest_first_a_page_at_a_time(store):
    ids = [store.deliveries.record(new_delivery()).id for _ in range(5)]

    pages = [store.reading.deliveries(limit=2)]
    while pages[-1]:
        pages.append(store.reading.deliveries(limit=2, before_id=pages[-1][-1].id))

    assert [[view.id for view in page] for page in pages] == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]], []]
    assert pages[0][0].body is None, "a list carries no bodies"


@pytest.mark.parametrize(
    "chosen",
    [
        DeliveryFilter(state=DeliveryState.IGNORED),
        DeliveryFilter(shop="other"),
        DeliveryFilter(group="second"),
        DeliveryFilter(topic="carts/update"),
        DeliveryFilter(resource_kind="cart"),
        DeliveryFilter(resource_id="c-1"),
        DeliveryFilter(shop="other", resource_kind="cart", resource_id="c-1"),
    ],
)
def test_deliveries_are_found_by_what_they_are_about(store, chosen):
    about = Translation(DeliveryState.IGNORED, reason="no-email", resource_kind="cart", resource_id="c-1")
    wanted = store.deliveries.record(new_delivery(shop="other", group="second", topic="carts/update"), about)
    for state in (DeliveryState.RECEIVED, DeliveryState.DEAD):
        store.deliveries.record(new_delivery(), Translation(state, resource_kind="order", resource_id="1"))

    (view,) = store.reading.deliveries(chosen)
    assert (view.id, view.reason) == (wanted.id, "no-email")


def test_unknown_ids_give_nothing(store):
    assert store.reading.delivery(99) is None
    assert store.reading.command(99) is None
    assert store.commands.of_delivery(99) == []


@pytest.mark.parametrize(
    "chosen",
    [
        CommandFilter(state=CommandState.DEAD),
        CommandFilter(group="second"),
        CommandFilter(kind=CommandKind.PRODUCT_UPSERT),
        CommandFilter(subject="product:acme_shop:7"),
    ],
)
def test_commands_are_found_by_what_they_are(store, chosen):
    ask(store, product("7"), group="second")
    dead = end(store, Verdict.DEAD, message="refused", status=400)
    ask(store, upsert())

    (view,) = store.reading.commands(chosen)
    assert (view.id, view.lane, view.last_error) == (dead.id, Lane.CATALOG, "refused")
    assert [(attempt.status, attempt.verdict) for attempt in view.attempts] == [(400, Verdict.DEAD)]


def test_commands_are_listed_newest_first_a_page_at_a_time(store):
    delivery_id = ask(store, *(put(value=number) for number in range(3)))
    ids = [view.id for view in store.commands.of_delivery(delivery_id)]

    first = store.reading.commands(limit=2)
    assert [view.id for view in first] == [ids[2], ids[1]]
    assert [view.id for view in store.reading.commands(before_id=first[-1].id)] == [ids[0]]


def test_dead_letters_are_what_somebody_must_act_on(store):
    store.deliveries.record(new_delivery())
    store.deliveries.bury(claim_delivery(store), "hopeless")
    ask(store, upsert("ann@example.com"), upsert("bob@example.com"))
    ask(store, put("cid@example.com"), group="second")
    claimed = {command.email: command for command in store.commands.claim(NOW, 60, 10)}
    store.commands.settle([Outcome(claimed["ann@example.com"], Verdict.DEAD)], NOW)
    store.commands.settle([Outcome(claimed["bob@example.com"], Verdict.DONE)], NOW)
    store.commands.settle([Outcome(claimed["cid@example.com"], Verdict.UNCERTAIN)], NOW)

    dead = store.reading.dead()
    assert [view.reason for view in dead.deliveries] == ["hopeless"]
    assert [view.state for view in dead.commands] == [CommandState.UNCERTAIN, CommandState.DEAD]
    assert [view.group for view in store.reading.dead(group="second").commands] == ["second"]
    assert store.reading.dead(group="second").deliveries == []


def test_counts_tell_what_is_open_or_needs_somebody(store):
    store.deliveries.record(new_delivery())
    store.deliveries.record(new_delivery(), Translation(DeliveryState.HELD, reason="early", due_at=NOW))
    store.deliveries.record(new_delivery(), Translation(DeliveryState.DEAD, reason="bad"))
    ask(store, upsert(), put(), put(value=2))
    end(store, Verdict.DONE)
    end(store, Verdict.UNCERTAIN)
    ask(store, product(), group="second")

    counts = store.reading.counts()
    assert counts.deliveries == {"received": 1, "held": 1, "dead": 1}
    assert counts.commands == {("main", "uncertain"): 1, ("main", "waiting"): 1, ("second", "waiting"): 1}
