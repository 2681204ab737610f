"""How commands tell that something is wrong: in words on stderr that say what to do, with exit code 1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from flask.cli import AppGroup

from relay.errors import ConfigurationError, Fault, RelayError


def told(faults: Iterable[Fault]) -> str:
    """Give every fault on a line of its own."""
    return "\n".join(["This has to be mended first:", *(f"  {fault}" for fault in faults)])


class TellingCommand(click.Command):
    """A command of its own whose troubles are told instead of shown as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raises ClickException in place of what the relay raises."""
        return _telling(super().invoke, ctx)


class TellingGroup(AppGroup):
    """A group of commands, run with the app at hand, whose troubles are told."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command of the group, or the group alone."""
        return _telling(super().invoke, ctx)


def _telling(invoke: Any, ctx: click.Context) -> Any:
    try:
        return invoke(ctx)
    except ConfigurationError as error:
        raise click.ClickException(told(error.faults)) from error
    except RelayError as error:
        raise click.ClickException(str(error)) from error
