from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from relay.commands import EventKey
from relay.jsontext import digest
from relay.memory import CatalogItem, Memory, Outlook, Resource
from relay.privacy import CONTACT_KIND, contacts_of
from relay.store.memory import StoredMemory
from tests.support.statements import noting
from tests.support.stored import NOW, after, ask, claim_delivery, new_delivery, put, translated, upsert

ORDER = Resource("acme", "order", "1001", NOW, "ann@example.com", "orders/create", b'{"id": 1001}', {"paid": True})
ITEM = CatalogItem("main", "acme_shop", "7", "acme", "70", {"name": "Mug", "price": Decimal("9.90")}, active=True)


def recall(store, ask_memory):
    with store.deliveries.translating() as bench:
        return ask_memory(bench.memory)


def test_stored_memory_is_what_translation_expects():
    def reads(memory: Memory) -> Memory:
        return memory

    assert reads(StoredMemory.__new__(StoredMemory))


def test_resource_is_remembered_as_it_was_last(store):
    ask(store, resources=(ORDER,))
    newer = replace(ORDER, updated_at=after(60), email=None, body=None, facts={"total": Decimal("10.50")})
    ask(store, resources=(newer,))

    assert recall(store, lambda memory: memory.resource("acme", "order", "1001")) == newer


def test_resources_of_other_shops_and_kinds_are_strangers(store):
    ask(store, resources=(ORDER,))

    assert recall(store, lambda memory: memory.resource("other", "order", "1001")) is None
    assert recall(store, lambda memory: memory.resource("acme", "cart", "1001")) is None


def test_all_events_of_a_resource_are_given_by_slot(store):
    slots = ["RETURN:2", "PURCHASE", "RETURN:1"]
    ask(store, *(put(key=EventKey("acme", "order", "1001", slot)) for slot in slots))
    ask(store, put(key=EventKey("acme", "order", "1002", "PURCHASE")))

    links = recall(store, lambda memory: memory.events("acme", "order", "1001"))
    assert [link.key.slot for link in links] == ["PURCHASE", "RETURN:1", "RETURN:2"]


def test_items_are_found_by_their_source_and_by_their_own_id(store):
    second = replace(ITEM, product_id="8")
    elsewhere = replace(ITEM, product_id="9", source_id="90")
    ask(store, items=(second, ITEM, elsewhere))

    found = recall(store, lambda memory: memory.items("main", "acme_shop", "acme", "70"))
    assert [item.product_id for item in found] == ["7", "8"]
    item = recall(store, lambda memory: memory.item("main", "acme_shop", "7"))
    assert item == replace(ITEM, updated_at=NOW)
    assert recall(store, lambda memory: memory.item("main", "acme_shop", "10")) is None


def test_what_was_foreseen_is_read_as_if_one_by_one(store):
    other = replace(ORDER, id="1002", facts={"paid": False}, email=None)
    keys = [EventKey("acme", "order", "1001", slot) for slot in ("RETURN:1", "PURCHASE")]
    card = Resource(
        contacts_of("main"),
        CONTACT_KIND,
        recall(store, lambda memory: memory.pseudonym("main", "ann@example.com")),
        facts={"told": {}},
    )
    ask(store, upsert("Ann@example.com"), *(put(key=key) for key in keys), resources=(ORDER, other, card))
    orders = tuple(("acme", "order", id_) for id_ in ("1001", "1002", "1003"))
    outlooks = [
        Outlook((orders[0], ("acme", "cart", "7")), orders[:1], (("main", "ann@example.com"),)),
        Outlook(orders[1:], orders[1:], (("main", "nobody@example.com"), ("other", "ann@example.com"))),
    ]

    def read(memory):
        return (
            [memory.resource(*key) for key in (*orders, ("acme", "cart", "7"))],
            memory.resource(card.shop, card.kind, card.id),
            [memory.events(*key) for key in orders],
            [memory.contact_digest(*each) for outlook in outlooks for each in outlook.people],
        )

    one_by_one = recall(store, read)
    with store.deliveries.translating() as bench:
        bench.foresee(outlooks)
        assert read(bench.memory) == one_by_one
    resources, contact, links, digests = one_by_one
    assert resources == [ORDER, other, None, None]
    assert contact == card
    assert [len(each) for each in links] == [2, 0, 0]
    assert digests == [digest(upsert("Ann@example.com").payload), None, None]


def test_nothing_is_read_of_what_was_foreseen(store, statements):
    ask(store, upsert(), put(), resources=(ORDER,))
    key = ("acme", "order", "1001")
    with store.deliveries.translating() as bench:
        bench.foresee([Outlook((key,), (key,), (("main", "ann@example.com"),))])
        statements.clear()
        bench.memory.resource(*key)
        bench.memory.events(*key)
        bench.memory.contact_digest("main", "ann@example.com")
    assert statements == []


def test_foreseeing_does_not_undo_what_the_slice_has_changed(store):
    ask(store, resources=(ORDER,))
    key = ("acme", "order", "1001")
    changed = replace(ORDER, facts={"paid": False})
    store.deliveries.record(new_delivery())
    delivery = claim_delivery(store)
    with store.deliveries.translating() as bench:
        bench.keep(delivery, translated(put(), resources=(changed,)), NOW)
        bench.foresee([Outlook((key,), (key,))])
        assert bench.memory.resource(*key) == changed
        assert [link.digest for link in bench.memory.events(*key)] == [digest(put().payload)]


@pytest.fixture
def statements(store):
    seen = []
    with noting(store._database.engine, lambda statement, _: seen.append(statement)):
        yield seen
