"""How bodies are kept: small, and given back byte for byte to everybody who reads them."""

from __future__ import annotations

import pytest
from sqlalchemy import LargeBinary, insert, select, type_coerce

from relay.store import Store
from relay.store.columns import PACKED
from relay.store.receiving import insert_deliveries, packed
from relay.store.tables import deliveries
from tests.support.privacy import files_naming, tables_naming
from tests.support.stored import NOW, new_delivery

BODY = b'{"id": 1001, "email": "ann@example.com", "note": "' + b"a long order " * 300 + b'"}'


def kept(store: Store) -> list[bytes]:
    """Give the bodies as they stand in the table."""
    with store.deliveries._database.reading() as connection:
        return list(connection.scalars(select(type_coerce(deliveries.c.body, LargeBinary)).order_by(deliveries.c.id)))


@pytest.mark.parametrize("body", [b"", b"{}", BODY, PACKED + BODY, b"\xff\x00 no text"])
def test_body_comes_back_as_it_was_sent(store: Store, body: bytes):
    id_ = store.deliveries.record(new_delivery(body=body)).id
    view = store.reading.delivery(id_)
    assert view is not None
    assert view.body == body
    [claimed] = store.deliveries.claim(NOW, 60, 1)
    assert claimed.body == body


def test_body_is_kept_small(store: Store):
    store.deliveries.record(new_delivery(body=BODY))
    [body] = kept(store)
    assert len(body) < len(BODY) / 10


def test_body_that_was_packed_before_is_packed_once(store: Store):
    new = new_delivery(body=BODY)
    with store.deliveries._database.writing() as connection:
        insert_deliveries(connection, [packed(new), packed(new_delivery(body=PACKED)), new_delivery(body=BODY)])
    first, _, other = kept(store)
    assert first == other
    assert [each.body for each in store.deliveries.claim(NOW, 60, 10)] == [BODY, PACKED, BODY]


def test_body_of_an_earlier_version_is_read_and_searched_as_it_is(store: Store, database_url: str):
    store.deliveries.record(new_delivery(body=b"{}"))
    with store.deliveries._database.writing() as connection:
        plain = dict(connection.execute(select(deliveries)).mappings().one()) | {"id": 2, "dedupe": "earlier"}
        connection.execute(insert(deliveries).values(plain | {"body": type_coerce(BODY, LargeBinary)}))
    assert kept(store)[1] == BODY
    view = store.reading.delivery(2)
    assert view is not None
    assert view.body == BODY
    assert tables_naming(database_url, "ann@example.com") == {"deliveries"}


def test_search_of_files_finds_what_is_packed_in_them(sqlite_url: str, tmp_path):
    """The tests of erasing rely on it."""
    store = Store.open(sqlite_url, folder=tmp_path)
    store.deliveries.record(new_delivery(body=BODY))
    store.close()
    assert b"ann@example.com" not in (tmp_path / "relay.db").read_bytes()
    assert files_naming(tmp_path, "Ann@example.com") == {"relay.db"}
