"""Shapes of API v2 bodies. SALESmanago parses into typed objects, so a body that does not fit never reaches a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

Shape: TypeAlias = Callable[[Any, bool], bool]
"""Tells whether a value fits; the flag says whether unknown keys are refused. null fits everywhere."""


def text(value: Any, strict: bool) -> bool:
    """Take text, or a number that reads as text."""
    return isinstance(value, str) or number(value, strict)


def number(value: Any, strict: bool) -> bool:
    """Take a number, or text that reads as one."""
    if isinstance(value, str):
        return _as_decimal(value) is not None
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def flag(value: Any, strict: bool) -> bool:
    """Take true or false."""
    return isinstance(value, bool)


def one_of(words: frozenset[str]) -> Shape:
    """Take one of these words, spelt exactly so."""
    return lambda value, strict: value in words


def each(item: Shape) -> Shape:
    """Take a list of such items."""
    return lambda value, strict: isinstance(value, list) and all(item(entry, strict) for entry in value)


@dataclass(frozen=True, slots=True)
class Table:
    """Take an object with these keys."""

    keys: Mapping[str, Shape]

    def __call__(self, value: Any, strict: bool) -> bool:
        """Tell whether an object fits."""
        if not isinstance(value, dict):
            return False
        if strict and not value.keys() <= self.keys.keys():
            return False
        shapes = self.keys
        for name, entry in value.items():
            if entry is not None and name in shapes and not shapes[name](entry, strict):
                return False
        return True


def mapping_of(item: Shape) -> Shape:
    """Take an object with keys of the caller's choice."""
    return lambda value, strict: (
        isinstance(value, dict) and all(entry is None or item(entry, strict) for entry in value.values())
    )


def _as_decimal(value: str) -> Decimal | None:
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
