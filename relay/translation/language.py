"""The mapping language: Jinja's expressions in its sandbox, made smaller and made to treat what is absent as nothing.

Expressions see the fields of records and the keys of objects, nothing else of a value; there are no calls, no loops,
no globals, and numbers are never floats. What this module would quietly give nothing for, ``checks.py`` refuses at
start.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeAlias

from jinja2 import TemplateSyntaxError, nodes
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from relay.translation.absent import NOTHING, LanguageError, Nothing, is_absent
from relay.translation.filters import FILTERS, TESTS
from relay.translation.names import RECORDS, VIEWS
from relay.translation.own_filters import text_of
from relay.translation.paths import direct

Piece: TypeAlias = str | nodes.Expr
"""A part of a mapping value: text that stands for itself, or the expression between ``{{`` and ``}}``."""

Evaluate: TypeAlias = Callable[[Context], Any]
"""A compiled value: gives None for nothing, lists for lists, and keeps every other type."""

VISIBLE: Mapping[type, frozenset[str]] = MappingProxyType(
    {record: frozenset(field.name for field in dataclasses.fields(record)) for record in (*RECORDS, *VIEWS)}
)
"""The classes expressions can look into. Any other, a ``Shop`` with its secrets above all, is opaque to them."""

_SEQUENCES = (list, tuple)
_RESULT = "result"
_ABSENT = "absent"  # a name that is never given


class MappingEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with our filters, fields instead of Python's attributes, and arithmetic for numbers alone."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=Nothing, keep_trailing_newline=True)
        self.globals.clear()
        self.filters = dict(FILTERS)
        self.tests = dict(TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Give a record's field or an object's key; nothing for everything else."""
        fields = VISIBLE.get(type(obj))
        if fields is not None:
            value = getattr(obj, attribute) if attribute in fields else None
        else:
            value = obj.get(attribute) if isinstance(obj, Mapping) else None
        return NOTHING if value is None else value

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Give an item of a list by its place (from 0), or the same as ``getattr``."""
        if isinstance(obj, list | tuple | str) and isinstance(argument, int):
            return obj[argument] if -len(obj) <= argument < len(obj) else NOTHING
        return NOTHING if is_absent(argument) else self.getattr(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate exactly; nothing with nothing, and nothing for a division by zero."""
        if is_absent(left) or is_absent(right):
            return NOTHING
        if operator == "+" and isinstance(left, list | tuple) and isinstance(right, list | tuple):
            return [*left, *right]
        dividend = Decimal(_number(left)) if operator == "/" else _number(left)
        try:
            return self.binop_table[operator](dividend, _number(right))
        except ArithmeticError:
            return NOTHING


class _Exact(NodeTransformer):
    """Puts our meaning in place of Jinja's where no setting of the environment can."""

    def visit_Const(self, node: nodes.Const) -> nodes.Expr:
        # Jinja reads 0.81 as a float, which no exact number can be multiplied by.
        if isinstance(node.value, float):
            return _filtered(nodes.Const(str(node.value)), "decimal")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        # Python's str() would write "None" for what is absent, and True for true.
        return self.generic_visit(_filtered(nodes.List(node.nodes), "join"))  # type: ignore[return-value]  # untyped

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Expr:
        # Without an else Jinja gives its own undefined, whose use fails.
        node.expr2 = node.expr2 or nodes.Name(_ABSENT, "load")
        return self.generic_visit(node)  # type: ignore[return-value]  # untyped

    def visit_Compare(self, node: nodes.Compare) -> nodes.Expr:
        # Python's "in" fails on a text when what is looked for is absent; our test does not.
        first, *others = node.ops
        if first.op in ("in", "notin") and not others:
            test: nodes.Expr = nodes.Test(node.expr, "in", [first.expr], [], None, None)
            node = nodes.Not(test) if first.op == "notin" else test  # type: ignore[assignment]  # one node for another
        return self.generic_visit(node)  # type: ignore[return-value]  # untyped


ENVIRONMENT = MappingEnvironment()


def parse(source: str) -> tuple[Piece, ...]:
    """Split a mapping value into its pieces; raises LanguageError."""
    try:
        body = ENVIRONMENT.parse(source.strip()).body
    except TemplateSyntaxError as error:
        raise LanguageError(f"syntax error: {error.message}") from None
    except RecursionError:
        raise LanguageError("too deeply nested") from None
    return tuple(piece for statement in body for piece in _pieces(statement))


def compiled(pieces: tuple[Piece, ...]) -> Evaluate:
    """Compile a value: one expression keeps its type, text around it or several of them make a text."""
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        expression = _expression(pieces[0])
        return lambda context: plain(expression(context))
    parts = [constant(piece) if isinstance(piece, str) else _expression(piece) for piece in pieces]
    return lambda context: "".join(text_of(plain(part(context))) for part in parts).strip()


def constant(value: object) -> Evaluate:
    """Compile a value that is the same for every record."""
    return lambda context: value


def several(values: list[Evaluate]) -> Evaluate:
    """Compile an array: every value in turn, lists among them opened up."""
    return lambda context: [item for value in values for item in _opened(value(context))]


def scope(names: Mapping[str, Any]) -> Context:
    """Give the context in which compiled values are evaluated: these names and nothing else."""
    return Context(ENVIRONMENT, {name: value for name, value in names.items() if value is not None}, None, {})


def plain(value: Any) -> Any:
    """Give None for nothing and lists for every kind of sequence; other values unchanged."""
    if isinstance(value, str):  # as most are
        return value
    if isinstance(value, Undefined):
        return None
    if isinstance(value, _SEQUENCES):
        return [plain(item) for item in value]
    return value


def _pieces(statement: nodes.Node) -> Iterator[Piece]:
    if not isinstance(statement, nodes.Output):
        raise LanguageError("{% %} is not part of the language; use {{ value if condition else other }}")
    for node in statement.nodes:
        yield node.data if isinstance(node, nodes.TemplateData) else node


def _expression(node: nodes.Expr) -> Evaluate:
    return _compiled(exact(node))


def _compiled(node: nodes.Expr) -> Evaluate:
    return direct(node, ENVIRONMENT, _compiled) or rendered(node)


def exact(node: nodes.Expr) -> nodes.Expr:
    """Put our meaning in place of Jinja's throughout an expression, in place."""
    changed: nodes.Expr = _Exact().visit(node)
    changed.set_environment(ENVIRONMENT)
    return changed


def rendered(node: nodes.Expr) -> Evaluate:
    """Compile an exact expression by Jinja alone."""
    assignment = nodes.Assign(nodes.Name(_RESULT, "store"), node, lineno=1)
    render = ENVIRONMENT.from_string(nodes.Template([assignment], lineno=1)).root_render_func

    def evaluate(context: Context) -> Any:
        for _ in render(context):
            pass
        return context.vars[_RESULT]

    return evaluate


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None)


def _number(value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise LanguageError(f"calculates with {type(value).__name__}; use | decimal for numbers and ~ for texts")
    return value


def _opened(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
