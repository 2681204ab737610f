from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from relay.commands import EventKey
from relay.memory import CatalogItem, Memory, Resource
from relay.store.memory import StoredMemory
from tests.support.stored import NOW, after, ask, put

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
