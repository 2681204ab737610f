"""Which commands there are, and that each says what it does."""

from __future__ import annotations

import click
import pytest

COMMANDS = {
    "commands": {"list", "show", "requeue", "drop"},
    "dead": {"list"},
    "deliveries": {"list", "show", "replay"},
    "groups": {"list", "resume"},
    "mappings": {"check", "explain"},
    "people": {"show", "export", "erase", "list", "scrub"},
    "prepare": set(),
    "samples": {"list", "send"},
    "sandbox": set(),
    "settings": set(),
    "worker": set(),
}
PATHS = [(name, *inner) for name, below in COMMANDS.items() for inner in [(), *((each,) for each in sorted(below))]]


def test_all_commands_are_installed(cli):
    installed = {
        name: set(command.commands) if isinstance(command, click.Group) else set()
        for name, command in cli.app.cli.commands.items()
    }
    assert installed == COMMANDS


@pytest.mark.parametrize("path", PATHS)
def test_help_says_what_a_command_does_without_any_configuration(cli, path):
    cli.joint.settings_error = AssertionError("help must not need it")
    command = cli.app.cli
    for name in path:
        command = command.commands[name]
    first = (command.help or "").partition("\n")[0]
    assert first.endswith(".")
    assert command.get_short_help_str(60) == first  # so lists of commands show it uncut
    assert first in cli.run(*path, "--help").stdout


@pytest.mark.parametrize("path", PATHS)
def test_every_option_says_what_it_is_for(cli, path):
    command = cli.app.cli
    for name in path:
        command = command.commands[name]
    silent = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
    assert silent == []
