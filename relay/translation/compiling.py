"""From the lines of a mapping file, and of those it extends, to a compiled mapping and the faults in it."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relay.errors import Fault
from relay.translation import language
from relay.translation.absent import LanguageError
from relay.translation.checks import check
from relay.translation.language import Evaluate
from relay.translation.mapping import MappedField, Mapping, Source
from relay.translation.names import NAMES
from schemas.mapping import API_NAMES, PROPERTIES, KeyPath
from schemas.salesmanago import EVENT_TYPES

REMOVED = ""
"""The value that takes a line out again that another file, or ``[event]``, put in."""

_LISTS = ("event", "lists")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping file."""

    value: Any
    source: Source


def compile_mapping(name: str, entries: ReadOnly[KeyPath, Entry]) -> tuple[Mapping, list[Fault]]:
    """Compile the lines of a mapping; with faults, the mapping gives nothing for the faulty values."""
    compiler = _Compiler()
    lines = {path: compiler.line(path, entry) for path, entry in entries.items() if path[:2] != _LISTS}
    tables = {table: _below(table.split("."), lines) for table in NAMES}
    tables |= {f"event.{each}": tables["event"] | _below(["event", each], lines) for each in EVENT_TYPES}
    mapping = Mapping(
        name,
        {table: tuple(line for line in chosen.values() if line) for table, chosen in tables.items()},
        {path[2]: entry.value for path, entry in entries.items() if path[:2] == _LISTS and entry.value != REMOVED},
        {table: frozenset(compiler.data_keys[table]) for table in API_NAMES},
    )
    return mapping, compiler.faults


def _below(table: Sequence[str], lines: ReadOnly[KeyPath, MappedField | None]) -> dict[KeyPath, MappedField | None]:
    """Give the lines of a table and of its properties, but not of the event types below ``[event]``."""
    prefix = tuple(table)
    below = {path[len(prefix) :]: line for path, line in lines.items() if path[: len(prefix)] == prefix}
    return {path: line for path, line in below.items() if len(path) == 1 or path[0] == PROPERTIES}


class _Compiler:
    """Compiles line by line and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.data_keys: dict[str, set[str]] = {table: set() for table in NAMES}

    def line(self, path: KeyPath, entry: Entry) -> MappedField | None:
        """Compile one line; None when it takes a field out. A faulty value gives nothing."""
        if entry.value == REMOVED:
            return None
        table = ".".join(path[:2]) if path[0] == "api" else path[0]
        evaluate = self._value(entry.source.where, entry.value, table)
        is_property = path[-2] == PROPERTIES
        return MappedField(path[-1], entry.source, evaluate, path[-1] if is_property else None)

    def _value(self, where: str, value: Any, table: str) -> Evaluate:
        if isinstance(value, list):
            return language.several([self._value(where, item, table) for item in value])
        if not isinstance(value, str):
            return language.constant(value)
        try:
            pieces = language.parse(value)
        except LanguageError as error:
            self.faults.append(Fault(where, str(error)))
            return language.constant(None)
        findings = check(pieces, NAMES[table])
        self.data_keys[table] |= findings.data_keys
        self.faults += [Fault(where, problem) for problem in findings.problems]
        return language.constant(None) if findings.problems else language.compiled(pieces)
