"""Watching what is asked of a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def noting(engine: Engine, note: Callable[[str, Any], object]) -> Iterator[None]:
    """Have each statement told before it is carried out, with its parameters: of many rows those of the first."""

    def tell(_: Any, __: Any, statement: str, parameters: Any, ___: Any, executemany: bool) -> None:
        note(statement, parameters[0] if executemany else parameters)

    event.listen(engine, "before_cursor_execute", tell)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", tell)
