"""What can be told of an expression without a record: names, fields, filters and tests that do not exist.

The checker follows the shape of every part of an expression, from the annotations of the records' fields. Where nobody
declared a shape (``raw``, ``data``) everything below is allowed.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from relay.hints import listed, nearest
from relay.translation.absent import LanguageError
from relay.translation.filters import ARGUMENT_CHECKS, FILTERS, SINGLE_VALUE_FILTERS, TESTS
from relay.translation.language import VISIBLE, Piece
from relay.translation.shapes import (
    ANYTHING,
    SINGLE,
    Items,
    RecordOf,
    Shape,
    Table,
    item_of,
    merged,
    shape_of,
    shape_of_field,
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the check of one value found."""

    problems: tuple[str, ...]
    data_keys: frozenset[str]  # keys of ``data`` the value reads


def check(pieces: Iterable[Piece], names: Mapping[str, Any]) -> Findings:
    """Check a value's expressions against the names (with their annotations) its table may use."""
    checker = _Checker({name: shape_of(annotation) for name, annotation in names.items()})
    for piece in pieces:
        if not isinstance(piece, str):
            checker.settle(checker.shape(piece))
    return Findings(tuple(dict.fromkeys(checker.problems)), frozenset(checker.data_keys))


class _Checker:
    """Walks one value's expressions; each method takes a node and gives the shape of what it will evaluate to."""

    def __init__(self, names: Mapping[str, Shape]) -> None:
        self.names = names
        self.problems: list[str] = []
        self.data_keys: set[str] = set()

    def shape(self, node: nodes.Node) -> Shape:
        method = _METHODS.get(type(node))
        return method(self, node) if method else self._problem(_FOREIGN.get(type(node), _NOT_OURS))

    def settle(self, shape: Shape) -> None:
        """Refuse a result that no SALESmanago field can hold."""
        inner = shape.of if isinstance(shape, Items) else shape
        if isinstance(inner, RecordOf) and inner is not shape:
            self._problem(f"gives a list of {inner} records; choose a field, as in {{{{ ... | map(attribute='id') }}}}")
        elif isinstance(inner, RecordOf):
            self._problem(f"gives a whole {inner}; name one of its fields")
        elif isinstance(inner, Table):
            self._problem("gives an object; name one of its keys")

    def _problem(self, text: str) -> Shape:
        self.problems.append(text)
        return ANYTHING

    def _name(self, node: nodes.Name) -> Shape:
        if node.name == "data" and "data" in self.names:
            return self._problem("reads all of data; name the key, as in {{ data.city }}")
        shape = self.names.get(node.name)
        if shape is not None:
            return shape
        hint = nearest(node.name, self.names) or f"; names here are {listed(self.names)}"
        return self._problem(f'there is no name "{node.name}" here{hint}')

    def _constant(self, node: nodes.Const) -> Shape:
        if node.value is None:
            return self._problem("none is not part of the language; leave out the else, or test with: is defined")
        return SINGLE

    def _attribute(self, node: nodes.Getattr) -> Shape:
        if self._is_data(node.node):
            self.data_keys.add(node.attr)
            return ANYTHING
        return self._field(self.shape(node.node), node.attr)

    def _item(self, node: nodes.Getitem) -> Shape:
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        if self._is_data(node.node) and isinstance(key, str):
            self.data_keys.add(key)
            return ANYTHING
        owner = self.shape(node.node)
        if isinstance(key, str):
            return self._field(owner, key)
        self.shape(node.arg)
        if isinstance(owner, RecordOf):
            return self._problem(f"names a field of {owner} that is not known beforehand")
        if isinstance(node.arg, nodes.Slice):
            return owner
        return owner.of if isinstance(owner, Items | Table) else owner

    def _field(self, owner: Shape, name: str) -> Shape:
        if isinstance(owner, Table):
            return owner.of
        if isinstance(owner, RecordOf):
            shapes = [self._field_of(record, name) for record in owner.classes]
            return functools.reduce(merged, shapes)
        if isinstance(owner, Items):
            return self._problem(f"asks a list for its \"{name}\"; use | first, or | map(attribute='{name}')")
        return self._problem(f'asks a plain value for its "{name}"; it has no fields') if owner == SINGLE else owner

    def _field_of(self, record: type, name: str) -> Shape:
        known = VISIBLE[record]
        if name in known:
            return shape_of_field(record, name)
        hint = nearest(name, known) or f"; its fields are {listed(known)}"
        return self._problem(f'{RecordOf((record,))} has no field "{name}"{hint}')

    def _is_data(self, node: nodes.Node) -> bool:
        return isinstance(node, nodes.Name) and node.name == "data" and "data" in self.names

    def _all(self, node: nodes.Node) -> Shape:
        for child in node.iter_child_nodes():
            self.shape(child)
        return SINGLE

    def _either(self, node: nodes.BinExpr) -> Shape:
        return merged(self.shape(node.left), self.shape(node.right))

    def _choice(self, node: nodes.CondExpr) -> Shape:
        self.shape(node.test)
        chosen = self.shape(node.expr1)
        return merged(chosen, self.shape(node.expr2)) if node.expr2 else chosen

    def _sum(self, node: nodes.Add) -> Shape:
        shape = self._either(node)
        return shape if isinstance(shape, Items) else SINGLE

    def _list(self, node: nodes.List | nodes.Tuple) -> Shape:
        shapes = [self.shape(item) for item in node.items]
        return Items(functools.reduce(merged, shapes)) if shapes else Items(SINGLE)

    def _object(self, node: nodes.Dict) -> Shape:
        for pair in node.items:
            self.shape(pair.key)
        shapes = [self.shape(pair.value) for pair in node.items]
        return Table(functools.reduce(merged, shapes)) if shapes else Table(SINGLE)

    def _test(self, node: nodes.Test) -> Shape:
        self.shape(node.node)
        self._known_test(node.name)
        return self._arguments(node)

    def _known_test(self, name: str) -> None:
        if name not in TESTS:
            self._problem(f'there is no test "{name}"{nearest(name, TESTS) or f"; tests are {listed(TESTS)}"}')

    def _arguments(self, node: nodes.Test | nodes.Filter) -> Shape:
        if node.dyn_args or node.dyn_kwargs:
            self._problem("* in front of an argument is not part of the language")
        for argument in (*node.args, *(keyword.value for keyword in _keywords(node))):
            self.shape(argument)
        return SINGLE

    def _filter(self, node: nodes.Filter) -> Shape:
        # A filter without a value in front is Jinja's filter block, which the parser of an expression never makes.
        base = self.shape(node.node) if node.node is not None else ANYTHING
        self._arguments(node)
        keywords: dict[str, nodes.Expr] = {each.key: each.value for each in _keywords(node)}
        return self._applied(node.name, base, node.args, keywords)

    def _applied(
        self, name: str, base: Shape, arguments: Sequence[nodes.Expr], keywords: Mapping[str, nodes.Expr]
    ) -> Shape:
        if name not in FILTERS:
            hint = nearest(name, FILTERS) or f"; filters are {listed(FILTERS)}"
            return self._problem(f'there is no filter "{name}"{hint}')
        if name != "default" and isinstance(base, RecordOf):
            return self._problem(f"{name} takes a value, not a whole {base}; name one of its fields")
        if name in SINGLE_VALUE_FILTERS and isinstance(base, Items):
            return self._problem(f"{name} takes one value, not a list; use | map('{name}') for each of its items")
        if name in ("map", "select", "reject", "selectattr", "rejectattr"):
            return self._over_items(name, item_of(base), list(arguments), keywords)
        bound = self._bound(name, arguments, keywords)
        if "attribute" in bound:
            self._path(item_of(base), bound["attribute"])
        self._constants(name, bound)
        fallback = bound.get("fallback")
        if name == "default":
            return merged(base, self.shape(fallback)) if fallback else base
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
        self._problem(f"{name} needs a name in quotes, as in map('upper') or map(attribute='id')")
        return None

    def _path(self, shape: Shape, path: nodes.Expr | None) -> Shape:
        """Follow a dotted path such as ``address.city`` or ``0.id``."""
        text = self._word("the attribute", [path] if path else [])
        for part in text.split(".") if text else ():
            is_place = part.isdigit() and not isinstance(shape, RecordOf)
            shape = item_of(shape) if is_place else self._field(shape, part)
        return shape if text else ANYTHING

    def _bound(
        self, name: str, arguments: Sequence[nodes.Expr], keywords: Mapping[str, nodes.Expr]
    ) -> Mapping[str, Any]:
        function = inspect.unwrap(FILTERS[name])
        given = [None, None] if hasattr(function, "jinja_pass_arg") else [None]
        try:
            return inspect.signature(function).bind(*given, *arguments, **keywords).arguments
        except TypeError as error:
            self._problem(f"{name}: {error}")
            return {}

    def _constants(self, name: str, bound: Mapping[str, Any]) -> None:
        for parameter, verify in ARGUMENT_CHECKS.get(name, {}).items():
            argument = bound.get(parameter)
            if isinstance(argument, nodes.Const):
                try:
                    verify(argument.value)
                except LanguageError as error:
                    self._problem(str(error))


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
_METHODS: Mapping[type[nodes.Node], Callable[[_Checker, Any], Shape]] = {
    nodes.Name: _Checker._name,
    nodes.Const: _Checker._constant,
    nodes.Getattr: _Checker._attribute,
    nodes.Getitem: _Checker._item,
    nodes.Filter: _Checker._filter,
    nodes.Test: _Checker._test,
    nodes.CondExpr: _Checker._choice,
    nodes.And: _Checker._either,
    nodes.Or: _Checker._either,
    nodes.Add: _Checker._sum,
    nodes.List: _Checker._list,
    nodes.Tuple: _Checker._list,
    nodes.Dict: _Checker._object,
    **dict.fromkeys(
        (
            nodes.Not,
            nodes.Neg,
            nodes.Pos,
            nodes.Sub,
            nodes.Mul,
            nodes.Div,
            nodes.FloorDiv,
            nodes.Mod,
            nodes.Compare,
            nodes.Operand,
            nodes.Concat,
            nodes.Slice,
        ),
        _Checker._all,
    ),
}
_NOT_OURS = "uses something that is not part of the language"
_FOREIGN: Mapping[type[nodes.Node], str] = {
    nodes.Call: "nothing can be called with ( ); use a filter, as in {{ value | lower }}",
    nodes.Pow: "** is not part of the language",
}
