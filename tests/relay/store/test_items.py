from __future__ import annotations

import itertools
import tracemalloc
from dataclasses import replace

from relay.memory import CatalogItem
from relay.store import items
from tests.support.stored import NOW, after, ask

MUG = CatalogItem("main", "acme_shop", "7", "acme", "70", {"name": "Mug"}, active=True)


def test_feed_gives_the_active_items_of_one_shop_in_order(store, monkeypatch):
    monkeypatch.setattr(items, "PAGE", 2)
    numbered = [replace(MUG, product_id=str(number)) for number in (5, 1, 4, 2, 3)]
    ask(store, items=(*numbered, replace(MUG, product_id="6", active=False)))
    ask(store, items=(replace(MUG, location="other_shop", product_id="9"),))

    assert [item.product_id for item in store.items.stream("main", "acme_shop")] == ["1", "2", "3", "4", "5"]
    assert list(store.items.stream("other", "acme_shop")) == []


def test_streaming_holds_a_page_at_most(store, monkeypatch):
    monkeypatch.setattr(items, "PAGE", 50)
    big = {"description": "x" * 10_000}
    ask(store, items=tuple(replace(MUG, product_id=f"{number:04}", fields=big) for number in range(600)))
    stream = store.items.stream("main", "acme_shop")
    next(stream)
    tracemalloc.start()
    count = 1 + sum(1 for _ in stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 600
    assert peak < 600 * 10_000 / 2


def test_feed_that_is_read_slowly_holds_up_nobody(store, monkeypatch):
    monkeypatch.setattr(items, "PAGE", 1)
    ask(store, items=(MUG, replace(MUG, product_id="8")))
    stream = store.items.stream("main", "acme_shop")
    next(stream)
    ask(store, items=(replace(MUG, product_id="9"),))

    assert [item.product_id for item in itertools.islice(stream, 5)] == ["8", "9"]


def test_version_moves_with_every_change_and_only_then(store):
    assert store.items.version("main", "acme_shop") == (0, None)
    ask(store, items=(MUG,))
    assert store.items.version("main", "acme_shop") == (1, NOW)
    ask(store, items=(MUG,), at=after(1))
    assert store.items.version("main", "acme_shop") == (1, NOW), "nothing changed"
    ask(store, items=(replace(MUG, fields={"name": "Cup"}),), at=after(2))
    assert store.items.version("main", "acme_shop") == (1, after(2))
    ask(store, items=(replace(MUG, active=False),), at=after(3))
    assert store.items.version("main", "acme_shop") == (0, after(3))
