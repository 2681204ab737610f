"""One statement for many rows: what SQLAlchemy would have written, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from relay.errors import StoreUnavailable
from relay.store import Store
from relay.store.bulk import Bulk
from relay.store.columns import Compressed, Json, Moment, Packed, as_json
from relay.store.engine import INSERTS
from tests.support.stored import NOW, after

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", Text),
    Column("at", Moment),
    Column("facts", Json, nullable=False),
    Column("body", Packed),
    Column("small", Compressed),
    Column("ready", Boolean),
    prefixes=["TEMPORARY"],
)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store._database.writing() as connection:
        THINGS.create(connection)
        yield connection
        THINGS.drop(connection)


def _row(number: int, **changes: Any) -> dict[str, Any]:
    row = {"id": number, "name": "żółć ☃", "at": after(number), "facts": {"n": [Decimal("1.10")]}, "ready": True}
    return row | {"body": b"\x00z\x01" * 99, "small": b"x" * 99} | changes


def _all(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(THINGS).order_by(THINGS.c.id)).mappings()]


def test_rows_are_inserted_as_columns_keep_them(connection: Connection) -> None:
    nothing = {"name": None, "at": None, "body": None, "small": None, "ready": None}
    rows = [_row(1), _row(2, ready=False), _row(3, **nothing), _row(4, facts=as_json({"n": 1}))]
    Bulk(insert(THINGS)).run(connection, rows)
    assert _all(connection) == [*rows[:3], _row(4, facts={"n": 1})]


def test_rows_with_other_keys_are_another_statement(connection: Connection) -> None:
    bulk = Bulk(insert(THINGS))
    bulk.run(connection, [{"id": 1, "facts": {}}])
    bulk.run(connection, [{"facts": {}, "id": 2, "name": "b"}, {"facts": {}, "id": 3, "name": "c"}])
    assert [(row["id"], row["name"]) for row in _all(connection)] == [(1, None), (2, "b"), (3, "c")]


def test_nothing_is_executed_for_no_rows(connection: Connection) -> None:
    Bulk(insert(THINGS)).run(connection, [])
    assert _all(connection) == []


def test_update_takes_its_own_values_and_those_of_each_row(connection: Connection) -> None:
    Bulk(insert(THINGS)).run(connection, [_row(1), _row(2), _row(3)])
    told = func.coalesce(bindparam("new_name", type_=Text), THINGS.c.name)
    changed = update(THINGS).where(THINGS.c.id == bindparam("of_id"), THINGS.c.ready == True)  # noqa: E712 - SQL's
    Bulk(changed.values(name=told, facts={"own": 1}, ready=False, at=NOW)).run(
        connection, [{"of_id": 2, "new_name": "b"}, {"of_id": 3, "new_name": None}]
    )
    own = {"facts": {"own": 1}, "ready": False, "at": NOW}
    assert _all(connection) == [_row(1), _row(2, name="b", **own), _row(3, **own)]


def test_statement_is_the_engines_own_where_they_differ(connection: Connection) -> None:
    put = {
        name: begin(THINGS).on_conflict_do_update(index_elements=["id"], set_={"name": "second"})
        for name, begin in INSERTS.items()
    }
    for _ in range(2):
        Bulk(put).run(connection, [{"id": 1, "name": "first", "facts": {}}])
    assert _all(connection)[0]["name"] == "second"


def test_row_without_one_of_the_keys_is_refused(connection: Connection) -> None:
    with pytest.raises(KeyError):
        Bulk(insert(THINGS)).run(connection, [{"id": 1, "facts": {}}, {"id": 2}])


def test_rows_without_what_the_statement_asks_for_are_refused(connection: Connection) -> None:
    renamed = Bulk(update(THINGS).where(THINGS.c.id == bindparam("of_id")).values(name=bindparam("new_name")))
    with pytest.raises(ValueError, match="no value for new_name"):
        renamed.run(connection, [{"of_id": 1}])


def test_trouble_tells_no_values(store: Store) -> None:
    with pytest.raises((StoreUnavailable, DBAPIError)) as caught, store._database.writing() as connection:
        THINGS.create(connection)
        Bulk(insert(THINGS)).run(connection, [{"id": 1, "facts": {}, "name": "secret"}] * 2)
    assert "secret" not in str(caught.value)
