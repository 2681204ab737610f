"""The filters and tests of the mapping language: our own and those of Jinja's that are worth having.

A filter gives nothing for nothing, so no expression has to ask first. Each has bounded cost on a body of any content.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from jinja2 import filters as jinja_filters
from jinja2 import tests as jinja_tests

from relay.translation.absent import NOTHING, LanguageError, is_absent
from relay.translation.own_filters import (
    OWN_FILTERS,
    Filter,
    contained,
    country_with_phones,
    default,
    text_of,
    time_zone,
)

_MOST_ITEMS = 100_000

# fmt: off
_OF_TEXTS = ("capitalize", "lower", "title", "trim", "truncate", "upper", "urlencode")
_OF_LISTS = (
    "first", "last", "length", "list", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr",
    "sort", "sum", "unique",
)
_OF_TESTS = (
    "defined", "undefined", "string", "number", "boolean", "mapping", "sequence", "true", "false",
    "eq", "ne", "lt", "le", "gt", "ge", "==", "!=", "<", "<=", ">", ">=",
)
# fmt: on


def _for_values(function: Filter) -> Filter:
    """Make a filter give nothing for nothing, take lists of bounded length and give lists, never generators."""
    place = _place_of_value(function)

    @functools.wraps(function)
    def careful(*args: Any, **kwargs: Any) -> Any:
        value = args[place]
        if is_absent(value) and function is not default:
            return NOTHING
        if isinstance(value, list | tuple | Mapping) and len(value) > _MOST_ITEMS:
            raise LanguageError(f"a list has more than {_MOST_ITEMS} items")
        given = (None if is_absent(argument) else argument for argument in args[place + 1 :])
        result = function(*args[: place + 1], *given, **kwargs)
        if isinstance(result, Iterator):
            return list(result)
        return NOTHING if result is None else result

    return careful


def _for_texts(function: Filter) -> Filter:
    """Let one of Jinja's text filters see numbers and lists the way our own do."""

    place = _place_of_value(function)

    @functools.wraps(function)
    def textual(*args: Any, **kwargs: Any) -> Any:
        return function(*args[:place], text_of(args[place]), *args[place + 1 :], **kwargs)

    return textual


def _place_of_value(function: Filter) -> int:
    # Jinja hands its context or environment to filters that ask for it, in front of the value.
    return 1 if hasattr(function, "jinja_pass_arg") else 0


FILTERS: Mapping[str, Filter] = MappingProxyType(
    {name: _for_values(function) for name, function in OWN_FILTERS.items()}
    | {name: _for_values(_for_texts(jinja_filters.FILTERS[name])) for name in _OF_TEXTS}
    | {name: _for_values(jinja_filters.FILTERS[name]) for name in ("abs", *_OF_LISTS)}
)
"""Every filter an expression may use."""

SINGLE_VALUE_FILTERS = frozenset(
    {*_OF_TEXTS, "abs", "date", "decimal", "html_text", "int", "money", "phone", "replace"}
)
"""Filters that are about one value, so that a list in front of them is a mistake; ``map`` applies them to each item."""

ARGUMENT_CHECKS: Mapping[str, Mapping[str, Callable[[Any], object]]] = MappingProxyType(
    {"date": {"zone": time_zone}, "phone": {"region": country_with_phones}}
)
"""Filter -> argument -> what raises LanguageError when a constant there can only be a mistake."""

TESTS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {name: cast(Filter, jinja_tests.TESTS[name]) for name in _OF_TESTS} | {"in": contained}
)
"""Every test an expression may use after ``is`` and in ``select``."""
