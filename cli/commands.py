"""``flask commands``: look at what is to be sent to SALESmanago, put it back or give it up."""

from __future__ import annotations

from typing import Any

import click

from cli.choosing import ID, Word, act_on_each, ids_argument, page_options
from cli.opening import opened_relay
from cli.showing import json_option, printable, show_json, show_pairs
from cli.telling import TellingGroup
from cli.views import command_record, show_attempts, show_commands, show_older
from relay import jsontext
from relay.commands import CommandKind, CommandState
from relay.store import CommandFilter, CommandView

# Shown apart, or only when asked for.
_ELSEWHERE = ("payload", "warnings", "attempts")


@click.group("commands", cls=TellingGroup)
def commands() -> None:
    """Look at commands, put them back or give them up."""


@commands.command("list")
@click.option("--state", type=Word(CommandState), help="Only those in this state.")
@click.option("--group", help="Only those of this group.")
@click.option("--kind", type=Word(CommandKind), help="Only those that ask for this.")
@click.option("--subject", help="Only those about one contact or product, as the list spells it.")
@page_options
@json_option
def list_commands(
    state: CommandState | None,
    group: str | None,
    kind: CommandKind | None,
    subject: str | None,
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """List commands, newest first."""
    with opened_relay() as relay:
        views = relay.store.reading.commands(CommandFilter(state, group, kind, subject), limit, before)
    if as_json:
        show_json([command_record(view) for view in views])
    elif views:
        show_commands(views)
        show_older(views, limit)
    else:
        click.echo("There are no such commands.")


@commands.command("show")
@click.argument("command_id", metavar="ID", type=ID)
@click.option("--payload", is_flag=True, help="Show what is sent too, which may tell about a person.")
@json_option
def show_command(command_id: int, payload: bool, as_json: bool) -> None:
    """Show one command and every attempt at it."""
    with opened_relay() as relay:
        view = relay.store.reading.command(command_id)
    if view is None:
        raise click.ClickException(f"There is no command {command_id}.")
    if as_json:
        show_json(command_record(view, payload=payload))
        return
    _show(view)
    if payload:
        click.echo(f"\n{printable(jsontext.dumps(view.payload))}")


@commands.command("requeue")
@ids_argument
@json_option
def requeue_commands(ids: tuple[int, ...], as_json: bool) -> None:
    """Put dead, uncertain or dropped commands back.

    They are sent unchanged. An uncertain one is not looked for in SALESmanago first: you have decided that.
    """
    with opened_relay() as relay:

        def requeue(each: int) -> None:
            relay.store.commands.requeue(each, relay.clock.now())

        act_on_each(ids, requeue, "Command", "is put back", wake=relay.wake, as_json=as_json)


@commands.command("drop")
@ids_argument
@json_option
def drop_commands(ids: tuple[int, ...], as_json: bool) -> None:
    """Give waiting, dead or uncertain commands up for good."""
    with opened_relay() as relay:

        def drop(each: int) -> None:
            relay.store.commands.drop(each, relay.clock.now())

        act_on_each(ids, drop, "Command", "is given up", wake=relay.wake, as_json=as_json)


def _show(view: CommandView) -> None:
    pairs: dict[str, Any] = {name: getattr(view, name) for name in CommandView.__slots__ if name not in _ELSEWHERE}
    show_pairs(pairs)
    show_attempts(view)
