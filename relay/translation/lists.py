"""Lists in event fields: joined to texts, shortened together so that they stay in step, never inside an item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from relay.translation.mapping import DEFAULT_SEPARATOR
from relay.translation.own_filters import text_of

_IDS = "products"
"""The field whose items are ids: one that is too long leaves with its whole line, because half an id is another's."""


@dataclass(slots=True)
class _Column:
    """One list on its way to a text."""

    field: str
    separator: str
    limit: int | None
    items: list[str]

    def fitting(self) -> int:
        """Give how many items, from the first on, fit into the limit when they are joined."""
        count = len(self.items)
        if self.limit is None or sum(map(len, self.items)) + (count - 1) * len(self.separator) <= self.limit:
            return count
        lengths = accumulate(len(item) + len(self.separator) for item in self.items)
        return sum(length - len(self.separator) <= self.limit for length in lengths)


def join_lists(
    values: Mapping[str, Any], separators: Mapping[str, str], limits: Mapping[str, int]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Join the lists among an event's values by their separators; give the values with texts instead, and warnings.

    Lists of equal length are in step: item by item they speak of the same line. They are shortened together, so that
    every text keeps its limit (in characters); an empty item keeps its place, a list of empty items is left out. A
    separator inside an item becomes a blank.
    """
    in_step: dict[int, list[_Column]] = defaultdict(list)
    for field, value in values.items():
        if isinstance(value, list | tuple):
            separator = separators.get(field, DEFAULT_SEPARATOR)
            items = [_item(item, separator) for item in value]
            in_step[len(items)].append(_Column(field, separator, limits.get(field), items))
    warnings = tuple(warning for columns in in_step.values() for warning in _shorten(columns))
    lists = {column.field: column for columns in in_step.values() for column in columns}
    joined = {field: _text(lists[field]) if field in lists else value for field, value in values.items()}
    return {field: value for field, value in joined.items() if value is not None}, warnings


def _shorten(columns: list[_Column]) -> Iterator[str]:
    """Make lists in step fit, in place; give what had to be done."""
    for column in columns:
        yield from _drop_long_ids(column, columns) if column.field == _IDS else _cut_long_items(column)
    count = len(columns[0].items)
    tightest = min(columns, key=_Column.fitting)
    keep = tightest.fitting()
    if keep < count:
        _keep(columns, range(keep))
        yield f"{count - keep} of {count} list items were left out: {tightest.field} takes {tightest.limit} characters."


def _drop_long_ids(column: _Column, columns: list[_Column]) -> Iterator[str]:
    limit, count = column.limit, len(column.items)
    fitting = [place for place, item in enumerate(column.items) if limit is None or len(item) <= limit]
    if len(fitting) < count:
        _keep(columns, fitting)
        yield f"{count - len(fitting)} of {count} list items were left out: {column.field} takes {limit} characters."


def _cut_long_items(column: _Column) -> Iterator[str]:
    limit = column.limit
    long = sum(len(item) > limit for item in column.items) if limit is not None else 0
    if long:
        column.items = [item[:limit].rstrip() for item in column.items]
        yield f"{column.field}: {long} list items were cut to {limit} characters."


def _keep(columns: list[_Column], places: Iterable[int]) -> None:
    for column in columns:
        column.items = [column.items[place] for place in places]


def _item(value: object, separator: str) -> str:
    text = value if isinstance(value, str) else text_of(value)
    return " ".join((text.replace(separator, " ") if separator else text).split())


def _text(column: _Column) -> str | None:
    return column.separator.join(column.items) if any(column.items) else None
