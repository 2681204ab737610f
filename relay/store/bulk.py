"""One statement for many rows: compiled once, so that a row costs little more than the database itself takes for it.

SQLAlchemy's own way goes through the compiled statement for each row again, which takes several times as long as SQLite
does, under a lock that others wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Row = Mapping[str, Any]


class Bulk:
    """An INSERT, UPDATE or DELETE that is given rows of parameters; one for all engines, or one for each by name."""

    def __init__(self, statement: ClauseElement | Mapping[str, ClauseElement]) -> None:
        self._statement = statement
        self._written: dict[tuple[str, tuple[str, ...]], _Written] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Execute the statement for each row, in their order; nothing for none. All rows have the same keys."""
        if not rows:
            return
        dialect, keys = connection.dialect, tuple(rows[0])
        written = self._written.get((dialect.name, keys))
        if written is None:
            written = self._written[dialect.name, keys] = _Written(self._for(dialect), dialect, keys)
        connection.exec_driver_sql(written.text, [written.parameters(row) for row in rows])

    def _for(self, dialect: Dialect) -> ClauseElement:
        return self._statement[dialect.name] if isinstance(self._statement, Mapping) else self._statement


class _Written:
    """A statement as a driver takes it."""

    def __init__(self, statement: ClauseElement, dialect: Dialect, keys: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(keys))
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("Only statements with parameters are executed in bulk.")
        self.text = str(compiled)
        own, binds = compiled.params, {name: bind for bind, name in compiled.bind_names.items()}
        self._names = list(compiled.positiontup or ()) if compiled.positional else list(binds)
        self._columns = []
        for name in self._names:
            process = binds[name].type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
            if binds[name].required and name not in keys:
                raise ValueError(f"The rows give no value for {name}.")
            # What the statement brings along itself is the same for every row.
            self._columns.append((name, process, None) if name in keys else (None, process, process(own[name])))
        self.parameters: Callable[[Row], Any] = self._in_order if compiled.positional else self._by_name

    def _in_order(self, row: Row) -> tuple[Any, ...]:
        return tuple([own if name is None else process(row[name]) for name, process, own in self._columns])

    def _by_name(self, row: Row) -> dict[str, Any]:
        return dict(zip(self._names, self._in_order(row), strict=True))


def _as_it_is(value: Any) -> Any:
    return value
