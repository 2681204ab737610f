from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from relay.commands import CommandState, Verdict
from relay.deliveries import DeliveryState, Translation
from relay.memory import CatalogItem, Resource
from relay.store import DeliveryFilter
from relay.store.workbench import STORED_AT_ONCE
from tests.support.stored import (
    LEASE_S,
    NOW,
    after,
    ask,
    claim,
    claim_delivery,
    claim_one,
    end,
    new_delivery,
    put,
    translated,
    upsert,
)


def test_delivery_is_kept_exactly_as_received(store):
    new = new_delivery(
        body=b"\x00\xff not even text",
        headers={"x-shopify-topic": "orders/create", "x-odd": "żółć"},
        delivery_id="d-1",
        webhook_id="w-1",
        event_id="e-1",
        triggered_at=after(-5),
        api_version="2026-07",
    )
    recorded = store.deliveries.record(new)

    view = store.reading.delivery(recorded.id)
    assert (view.body, view.headers) == (new.body, new.headers)
    assert (view.delivery_id, view.webhook_id, view.event_id) == ("d-1", "w-1", "e-1")
    assert (view.received_at, view.triggered_at, view.api_version) == (NOW, after(-5), "2026-07")
    assert view.state is DeliveryState.RECEIVED


def test_repeated_delivery_is_stored_once_and_receives_the_first_receipt(store):
    first = store.deliveries.record(new_delivery(dedupe="same"))
    repeat = store.deliveries.record(new_delivery(dedupe="same", body=b"other"), translated(upsert()))

    assert (first.repeated, repeat.repeated) == (False, True)
    assert repeat.id == first.id
    assert len(store.reading.deliveries()) == 1
    assert store.commands.of_delivery(first.id) == []


def test_repeats_that_arrive_at_once_are_stored_once(store):
    barrier = threading.Barrier(8)
    receipts = []

    def send() -> None:
        barrier.wait()
        for number in range(10):
            receipts.append(store.deliveries.record(new_delivery(dedupe=f"same-{number}")))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(receipts) == 80
    assert sum(not receipt.repeated for receipt in receipts) == 10
    assert len({receipt.id for receipt in receipts}) == 10


def test_rest_delivery_is_stored_together_with_what_it_means(store):
    meaning = translated(upsert(), put(), warnings=("cut",), resource_kind="order", resource_id="1001")
    recorded = store.deliveries.record(new_delivery(platform="api", shop=None), meaning)

    assert store.deliveries.claim(after(1), LEASE_S, 10) == []
    view = store.reading.delivery(recorded.id)
    assert (view.state, view.warnings, view.resource_id) == (DeliveryState.TRANSLATED, ("cut",), "1001")
    assert [command.kind for command in store.commands.of_delivery(recorded.id)] == ["contact.upsert", "event.put"]


def test_claim_gives_the_oldest_first_and_each_only_once(store):
    ids = [store.deliveries.record(new_delivery(received_at=after(-second))).id for second in (1, 3, 2)]

    first = store.deliveries.claim(NOW, LEASE_S, 2)
    second = store.deliveries.claim(NOW, LEASE_S, 2)

    assert [delivery.id for delivery in first] == [ids[1], ids[2]]
    assert [delivery.id for delivery in second] == [ids[0]]
    assert store.deliveries.claim(NOW, LEASE_S, 2) == []


def test_expired_lease_is_taken_over_and_counted_as_an_attempt(store):
    store.deliveries.record(new_delivery())
    lost = claim_delivery(store)
    assert store.deliveries.claim(after(LEASE_S - 1), LEASE_S, 10) == []

    taken = claim_delivery(store, after(LEASE_S))

    assert taken.id == lost.id
    assert (lost.attempts, taken.attempts) == (0, 1)
    assert taken.lease_token != lost.lease_token


def test_finish_applies_the_whole_translation(store):
    recorded = store.deliveries.record(new_delivery())
    delivery = claim_delivery(store)
    order = Resource("acme", "order", "1001", NOW, "ann@example.com", "orders/create", b'{"id": 1}', {"paid": True})
    item = CatalogItem("main", "acme_shop", "7", "acme", "70", {"name": "Mug"}, active=True)

    with store.deliveries.translating() as bench:
        assert bench.finish(delivery, translated(upsert(), put(), resources=(order,), items=(item,)), NOW)

    view = store.reading.delivery(recorded.id)
    assert view.state is DeliveryState.TRANSLATED
    assert [command.kind for command in store.commands.of_delivery(recorded.id)] == ["contact.upsert", "event.put"]
    assert [stored.product_id for stored in store.items.stream("main", "acme_shop")] == ["7"]
    with store.deliveries.translating() as bench:
        assert bench.memory.resource("acme", "order", "1001") == order


def test_zombies_translation_counts_for_nothing(store):
    recorded = store.deliveries.record(new_delivery())
    zombie = claim_delivery(store)
    claim_delivery(store, after(LEASE_S))

    with store.deliveries.translating() as bench:
        assert not bench.finish(zombie, translated(upsert()), after(LEASE_S + 1))

    assert store.reading.delivery(recorded.id).state is DeliveryState.RECEIVED
    assert store.commands.of_delivery(recorded.id) == []
    assert not store.deliveries.postpone(zombie, "late", after(100))
    assert not store.deliveries.bury(zombie, "late")


