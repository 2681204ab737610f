"""Options and arguments that several commands share, and what they do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import click

from cli.showing import show_json
from relay.hints import listed, nearest
from relay.shops import Directory, Shop
from relay.store.reading import PAGE

ID = click.IntRange(1, 2**63 - 1)
"""An id of the store, which numbers its rows in 64 bits."""

_MOST = 1000
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Word(click.Choice[str]):
    """One word of an enumeration."""

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__([word.value for word in words])
        self._words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the enumeration's member."""
        return self._words(super().convert(value, param, ctx))


class Resource(click.ParamType[tuple[str, str]]):
    """A resource of a shop as lists spell it: ``order:1001``."""

    name = "KIND:ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Give kind and id."""
        kind, colon, resource_id = str(value).partition(":")
        if not (kind and colon and resource_id):
            self.fail(f'"{value}" is not KIND:ID, such as order:1001', param, ctx)
        return kind, resource_id


def page_options(function: _Function) -> _Function:
    """Add ``--limit`` and ``--before`` to a list."""
    before = click.option("--before", type=ID, metavar="ID", help="Go on after this id of the last page.")
    limit = click.option(
        "--limit", type=click.IntRange(1, _MOST), default=PAGE, show_default=True, help="How many to show at most."
    )
    return limit(before(function))


def ids_argument(function: _Function) -> _Function:
    """Let a command take one id or more, as ``ids``."""
    return click.argument("ids", metavar="ID...", type=ID, nargs=-1, required=True)(function)


def act_on_each(
    ids: Iterable[int], act: Callable[[int], None], noun: str, done: str, *, wake: Callable[[], None], as_json: bool
) -> None:
    """Do something with each id, whatever becomes of the others, wake a worker, and tell what came of it.

    ``act`` raises LookupError or ValueError with the reason where it cannot; then the exit code is 1.
    """
    through: list[int] = []
    problems: list[dict[str, Any]] = []
    for each in dict.fromkeys(ids):
        try:
            act(each)
            through.append(each)
        except (LookupError, ValueError) as error:
            problems.append({"id": each, "problem": str(error.args[0])})
    if through:
        wake()
    if as_json:
        show_json({"done": through, "problems": problems})
    else:
        _tell(through, problems, noun, done)
    if problems:
        click.get_current_context().exit(1)


def known_shop(key: str, directory: Directory) -> Shop:
    """Give the shop of this key; raises ClickException that says which there are."""
    shops = directory.shops
    if key not in shops:
        raise click.ClickException(f"There is no shop {key}{nearest(key, shops) or f'; there are: {listed(shops)}'}")
    return shops[key]


def _tell(through: Sequence[int], problems: Iterable[dict[str, Any]], noun: str, done: str) -> None:
    for each in through:
        click.echo(f"{noun} {each} {done}.")
    for problem in problems:
        click.echo(f"Error: {problem['problem']}", err=True)
