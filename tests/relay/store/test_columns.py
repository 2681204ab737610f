from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, create_engine, insert, select, type_coerce
from sqlalchemy.dialects import sqlite

from relay.store.columns import PACKED, Compressed, Json, Moment, Packed

things = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("moment", Moment),
    Column("json", Json),
    Column("compressed", Compressed),
    Column("packed", Packed),
)


@pytest.fixture
def connection(database_url):
    engine = create_engine(database_url)
    with engine.begin() as opened:
        things.create(opened)
        yield opened
    engine.dispose()


def test_times_come_back_in_utc_to_the_microsecond(connection):
    warsaw = timezone(timedelta(hours=1))
    connection.execute(insert(things).values(moment=datetime(2026, 11, 24, 13, 0, 0, 123456, warsaw)))

    moment = connection.scalar(select(things.c.moment))
    assert moment == datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)
    assert moment.utcoffset() == timedelta(0)


def test_times_compare_as_times_whatever_their_zone(connection):
    connection.execute(insert(things).values(moment=datetime(2026, 11, 24, 12, 0, tzinfo=UTC)))
    later_in_india = datetime(2026, 11, 24, 17, 31, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    assert connection.scalar(select(things.c.id).where(things.c.moment < later_in_india)) == 1


@pytest.mark.parametrize("moment", [datetime(2026, 1, 2, 3, 4, 5, 6, UTC), datetime(999, 12, 31, tzinfo=UTC)])
def test_sqlite_spells_times_as_sqlalchemy_does(moment):
    engine = sqlite.dialect()
    usual = sqlite.DATETIME().bind_processor(engine)
    ours = Moment().bind_processor(engine)
    assert ours(moment) == usual(moment.replace(tzinfo=None))


def test_time_without_a_zone_is_refused(connection):
    with pytest.raises(Exception, match="without a zone"):
        connection.execute(insert(things).values(moment=datetime(2026, 11, 24)))  # noqa: DTZ001 - the point of it


def test_json_keeps_digits_and_order(connection):
    value = {"b": Decimal("10.10"), "a": [1, None, "\x00☃"], "big": 12345678901234567890}
    connection.execute(insert(things).values(json=value))

    stored = connection.scalar(select(things.c.json))
    assert stored == value
    assert list(stored) == ["b", "a", "big"]
    assert str(stored["b"]) == "10.10"


def test_bytes_are_compressed(connection):
    connection.execute(insert(things).values(compressed=b"long " * 1000))

    raw = connection.exec_driver_sql("SELECT compressed FROM things").scalar()
    assert len(raw) < 100
    assert connection.scalar(select(things.c.compressed)) == b"long " * 1000


def test_nothing_stays_nothing(connection):
    connection.execute(insert(things).values(moment=None, json=None, compressed=None, packed=None))

    columns = (things.c.moment, things.c.json, things.c.compressed, things.c.packed)
    assert connection.execute(select(*columns)).one() == (None,) * 4


LONG = b'{"email": "ann@example.com"}' * 50
NOISE = bytes(range(256))


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", LONG, NOISE, b"\x00", PACKED, PACKED + b"{}", PACKED + LONG, PACKED + zlib.compress(LONG), PACKED[:2]],
)
def test_packed_bytes_come_back_whatever_they_are(connection, value):
    connection.execute(insert(things).values(packed=value))
    assert connection.scalar(select(things.c.packed)) == value


@pytest.mark.parametrize(("value", "small"), [(LONG, True), (b"{}", False), (b"", False), (NOISE, False)])
def test_bytes_are_packed_where_it_makes_them_smaller(connection, value, small):
    connection.execute(insert(things).values(packed=value))
    stored = connection.scalar(select(type_coerce(things.c.packed, LargeBinary)))
    assert (len(stored) < len(value) / 5) is small
    assert (stored == value) is not small


@pytest.mark.parametrize(
    "stored", [b"", b'{"id": 1}', LONG, PACKED, PACKED + b"no zlib", PACKED + zlib.compress(LONG)[:-9]]
)
def test_bytes_that_were_stored_plain_or_are_damaged_are_given_as_they_are(connection, stored):
    connection.execute(insert(things).values(packed=type_coerce(stored, LargeBinary)))
    assert connection.scalar(select(things.c.packed)) == stored
