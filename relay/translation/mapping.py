"""A compiled mapping: from the names of one delivery to the fields of one SALESmanago contact, event or product.

Compiled once at start and never changed, so any number of threads may share one.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from jinja2 import TemplateError
from jinja2.runtime import Context

from relay.errors import MappingFailed
from relay.translation.absent import LanguageError
from relay.translation.language import Evaluate, scope
from relay.translation.own_filters import text_of
from schemas.mapping import API_NAMES, PROPERTIES
from schemas.values import is_empty

DEFAULT_SEPARATOR = ","

_TAG_FIELDS = frozenset({"tags", "removeTags"})
_SENDABLE = (str, int, Decimal, date)  # a bool is an int, a datetime a date
_FAILURES = (LanguageError, TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError)
_SPEAKING = (LanguageError, TypeError)  # their words name types; those of the others may repeat a person's data


@dataclass(frozen=True, slots=True)
class Source:
    """The line that made a value."""

    file: str  # "mappings/default.toml"; "request" for a key of a REST call that needed no line
    key: str  # "contact.properties.vat_number"
    line: int | None = None
    expression: str = ""  # the value as the file spells it

    @property
    def where(self) -> str:
        """The place as faults name it: ``mappings/default.toml:12 contact.name``."""
        return f"{self.file}:{self.line} {self.key}" if self.line else f"{self.file} {self.key}"


@dataclass(frozen=True, slots=True)
class MappedField:
    """One compiled line. ``property_name`` is set for a line of a ``properties`` table."""

    target: str
    source: Source
    evaluate: Evaluate
    property_name: str | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """What a mapping gives for one record: only fields that hold something.

    values      target field -> value; lists of events are not joined yet, properties stand under "properties"
    separators  event field -> what its list is to be joined by
    sources     target field ("properties.vat_number") -> the line that made it
    unknown     keys of a REST call that neither the mapping nor the integration knows; they are in ``values`` too,
                under their own names, so that the call's schema refuses them
    """

    values: dict[str, Any] = field(default_factory=dict)
    separators: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


class Mapping:
    """The compiled mapping of one group or shop.

    tables      "contact", "event", "event.PURCHASE", "product", "api.contacts", ... -> their lines
    separators  event field -> separator
    data_keys   "api.contacts", ... -> the keys of ``data`` their lines read
    """

    def __init__(
        self,
        name: str,
        tables: collections.abc.Mapping[str, tuple[MappedField, ...]],
        separators: collections.abc.Mapping[str, str],
        data_keys: collections.abc.Mapping[str, frozenset[str]],
    ) -> None:
        self.name = name
        self._tables = tables
        self._separators = separators
        self._data_keys = data_keys

    def contact(self, names: collections.abc.Mapping[str, Any]) -> Fields:
        """Give the fields of a contact; raises MappingFailed naming file and key."""
        return _with_texts(_evaluated(self._tables["contact"], names))

    def event(self, event_type: str, names: collections.abc.Mapping[str, Any]) -> Fields:
        """Give the fields of an event, lists still to be joined (``join_lists``); raises MappingFailed."""
        return self._with_separators(_evaluated(self._tables[f"event.{event_type}"], names))

    def product(self, names: collections.abc.Mapping[str, Any]) -> Fields:
        """Give the fields of a product, in the integration's names; raises MappingFailed."""
        return _with_texts(_evaluated(self._tables["product"], names))

    def api(
        self, operation: str, data: collections.abc.Mapping[str, Any], names: collections.abc.Mapping[str, Any]
    ) -> Fields:
        """Give the fields of a REST call (contacts, events or products).

        A line that gives something wins; else a key with the integration's own name goes to that field as it is.
        Raises: MappingFailed.
        """
        table = f"api.{operation}"
        fields = _evaluated(self._tables[table], {**names, "data": data})
        own, read = API_NAMES[table], self._data_keys[table]
        passed = {key: value for key, value in data.items() if key in own or key not in read}
        unknown = tuple(key for key in passed if key not in own)
        if operation == "events":
            return replace(self._with_separators(_beside(fields, passed)), unknown=unknown)
        return replace(_beside(_with_texts(fields), passed), unknown=unknown)

    def api_keys(self, operation: str) -> frozenset[str]:
        """Give the keys of ``data`` that the lines of a REST call read: names of the caller's own."""
        return self._data_keys[f"api.{operation}"]

    def _with_separators(self, fields: Fields) -> Fields:
        lists = [target for target, value in fields.values.items() if isinstance(value, list)]
        fields.separators.update({target: self._separators.get(target, DEFAULT_SEPARATOR) for target in lists})
        return fields


def _evaluated(lines: Iterable[MappedField], names: collections.abc.Mapping[str, Any]) -> Fields:
    fields = Fields()
    context = scope(names)
    for line in lines:
        value = _value(line, context)
        if value is None:
            continue
        if line.property_name is None:
            fields.values[line.target] = value
            fields.sources[line.target] = line.source
        else:
            fields.values.setdefault(PROPERTIES, {})[line.property_name] = value
            fields.sources[f"{PROPERTIES}.{line.property_name}"] = line.source
    return fields


def _value(line: MappedField, context: Context) -> Any:
    try:
        return _sendable(line.evaluate(context))
    except _FAILURES as error:
        reason = str(error) if isinstance(error, _SPEAKING) else type(error).__name__
        raise MappingFailed(f"{line.source.where}: {reason}") from None


def _sendable(value: Any) -> Any:
    """Give the value, None for whatever is empty; raises LanguageError for an object."""
    if isinstance(value, str):
        return None if is_empty(value) else value
    if isinstance(value, list):
        return [_sendable(item) for item in value] if any(not is_empty(item) for item in value) else None
    if is_empty(value):
        return None
    if isinstance(value, _SENDABLE):
        return value
    raise LanguageError("gives an object; name one of its fields")


def _with_texts(fields: Fields) -> Fields:
    """Drop the empty items of tags and make one text of any other list."""
    for target, value in fields.values.items():
        if isinstance(value, list):
            kept = [item for item in value if not is_empty(item)]
            fields.values[target] = kept if target in _TAG_FIELDS else text_of(kept)
    for name, value in fields.values.get(PROPERTIES, {}).items():
        if isinstance(value, list):
            fields.values[PROPERTIES][name] = text_of(value)
    return fields


def _beside(fields: Fields, passed: collections.abc.Mapping[str, Any]) -> Fields:
    """Add the caller's own values where no line gave one."""
    for key, value in passed.items():
        if is_empty(value):
            continue
        if key == PROPERTIES and key in fields.values and isinstance(value, collections.abc.Mapping):
            fields.values[key] = {**value, **fields.values[key]}
        elif key not in fields.values:
            fields.values[key] = value
            fields.sources[key] = Source("request", f"data.{key}")
    return fields
