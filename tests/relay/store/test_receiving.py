"""How bodies are kept: small, and given back byte for byte to everybody who reads them."""

from __future__ import annotations

import pytest
from sqlalchemy import LargeBinary, insert, select, type_coerce
from sqlalchemy.exc import StatementError

from relay.store import Store
from relay.store.columns import PACKED
from relay.store.group_commit import MOST_TOGETHER
from relay.store.receiving import insert_deliveries, written
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
        rows = [written(new), written(new_delivery(body=PACKED)), written(new_delivery(body=BODY))]
        insert_deliveries(connection, [row | {"dedupe": str(place)} for place, row in enumerate(rows)])
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


def test_receipts_name_their_own_deliveries_among_repeated_ones(store: Store):
    """Check that new ones among known ones get their own ids, in more rows than one statement takes."""
    names = [f"{number:03}" for number in range(2 * MOST_TOGETHER + 20)]
    known = {name: store.deliveries.record(new_delivery(dedupe=name)).id for name in names[5::40]}
    rows = [written(new_delivery(dedupe=name)) for name in [*reversed(names), names[7]]]
    with store.deliveries._database.writing() as connection:
        receipts = insert_deliveries(connection, rows)
        stored = {row.dedupe: row.id for row in connection.execute(select(deliveries.c.dedupe, deliveries.c.id))}
    assert [receipt.id for receipt in receipts] == [stored[row["dedupe"]] for row in rows]
    assert [receipt.repeated for receipt in receipts[:-1]] == [name in known for name in reversed(names)]
    assert receipts[-1].repeated


def test_time_without_a_zone_is_refused_and_nothing_is_stored(store: Store):
    with pytest.raises((ValueError, StatementError), match="zone"):
        store.deliveries.record(new_delivery(received_at=NOW.replace(tzinfo=None)))
    assert store.reading.deliveries() == []
