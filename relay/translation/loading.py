"""Mapping files: found by name, parsed, extended, checked and compiled; every fault of every file told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from relay.errors import ConfigurationError, Fault
from relay.hints import listed, nearest
from relay.translation.compiling import Entry, compile_mapping
from relay.translation.mapping import Mapping, Source
from schemas.mapping import MAPPING_NAME, KeyPath, shape_faults

_NAME = re.compile(MAPPING_NAME)
_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_LONG_TEXT = re.compile(r'"""|' + "'''")


def load_mappings(folder: Path, names: Iterable[str]) -> dict[str, Mapping]:
    """Load the mappings of these names from ``<folder>/<name>.toml``.

    Raises: ConfigurationError with every fault of every file, in the files that these extend too.
    """
    library = _Library(folder)
    mappings: dict[str, Mapping] = {}
    faults: list[Fault] = []
    for name in dict.fromkeys(names):
        mappings[name], found = compile_mapping(name, library.entries(name))
        faults += found
    faults = [*library.faults, *faults]
    if faults:
        raise ConfigurationError(dict.fromkeys(faults))
    return mappings


def mapping_names(folder: Path) -> list[str]:
    """Give the names of all mappings in a folder, sorted."""
    return sorted(file.stem for file in folder.glob("*.toml") if _NAME.fullmatch(file.stem))


def key_lines(text: str) -> dict[KeyPath, int]:
    """Give the line (from 1) on which each table and each key of a TOML text stands. Inline tables are one key."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    in_long_text = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not in_long_text:
            if header := _HEADER.fullmatch(line):
                table = _parts(header[1])
                lines.setdefault(table, number)
            elif key := _KEY.match(line):
                lines.setdefault((*table, *_parts(key[1])), number)
        if len(_LONG_TEXT.findall(line)) % 2:
            in_long_text = not in_long_text
    return lines


@dataclass(slots=True)
class _Document:
    """One file."""

    file: str
    entries: dict[KeyPath, Entry] = field(default_factory=dict)
    extends: Entry | None = None


class _Library:
    """The files of one folder, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self._documents: dict[str, _Document] = {}

    def entries(self, name: str) -> dict[KeyPath, Entry]:
        """Give a mapping's lines, over those of the mapping it extends."""
        chain: list[_Document] = []
        seen = [name]
        document = self._document(name, name)
        while document is not None:
            chain.insert(0, document)
            document = self._parent(document, seen)
        return {path: entry for each in chain for path, entry in each.entries.items()}

    def _parent(self, document: _Document, seen: list[str]) -> _Document | None:
        if document.extends is None:
            return None
        parent, where = document.extends.value, document.extends.source.where
        seen.append(parent)
        if parent in seen[:-1]:
            self.faults.append(Fault(where, f"goes round in a circle: {' -> '.join(seen)}"))
            return None
        return self._document(parent, where)

    def _document(self, name: str, where: str) -> _Document | None:
        if name not in self._documents and self._exists(name, where):
            self._documents[name] = self._read(name)
        return self._documents.get(name)

    def _exists(self, name: str, where: str) -> bool:
        if not _NAME.fullmatch(name):
            problem = "a mapping's name has only a-z, 0-9, _ and -"
        elif not (self.folder / f"{name}.toml").is_file():
            known = mapping_names(self.folder)
            hint = nearest(name, known) or f"; there are: {listed(known)}"
            problem = f'there is no mapping "{name}" in {self.folder}{hint}'
        else:
            return True
        self.faults.append(Fault(f'mapping "{where}"' if where == name else where, problem))
        return False

    def _read(self, name: str) -> _Document:
        document = _Document(f"{self.folder.name}/{name}.toml")
        try:
            text = (self.folder / f"{name}.toml").read_text(encoding="utf-8")
            parsed = tomllib.loads(text, parse_float=Decimal)
        except (OSError, ValueError) as error:
            self.faults.append(Fault(document.file, f"cannot be read: {error}"))
            return document
        lines = key_lines(text)
        wrong = shape_faults(parsed)
        self.faults += [Fault(_source(document.file, path, lines).where, problem) for path, problem in wrong]
        misshapen = {path for path, _ in wrong}
        for path, value in _leaves(parsed):
            if not any(path[:length] in misshapen for length in range(1, len(path) + 1)):
                document.entries[path] = Entry(value, _source(document.file, path, lines, value))
        document.extends = document.entries.pop(("extends",), None)
        return document


def _source(file: str, path: KeyPath, lines: dict[KeyPath, int], value: Any = "") -> Source:
    known = (lines.get(path[:length]) for length in range(len(path), 0, -1))
    line = next((number for number in known if number), None)
    return Source(file, ".".join(path), line, value if isinstance(value, str) else _spelt(value))


def _spelt(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_spelt(item) for item in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _leaves(table: dict[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
