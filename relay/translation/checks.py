"""What can be told of an expression without a record: names and fields that do not exist, results of no use.

The checker follows the shape of every part of an expression, from the annotations of the records' fields. Where nobody
declared a shape (``raw``, ``data``) everything below is allowed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from relay.hints import listed, nearest
from relay.translation.filter_checks import FilterChecker
from relay.translation.language import VISIBLE, Piece
from relay.translation.shapes import (
    ANYTHING,
    SINGLE,
    Items,
    RecordOf,
    Shape,
    Table,
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
        self.filters = FilterChecker(self)

    def shape(self, node: nodes.Node) -> Shape:
        method = _METHODS.get(type(node))
        return method(self, node) if method else self.problem(_FOREIGN.get(type(node), _NOT_OURS))

    def settle(self, shape: Shape) -> None:
        """Refuse a result that no SALESmanago field can hold."""
        inner = shape.of if isinstance(shape, Items) else shape
        if isinstance(inner, RecordOf) and inner is not shape:
            self.problem(f"gives a list of {inner} records; choose a field, as in {{{{ ... | map(attribute='id') }}}}")
        elif isinstance(inner, RecordOf):
            self.problem(f"gives a whole {inner}; name one of its fields")
        elif isinstance(inner, Table):
            self.problem("gives an object; name one of its keys")

    def problem(self, text: str) -> Shape:
        """Note a problem; gives the shape that causes no further ones."""
        self.problems.append(text)
        return ANYTHING

    def _name(self, node: nodes.Name) -> Shape:
        if node.name == "data" and "data" in self.names:
            return self.problem("reads all of data; name the key, as in {{ data.city }}")
        shape = self.names.get(node.name)
        if shape is not None:
            return shape
        hint = nearest(node.name, self.names) or f"; names here are {listed(self.names)}"
        return self.problem(f'there is no name "{node.name}" here{hint}')

    def _constant(self, node: nodes.Const) -> Shape:
        if node.value is None:
            return self.problem("none is not part of the language; leave out the else, or test with: is defined")
        return SINGLE

    def _attribute(self, node: nodes.Getattr) -> Shape:
        if self._is_data(node.node):
            self.data_keys.add(node.attr)
            return ANYTHING
        return self.field(self.shape(node.node), node.attr)

    def _item(self, node: nodes.Getitem) -> Shape:
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        if self._is_data(node.node) and isinstance(key, str):
            self.data_keys.add(key)
            return ANYTHING
        owner = self.shape(node.node)
        if isinstance(key, str):
            return self.field(owner, key)
        self.shape(node.arg)
        if isinstance(owner, RecordOf):
            return self.problem(f"names a field of {owner} that is not known beforehand")
        if isinstance(node.arg, nodes.Slice):
            return owner
        return owner.of if isinstance(owner, Items | Table) else owner

    def field(self, owner: Shape, name: str) -> Shape:
        """Give the shape of a value's field, a problem where it has none of that name."""
        if isinstance(owner, Table):
            return owner.of
        if isinstance(owner, RecordOf):
            shapes = [self._field_of(record, name) for record in owner.classes]
            return functools.reduce(merged, shapes)
        if isinstance(owner, Items):
            return self.problem(f"asks a list for its \"{name}\"; use | first, or | map(attribute='{name}')")
        return self.problem(f'asks a plain value for its "{name}"; it has no fields') if owner == SINGLE else owner

    def _field_of(self, record: type, name: str) -> Shape:
        known = VISIBLE[record]
        if name in known:
            return shape_of_field(record, name)
        hint = nearest(name, known) or f"; its fields are {listed(known)}"
        return self.problem(f'{RecordOf((record,))} has no field "{name}"{hint}')

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


_METHODS: Mapping[type[nodes.Node], Callable[[_Checker, Any], Shape]] = {
    nodes.Name: _Checker._name,
    nodes.Const: _Checker._constant,
    nodes.Getattr: _Checker._attribute,
    nodes.Getitem: _Checker._item,
    nodes.Filter: lambda checker, node: checker.filters.filter(node),
    nodes.Test: lambda checker, node: checker.filters.test(node),
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
