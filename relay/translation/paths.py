"""The simplest expressions, evaluated without Jinja's rendering: constants, paths such as ``customer.address.city``,
a field of each item of a list, filters, and "or" and "if" between any two. Most lines of a mapping are no more than
that, and rendering is most of what they would cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing

from relay.translation.absent import NOTHING

Value: TypeAlias = Callable[[Context], Any]
"""A compiled expression."""

Step: TypeAlias = tuple[Callable[[Any, Any], Any], Any]
"""One step of a path: how to go, and the field, key or place to go to."""


_FEW = 1_000
"""Longer lists, and what is no list at all, are the filter's to judge."""


def direct(
    node: nodes.Expr, environment: SandboxedEnvironment, compiled: Callable[[nodes.Expr], Value]
) -> Value | None:
    """Compile an expression to what Jinja's code for it would give; None for what only Jinja can evaluate.

    ``environment`` looks up fields and items, ``compiled`` compiles an expression's parts.
    """
    if isinstance(node, nodes.Const):
        constant = node.value
        return lambda context: constant
    if isinstance(node, nodes.Or):
        one, other = compiled(node.left), compiled(node.right)
        return lambda context: one(context) or other(context)
    if isinstance(node, nodes.CondExpr) and node.expr2 is not None:
        test, one, other = compiled(node.test), compiled(node.expr1), compiled(node.expr2)
        return lambda context: one(context) if test(context) else other(context)
    if isinstance(node, nodes.List):
        items = [compiled(item) for item in node.items]
        return lambda context: [item(context) for item in items]
    return _each(node, environment, compiled) or _filter(node, environment, compiled) or _path(node, environment)


def _each(node: nodes.Expr, environment: SandboxedEnvironment, compiled: Callable[[nodes.Expr], Value]) -> Value | None:
    """Compile ``items | map(attribute='name')``, a field of each item of a list."""
    if not isinstance(node, nodes.Filter) or node.name != "map" or node.args or len(node.kwargs) != 1:
        return None
    (keyword,) = node.kwargs
    name = keyword.value.value if isinstance(keyword.value, nodes.Const) else None
    if keyword.key != "attribute" or not isinstance(name, str) or not name.isidentifier() or node.node is None:
        return None
    items, of_item, by_filter = compiled(node.node), environment.getitem, environment.filters["map"]

    def each(context: Context) -> Any:
        value = items(context)
        if isinstance(value, tuple) and len(value) <= _FEW:
            return [of_item(item, name) for item in value]
        return by_filter(context, value, attribute=name)

    return each


def _filter(
    node: nodes.Expr, environment: SandboxedEnvironment, compiled: Callable[[nodes.Expr], Value]
) -> Value | None:
    """Compile a filter whose arguments have no names, unless it wants to know more than its value and these."""
    if not isinstance(node, nodes.Filter) or node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
        return None
    apply = environment.filters.get(node.name)
    if apply is None or hasattr(apply, "jinja_pass_arg"):
        return None
    value, arguments = compiled(node.node), [compiled(argument) for argument in node.args]
    return lambda context: apply(value(context), *(argument(context) for argument in arguments))


def _path(node: nodes.Expr, environment: SandboxedEnvironment) -> Value | None:
    steps: list[Step] = []
    while True:
        if isinstance(node, nodes.Getattr):
            steps.append((environment.getattr, node.attr))
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            steps.append((environment.getitem, node.arg.value))
        else:
            break
        node = node.node
    return _walk(node.name, steps[::-1]) if isinstance(node, nodes.Name) else None


def _walk(name: str, steps: list[Step]) -> Value:
    def walk(context: Context) -> Any:
        value = context.resolve_or_missing(name)
        if value is missing:
            return NOTHING
        for go, where in steps:
            value = go(value, where)
        return value

    return walk
