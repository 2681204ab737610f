"""Shapes: what the static check knows of a value, read from the annotations of the records."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from relay.translation.language import VISIBLE


@dataclass(frozen=True, slots=True)
class Anything:
    """A value nobody declared."""


@dataclass(frozen=True, slots=True)
class Single:
    """A text, number, time, or yes or no."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Table:
    """An object whose keys are not known beforehand."""

    of: Shape


@dataclass(frozen=True, slots=True)
class RecordOf:
    """A record; several classes where an expression chooses between records."""

    classes: tuple[type, ...]

    def __str__(self) -> str:
        return " or ".join(record.__name__.removesuffix("View").lower() for record in self.classes)


Shape: TypeAlias = Anything | Single | Items | Table | RecordOf

ANYTHING = Anything()
SINGLE = Single()


def shape_of(annotation: Any) -> Shape:
    """Give the shape of what an annotation allows; "or None" makes no difference."""
    if annotation is Any:
        return ANYTHING
    if annotation in VISIBLE:
        return RecordOf((annotation,))
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(merged, (shape_of(each) for each in arguments if each is not types.NoneType))
    if origin is tuple:
        return Items(shape_of(arguments[0]))
    return Table(shape_of(arguments[1])) if origin is Mapping else SINGLE


def merged(one: Shape, other: Shape) -> Shape:
    """Give the shape of what may be either."""
    if isinstance(one, RecordOf) and isinstance(other, RecordOf):
        return RecordOf(tuple(dict.fromkeys((*one.classes, *other.classes))))
    return one if one == other else ANYTHING


def shape_of_field(record: type, name: str) -> Shape:
    """Give the shape of a record's field."""
    return shape_of(_annotations(record)[name])


def item_of(shape: Shape) -> Shape:
    """Give the shape of a list's items."""
    return shape.of if isinstance(shape, Items) else ANYTHING


@functools.cache
def _annotations(record: type) -> Mapping[str, Any]:
    return typing.get_type_hints(record)
