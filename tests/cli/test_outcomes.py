from __future__ import annotations

import pytest

from cli.outcomes import find, wait
from cli.posting import Posted
from cli.sample_files import Sample
from relay.commands import Verdict
from relay.deliveries import DeliveryState, Translation
from relay.platforms import Sending
from tests.support.cli import shop
from tests.support.stored import (
    NOW,
    after,
    ask,
    claim_delivery,
    contact_delete,
    end,
    new_delivery,
    put,
    translated,
    upsert,
)


@pytest.fixture
def store(cli):
    return cli.store


def posted(*delivery_ids, shop_key="acme"):
    sample = Sample("shopify", "orders_create__x", None, "orders/create")
    return [
        Posted(sample, Sending(shop(shop_key, "shopify"), "orders/create", b"{}", each, NOW), 200, "stored")
        for each in delivery_ids
    ]


def test_deliveries_are_found_by_their_shop_and_delivery_id(store):
    for delivery_id, shop_key in (("a", "acme"), ("b", "acme"), ("a", "other"), ("c", "other")):
        store.deliveries.record(new_delivery(delivery_id=delivery_id, shop=shop_key))
    assert find(store, posted("a", "b", "c")) == {"a": 1, "b": 2}


def test_waiting_ends_as_soon_as_everything_is_through(store, clock):
    store.deliveries.record(new_delivery())
    sleeps = []

    def work(seconds):
        sleeps.append(seconds)
        clock.advance(seconds)
        if len(sleeps) == 1:
            delivery = claim_delivery(store)
            with store.deliveries.translating() as bench:
                bench.finish(delivery, translated(put(contactExtEventType="CART"), contact_delete()), NOW)
        else:
            end(store, Verdict.DONE)

    outcomes, through = wait(store, {"a": 1}, clock, 20, work)
    assert through
    assert len(sleeps) == 3
    assert outcomes["a"].words == "event.put CART done; contact.delete done"


def test_waiting_is_bounded(store, clock):
    store.deliveries.record(new_delivery())
    outcomes, through = wait(store, {"a": 1}, clock, 5, clock.advance)
    assert not through
    assert outcomes["a"].words == "received"
    assert 5 <= (clock.now() - NOW).total_seconds() < 6


def test_what_is_put_off_beyond_the_wait_is_not_waited_for(store, clock):
    held = Translation(DeliveryState.HELD, reason="cart-after", due_at=after(600))
    store.deliveries.record(new_delivery(), held)
    ask(store, upsert())
    end(store, Verdict.RETRY, message="Busy", due_at=after(600))
    outcomes, through = wait(store, {"a": 1, "b": 2}, clock, 5, clock.advance)
    assert through
    assert clock.now() == NOW
    assert outcomes["a"].words == "held: cart-after"
    assert outcomes["b"].words == "contact.upsert waiting (Busy)"


def test_a_delivery_under_translation_is_waited_for(store, clock):
    store.deliveries.record(new_delivery())
    claim_delivery(store)
    assert wait(store, {"a": 1}, clock, 1, clock.advance)[1] is False


@pytest.mark.parametrize(
    ("translation", "words"),
    [
        (Translation(DeliveryState.DEAD, reason="email: bad"), "dead: email: bad"),
        (Translation(DeliveryState.IGNORED, reason="no-email"), "ignored: no-email"),
        (Translation(DeliveryState.IGNORED), "ignored"),
        (Translation(DeliveryState.TRANSLATED), "nothing new to send"),
    ],
)
def test_the_outcome_in_words(store, clock, translation, words):
    store.deliveries.record(new_delivery(), translation)
    assert wait(store, {"a": 1}, clock, 1, clock.advance)[0]["a"].words == words
