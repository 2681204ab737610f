"""``flask dead``: what waits for somebody to act."""

from __future__ import annotations

import click

from cli.opening import opened_relay
from cli.showing import json_option, show_json
from cli.telling import TellingGroup
from cli.views import command_record, delivery_record, show_commands, show_deliveries
from relay.store import DeadLetters


@click.group("dead", cls=TellingGroup, invoke_without_command=True)
@click.pass_context
def dead(context: click.Context) -> None:
    """Look at what waits for you; alone: its list."""
    if context.invoked_subcommand is None:
        context.invoke(list_dead)


@dead.command("list")
@click.option("--group", help="Only what belongs to this group.")
@json_option
def list_dead(group: str | None, as_json: bool) -> None:
    """List dead deliveries and commands with their reasons.

    Commands whose outcome is uncertain are listed too: they wait for somebody as well.
    """
    with opened_relay() as relay:
        letters = relay.store.reading.dead(group)
    if as_json:
        show_json(
            {
                "deliveries": [delivery_record(view) for view in letters.deliveries],
                "commands": [command_record(view) for view in letters.commands],
            }
        )
    else:
        _show(letters)


def _show(letters: DeadLetters) -> None:
    if not letters.deliveries and not letters.commands:
        click.echo("Nothing waits for you.")
    if letters.deliveries:
        show_deliveries(letters.deliveries)
        click.echo("Mend the reason, then: flask --app app deliveries replay ID...\n")
    if letters.commands:
        show_commands(letters.commands)
        click.echo("Then: flask --app app commands requeue ID..., or commands drop ID...")
