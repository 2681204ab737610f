"""How commands show things: aligned columns for people, or one JSON document for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click

from relay import jsontext
from relay.clock import iso

NOTHING = "-"
_GAP = "  "
_Function = TypeVar("_Function", bound=Callable[..., Any])


def json_option(function: _Function) -> _Function:
    """Add ``--json`` to a command, which gets it as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Give one JSON document.")(function)


def show_json(value: Any) -> None:
    """Print one JSON document: times as ISO texts, records as objects."""
    click.echo(jsontext.dumps(plain(value)))


def plain(value: Any) -> Any:
    """Give ``value`` in what JSON knows; ``Decimal`` stays, since it is written as a number."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return str(value) if isinstance(value, Path) else value


def show_columns(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their headings, in columns as wide as they need to be."""
    click.echo("\n".join(columns([headings, *rows])))


def columns(rows: Iterable[Sequence[Any]], indent: str = "") -> list[str]:
    """Give rows as lines whose columns are aligned; what is absent or empty is a dash."""
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        indent + _GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def show_pairs(pairs: Mapping[str, Any]) -> None:
    """Print what is there of ``pairs``, a name and its value a line."""
    click.echo("\n".join(columns((name, value) for name, value in pairs.items() if cell(value) != NOTHING)))


def cell(value: Any) -> str:
    """Give a value as one line for the screen."""
    if isinstance(value, datetime):
        return iso(value.replace(microsecond=0)) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value)) or NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(plain(value))).strip() or NOTHING if value is not None else NOTHING


def printable(text: str, kept: str = "") -> str:
    """Replace control characters by blanks: what others wrote must not steer the terminal it is shown on."""
    return "".join(character if character.isprintable() or character in kept else " " for character in text)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Give a number with its noun: "1 delivery", "2 deliveries"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
