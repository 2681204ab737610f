"""The ``flask`` commands. Thin: each gets the parts it needs from the app's joint when it runs, never before.

So whatever is wrong with the configuration is told by the command that needs it right, and by no other.
"""

from __future__ import annotations

from flask import Flask

from cli import commands, dead, deliveries, groups, mappings, people, prepare, samples, sandbox, settings, worker

_COMMANDS = (
    commands.commands,
    dead.dead,
    deliveries.deliveries,
    groups.groups,
    mappings.mappings,
    people.people,
    prepare.prepare,
    samples.samples,
    sandbox.sandbox,
    settings.settings,
    worker.worker,
)


def install(app: Flask) -> None:
    """Add all commands to ``flask --app app``."""
    for command in _COMMANDS:
        app.cli.add_command(command)
