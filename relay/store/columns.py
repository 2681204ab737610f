"""Column types and index helpers that behave the same on SQLite and PostgreSQL."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
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

_FAST = 1  # zlib's level: the higher ones take three times as long and save a tenth


class Moment(TypeDecorator[datetime]):
    """An aware UTC time on both engines (SQLite keeps none of the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Give what writes a time as SQLite keeps it; SQLAlchemy's own way takes half as long again."""
        return self._spelt if dialect.name == "sqlite" else super().bind_processor(dialect)

    def _spelt(self, value: datetime | None) -> str | None:
        moment = utc(value)
        return None if moment is None else moment.replace(tzinfo=None).isoformat(" ", "microseconds")

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give a time that the engine keeps."""
        moment = utc(value)
        return moment if moment is None or dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc(value: datetime | None) -> datetime | None:
    """Give a time in UTC; raises ValueError for a naive one: nobody could tell later which zone it meant."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("A time without a zone cannot be stored.")
    return value.astimezone(UTC)


class JsonText(str):
    """A value as a ``Json`` column keeps it. Writing it is work best done before others wait for the database."""

    __slots__ = ()


def as_json(value: Any) -> JsonText:
    """Give a value as a ``Json`` column keeps it."""
    return JsonText(jsontext.dumps(value))


NO_WARNINGS = as_json([])
"""What nearly every row has."""


class Json(TypeDecorator[Any]):
    """JSON as text, digit for digit: a database's own JSON type would rewrite numbers."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the value as text, unless that has been done."""
        return value if value is None or isinstance(value, JsonText) else jsontext.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the text back, numbers as int or Decimal."""
        return None if value is None else jsontext.loads(value)


PACKED = b"\x00z\x01"
"""What a packed value begins with. No JSON, form or XML does."""

_LEAST_PACKED = 100  # bytes; shorter ones hardly shrink


class PackedBytes(bytes):
    """Bytes as a ``Packed`` column keeps them."""


def pack(value: bytes) -> PackedBytes:
    """Give bytes as a ``Packed`` column keeps them: compressed where that makes them smaller."""
    if value.startswith(PACKED):
        return PackedBytes(PACKED + zlib.compress(value, _FAST))
    if len(value) < _LEAST_PACKED:
        return PackedBytes(value)
    packed = PACKED + zlib.compress(value, _FAST)
    return PackedBytes(packed if len(packed) < len(value) else value)


class Packed(TypeDecorator[bytes]):
    """Bytes that are kept compressed where that makes them smaller; a column may hold plain ones from earlier.

    Values that begin with ``PACKED`` themselves are always packed, so none is taken for what it is not. What cannot be
    unpacked is given as it is stored: it was plain, or it is damaged, which must not trouble those who read other rows
    along with it.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Pack, unless that has been done."""
        return pack(value) if value is not None and not isinstance(value, PackedBytes) else value

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Unpack."""
        if value is None or not value.startswith(PACKED):
            return value
        try:
            return zlib.decompress(value[len(PACKED) :])
        except zlib.error:
            return value


class CompressedBytes(bytes):
    """Bytes as a ``Compressed`` column keeps them."""


def compressed(value: bytes | None) -> CompressedBytes | None:
    """Give bytes as a ``Compressed`` column keeps them."""
    return None if value is None else CompressedBytes(zlib.compress(value, _FAST))


class Compressed(TypeDecorator[bytes]):
    """Bytes kept compressed by zlib."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Compress, unless that has been done."""
        return value if isinstance(value, CompressedBytes) else compressed(value)

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


def where_in(words: Iterable[str], column: str = "state") -> str:
    """Write the condition of a partial index, word for word as ``state_in`` writes it in queries."""
    literals = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({literals})"
