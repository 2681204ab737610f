"""What can be told of a filter or test without a record: its name, its arguments and what it is applied to."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from jinja2 import nodes

from relay.hints import listed, nearest
from relay.translation.absent import LanguageError
from relay.translation.filters import ARGUMENT_CHECKS, FILTERS, SINGLE_VALUE_FILTERS, TESTS
from relay.translation.shapes import ANYTHING, SINGLE, Items, RecordOf, Shape, item_of, merged


class Walk(Protocol):
    """The walk through the expression around a filter."""

    def shape(self, node: nodes.Node) -> Shape:
        """Check a part of the expression and give the shape of what it will evaluate to."""

    def field(self, owner: Shape, name: str) -> Shape:
        """Give the shape of a value's field, a problem where it has none of that name."""

    def problem(self, text: str) -> Shape:
        """Note a problem; gives the shape that causes no further ones."""


class FilterChecker:
    """Checks the filters and tests that one walk meets."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def test(self, node: nodes.Test) -> Shape:
        """Check ``value is test(arguments)``."""
        self._walk.shape(node.node)
        self._known_test(node.name)
        return self._arguments(node)

    def _known_test(self, name: str) -> None:
        if name not in TESTS:
            self._walk.problem(f'there is no test "{name}"{nearest(name, TESTS) or f"; tests are {listed(TESTS)}"}')

    def _arguments(self, node: nodes.Test | nodes.Filter) -> Shape:
        if node.dyn_args or node.dyn_kwargs:
            self._walk.problem("* in front of an argument is not part of the language")
        for argument in (*node.args, *(keyword.value for keyword in _keywords(node))):
            self._walk.shape(argument)
        return SINGLE

    def filter(self, node: nodes.Filter) -> Shape:
        """Check ``value | filter(arguments)``; give the shape of what the filter makes of the value."""
        # A filter without a value in front is Jinja's filter block, which the parser of an expression never makes.
        base = self._walk.shape(node.node) if node.node is not None else ANYTHING
        self._arguments(node)
        keywords: dict[str, nodes.Expr] = {each.key: each.value for each in _keywords(node)}
        return self._applied(node.name, base, node.args, keywords)

    def _applied(
        self, name: str, base: Shape, arguments: Sequence[nodes.Expr], keywords: Mapping[str, nodes.Expr]
    ) -> Shape:
        if name not in FILTERS:
            hint = nearest(name, FILTERS) or f"; filters are {listed(FILTERS)}"
            return self._walk.problem(f'there is no filter "{name}"{hint}')
        if name != "default" and isinstance(base, RecordOf):
            return self._walk.problem(f"{name} takes a value, not a whole {base}; name one of its fields")
        if name in SINGLE_VALUE_FILTERS and isinstance(base, Items):
            return self._walk.problem(f"{name} takes one value, not a list; use | map('{name}') for each of its items")
        if name in ("map", "select", "reject", "selectattr", "rejectattr"):
            return self._over_items(name, item_of(base), list(arguments), keywords)
        bound = self._bound(name, arguments, keywords)
        if "attribute" in bound:
            self._path(item_of(base), bound["attribute"])
        self._constants(name, bound)
        fallback = bound.get("fallback")
        if name == "default":
            return merged(base, self._walk.shape(fallback)) if fallback else base
        return _RESULTS.get(name, _single)(base)

    def _over_items(
        self, name: str, item: Shape, arguments: list[nodes.Expr], keywords: Mapping[str, nodes.Expr]
    ) -> Shape:
        if name == "map" and "attribute" in keywords:
            return Items(self._path(item, keywords["attribute"]))
        if name == "map":
            inner = self._word("map", arguments)
            return Items(self._applied(inner, item, arguments[1:], keywords)) if inner else Items(ANYTHING)
        if name.endswith("attr"):
            self._path(item, arguments.pop(0) if arguments else None)
        if arguments and (test := self._word(name, arguments)):
            self._known_test(test)
        return Items(item)

    def _word(self, name: str, arguments: Sequence[nodes.Expr]) -> str | None:
        first = arguments[0] if arguments else None
        if isinstance(first, nodes.Const) and isinstance(first.value, str):
            return first.value
        self._walk.problem(f"{name} needs a name in quotes, as in map('upper') or map(attribute='id')")
        return None

    def _path(self, shape: Shape, path: nodes.Expr | None) -> Shape:
        """Follow a dotted path such as ``address.city`` or ``0.id``."""
        text = self._word("the attribute", [path] if path else [])
        for part in text.split(".") if text else ():
            is_place = part.isdigit() and not isinstance(shape, RecordOf)
            shape = item_of(shape) if is_place else self._walk.field(shape, part)
        return shape if text else ANYTHING

    def _bound(
        self, name: str, arguments: Sequence[nodes.Expr], keywords: Mapping[str, nodes.Expr]
    ) -> Mapping[str, Any]:
        function = inspect.unwrap(FILTERS[name])
        given = [None, None] if hasattr(function, "jinja_pass_arg") else [None]
        try:
            return inspect.signature(function).bind(*given, *arguments, **keywords).arguments
        except TypeError as error:
            self._walk.problem(f"{name}: {error}")
            return {}

    def _constants(self, name: str, bound: Mapping[str, Any]) -> None:
        for parameter, verify in ARGUMENT_CHECKS.get(name, {}).items():
            argument = bound.get(parameter)
            if isinstance(argument, nodes.Const):
                try:
                    verify(argument.value)
                except LanguageError as error:
                    self._walk.problem(str(error))


def _keywords(node: nodes.Test | nodes.Filter) -> list[nodes.Keyword]:
    # Jinja's own annotation says pairs; its parser makes nodes.
    return typing.cast(list[nodes.Keyword], node.kwargs)


def _single(shape: Shape) -> Shape:
    return SINGLE


def _items(shape: Shape) -> Shape:
    return Items(item_of(shape))


_RESULTS: Mapping[str, Callable[[Shape], Shape]] = {
    **dict.fromkeys(("first", "last", "max", "min"), item_of),
    **dict.fromkeys(("list", "reverse", "sort", "unique"), _items),
    "split": lambda shape: Items(SINGLE),
    "meta": lambda shape: ANYTHING,
}