def test_failed_translation_leaves_nothing_behind(store):
    recorded = store.deliveries.record(new_delivery())
    delivery = claim_delivery(store)

    with pytest.raises(ZeroDivisionError), store.deliveries.translating() as bench:
        bench.finish(delivery, translated(upsert()), NOW)
        raise ZeroDivisionError

    assert store.commands.of_delivery(recorded.id) == []
    assert store.reading.delivery(recorded.id).state is DeliveryState.RECEIVED
    with store.deliveries.translating() as bench:
        assert bench.finish(delivery, translated(upsert()), NOW), "the lease still holds"


def test_receiver_may_write_between_the_deliveries_of_a_long_slice_and_a_lost_lease_ends_it(store):
    """What was stored before the delivery whose lease was lost stays on SQLite, and is not done again."""
    number = STORED_AT_ONCE + 2
    for _ in range(number):
        store.deliveries.record(new_delivery())
    claimed = store.deliveries.claim(NOW, LEASE_S, number)
    lost = replace(claimed[-1], lease_token="another's")
    with store.deliveries.translating() as bench:
        for delivery in (*claimed[:-1], lost):
            bench.keep(delivery, translated(upsert(f"{delivery.id}@example.com")), NOW)
        assert not bench.store(NOW)

    states = [store.reading.delivery(each.id).state for each in claimed]
    stored = STORED_AT_ONCE if store._database.has_one_writer else 0
    assert states == [DeliveryState.TRANSLATED] * stored + [DeliveryState.RECEIVED] * (number - stored)
    with store.deliveries.translating() as bench:
        again = bench.finish(claimed[0], translated(upsert(f"{claimed[0].id}@example.com")), NOW)
    assert again is (stored == 0)
    assert len(store.commands.of_delivery(claimed[0].id)) == 1


def test_claim_that_finds_nothing_due_keeps_nobody_from_writing(store):
    store.deliveries.record(new_delivery())
    assert len(store.deliveries.claim(NOW, LEASE_S, 10)) == 1
    with store._database.writing():
        assert store.deliveries.claim(after(LEASE_S - 1), LEASE_S, 10) == []
    assert len(store.deliveries.claim(after(LEASE_S), LEASE_S, 10)) == 1


def test_held_delivery_comes_back_when_it_is_due(store):
    recorded = store.deliveries.record(new_delivery())
    held = Translation(DeliveryState.HELD, reason="no-order-yet", due_at=after(600))
    delivery = claim_delivery(store)
    with store.deliveries.translating() as bench:
        bench.finish(delivery, held, NOW)

    assert store.deliveries.claim(after(599), LEASE_S, 10) == []
    assert claim_delivery(store, after(600)).id == recorded.id


def test_being_held_counts_as_no_failed_try(store):
    store.deliveries.record(new_delivery())
    for look in range(3):
        delivery = claim_delivery(store, after(look))
        assert delivery.attempts == 0
        with store.deliveries.translating() as bench:
            bench.finish(delivery, Translation(DeliveryState.HELD, reason="cart-after", due_at=after(look + 1)), NOW)


def test_postponed_delivery_waits_and_tells_why(store):
    recorded = store.deliveries.record(new_delivery())
    assert store.deliveries.postpone(claim_delivery(store), "unexpected trouble", after(30))

    view = store.reading.delivery(recorded.id)
    assert (view.state, view.reason) == (DeliveryState.RECEIVED, "unexpected trouble")
    assert store.deliveries.claim(after(29), LEASE_S, 10) == []
    assert claim_delivery(store, after(30)).attempts == 1


def test_buried_delivery_is_a_dead_letter(store):
    recorded = store.deliveries.record(new_delivery())
    assert store.deliveries.bury(claim_delivery(store), "hopeless")

    assert store.deliveries.claim(after(10_000), LEASE_S, 10) == []
    (dead,) = store.reading.deliveries(DeliveryFilter(state=DeliveryState.DEAD))
    assert (dead.id, dead.reason) == (recorded.id, "hopeless")


def test_replay_translates_anew_and_supersedes_what_still_waits(store):
    delivery_id = ask(store, upsert(), put())
    end(store, Verdict.DONE)

    store.deliveries.replay(delivery_id, after(5))

    states = [command.state for command in store.commands.of_delivery(delivery_id)]
    assert states == [CommandState.DONE, CommandState.SUPERSEDED]
    again = claim_delivery(store, after(5))
    assert (again.id, again.attempts) == (delivery_id, 0)


def test_replay_keeps_a_command_that_may_have_reached_salesmanago(store):
    delivery_id = ask(store, put())
    end(store, Verdict.RETRY, due_at=after(10), answer_lost=True)

    store.deliveries.replay(delivery_id, after(5))

    (command,) = store.commands.of_delivery(delivery_id)
    assert command.state is CommandState.WAITING


def test_replay_fences_out_the_translation_under_way(store):
    recorded = store.deliveries.record(new_delivery())
    under_way = claim_delivery(store)
    store.deliveries.replay(recorded.id, NOW)

    with store.deliveries.translating() as bench:
        assert not bench.finish(under_way, translated(upsert()), NOW)


def test_replay_of_an_unknown_delivery_is_a_lookup_error(store):
    with pytest.raises(LookupError, match="no delivery 99"):
        store.deliveries.replay(99, NOW)


def test_commands_of_one_delivery_keep_their_order(store):
    delivery_id = ask(store, *(put(value=number) for number in range(20)))

    views = store.commands.of_delivery(delivery_id)
    assert [view.payload["contactEvent"]["value"] for view in views] == list(range(20))
    assert claim_one(store).id == views[0].id
    assert claim(store) == []
