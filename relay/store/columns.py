"""Column types and index helpers that behave the same on SQLite and PostgreSQL."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    Text,
    literal_column,
    text,
)
from sqlalchemy.types import TypeDecorator

from relay import jsontext


class Moment(TypeDecorator[datetime]):
    """An aware UTC time on both engines (SQLite keeps none of the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody could tell later which zone they meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON as text, digit for digit: a database's own JSON type would rewrite numbers."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the value as text."""
        return None if value is None else jsontext.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the text back, numbers as int or Decimal."""
        return None if value is None else jsontext.loads(value)


class Compressed(TypeDecorator[bytes]):
    """Bytes kept compressed by zlib."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Compress."""
        return None if value is None else zlib.compress(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Decompress."""
        return None if value is None else zlib.decompress(value)


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER column


def state_in(column: ColumnElement[Any], states: Iterable[str]) -> ColumnElement[bool]:
    """Compare with literals: neither engine uses a partial index when the states come as parameters."""
    return column.in_([literal_column(f"'{state}'") for state in states])


def partial_index(name: str, *columns: str, where: str) -> Index:
    """Index only the rows that meet ``where``."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def where_state(states: Iterable[str]) -> str:
    """Write the condition of a partial index, word for word as ``state_in`` writes it in queries."""
    words = ", ".join(f"'{state}'" for state in states)
    return f"state IN ({words})"
