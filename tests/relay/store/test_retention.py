from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from relay.commands import Verdict
from relay.deliveries import DeliveryState, Translation
from relay.memory import Resource
from relay.store import Store
from relay.store.retention import SLICE, Pruned
from relay.store.tables import resources
from tests.support.stored import NOW, PURCHASE, ask, end, finish_all, new_delivery, put, upsert

OLD = NOW - timedelta(days=800)
BEFORE = NOW - timedelta(days=730)


def remembered(store: Store, *resources: Resource) -> None:
    new = new_delivery(received_at=NOW)
    store.deliveries.record(new, Translation(DeliveryState.IGNORED, resources=resources))


def known(store: Store, kind: str, resource_id: str) -> bool:
    with store.deliveries.translating() as bench:
        return bench.memory.resource("acme", kind, resource_id) is not None


def test_deliveries_that_are_through_leave_with_their_commands_when_they_are_old(store: Store):
    old = ask(store, upsert(), put(), at=OLD)
    for _ in range(2):
        end(store, Verdict.DONE, event_id="e-1")
    young = ask(store, upsert("ben@example.com"), at=NOW)
    end(store, Verdict.DONE)
    assert store.retention.prune(BEFORE) == Pruned(1, after=young, is_last=False)
    assert store.reading.delivery(old) is None
    assert store.commands.of_delivery(old) == []
    assert store.reading.delivery(young) is not None
    assert store.retention.prune(BEFORE).is_last


def test_the_link_to_an_event_outlasts_the_delivery_it_came_from(store: Store):
    ask(store, put(), at=OLD)
    end(store, Verdict.DONE, event_id="e-1")
    store.retention.prune(BEFORE)
    with store.deliveries.translating() as bench:
        [link] = bench.memory.events(PURCHASE.shop, PURCHASE.kind, PURCHASE.resource_id)
    assert link.event_id == "e-1"


def test_what_waits_for_somebody_stays_however_old(store: Store):
    dead = ask(store, upsert("ben@example.com"), at=OLD)
    end(store, Verdict.DEAD)
    waiting = ask(store, upsert(), at=OLD)
    received = store.deliveries.record(new_delivery(received_at=OLD)).id
    assert store.retention.prune(BEFORE).count == 0
    assert all(store.reading.delivery(each) is not None for each in (waiting, dead, received))


def test_orders_carts_and_accounts_nothing_was_heard_of_are_forgotten_and_nothing_else(store: Store):
    body = b"{}"
    remembered(
        store,
        Resource("acme", "order", "old", updated_at=OLD, body=body),
        Resource("acme", "cart", "old", updated_at=OLD, body=body),
        Resource("acme", "customer", "old", updated_at=OLD, body=body),
        Resource("acme", "product", "old", updated_at=OLD, body=body),
        Resource("acme", "order", "erased", updated_at=OLD, facts={"erased_at": 1}),
        Resource("acme", "order", "young", updated_at=NOW, body=body),
    )
    assert store.retention.prune(BEFORE).count == 3
    left = [(kind, id_) for kind in ("order", "cart", "customer", "product") for id_ in ("old", "erased", "young")]
    assert [pair for pair in left if known(store, *pair)] == [
        ("order", "erased"),
        ("order", "young"),
        ("product", "old"),
    ]


def test_what_has_to_stay_does_not_keep_what_follows_it(store: Store):
    kept = [store.deliveries.record(new_delivery(received_at=OLD)).id for _ in range(SLICE)]
    old = ask(store, upsert(), at=OLD)
    end(store, Verdict.DONE)
    first = store.retention.prune(BEFORE)
    assert first == Pruned(0, after=kept[-1], is_last=False)
    assert store.retention.prune(BEFORE, first.after).count == 1
    assert store.reading.delivery(old) is None


def test_deliveries_of_a_clock_that_was_wrong_for_a_while_do_not_keep_those_behind_them(store: Store):
    for _ in range(SLICE + 1):
        store.deliveries.record(new_delivery(received_at=NOW))
    behind = [ask(store, upsert(), at=OLD) for _ in range(SLICE)]
    finish_all(store)
    after, gone = 0, 0
    for _ in range(5):
        pruned = store.retention.prune(BEFORE, after)
        after, gone = pruned.after, gone + pruned.count
        if pruned.is_last:
            break
    assert pruned.is_last
    assert gone == len(behind)


@pytest.mark.postgres
def test_order_that_is_being_changed_is_not_forgotten_on_postgresql(postgres_url, tmp_path):
    store = Store.open(postgres_url, folder=tmp_path)
    remembered(store, *(Resource("acme", "order", id_, updated_at=OLD, body=b"{}") for id_ in ("1", "2")))
    with store._database.writing() as connection:
        is_first = (resources.c.shop == "acme", resources.c.kind == "order", resources.c.id == "1")
        connection.execute(update(resources).where(*is_first).values(updated_at=NOW))
        assert store.retention.prune(BEFORE).count == 1
    assert known(store, "order", "1")
    assert not known(store, "order", "2")
    store.close()
