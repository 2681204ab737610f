from __future__ import annotations

from sqlalchemy import event

from relay.store import Store
from relay.store.engine import open_database
from relay.store.pseudonyms import Pseudonyms


def test_all_who_open_a_store_have_one_key(store: Store, database_url, tmp_path):
    other = open_database(database_url, tmp_path, 5.0)
    assert Pseudonyms(store._database).key == Pseudonyms(other).key
    other.close()


def test_key_is_looked_up_once(store: Store):
    asked: list[str] = []
    event.listen(store._database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for _ in range(3):
        with store.deliveries.translating() as bench:
            assert bench.memory.pseudonym("main", "ann@example.com") == bench.memory.pseudonym(
                "main", "ann@example.com"
            )
    first = len(asked)
    with store.deliveries.translating() as bench:
        bench.memory.pseudonym("main", "ben@example.com")
    assert [words for words in asked[first:] if "keys" in words] == []
