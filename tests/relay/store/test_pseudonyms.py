from __future__ import annotations

from relay.store import Store
from relay.store.engine import open_database
from relay.store.pseudonyms import Pseudonyms
from tests.support.statements import noting


def test_all_who_open_a_store_have_one_key(store: Store, database_url, tmp_path):
    other = open_database(database_url, tmp_path, 5.0)
    assert Pseudonyms(store._database).key == Pseudonyms(other).key
    other.close()


def test_key_is_looked_up_once(store: Store):
    asked: list[str] = []
    names: set[str] = set()
    with store.deliveries.translating() as bench:
        names.add(bench.memory.pseudonym("main", "ann@example.com"))
    with noting(store._database.engine, lambda statement, _: asked.append(statement)):
        for _ in range(3):
            with store.deliveries.translating() as bench:
                names.add(bench.memory.pseudonym("main", "ann@example.com"))
    assert len(names) == 1
    assert [words for words in asked if "keys" in words] == []
