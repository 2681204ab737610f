"""``flask settings``: every RELAY_* setting as it is today."""

from __future__ import annotations

import itertools

import click
from flask.cli import with_appcontext

from cli.showing import columns, json_option, show_json
from cli.telling import TellingCommand
from handlers.context import current_joint
from relay.settings import SettingView, view

_HEADINGS = ("NAME", "VALUE", "FROM", "DEFAULT", "DESCRIPTION")


@click.command("settings", cls=TellingCommand)
@json_option
@with_appcontext
def settings(as_json: bool) -> None:
    """List every RELAY_* setting and its value.

    Says too where the value comes from, what it is by default, and what it means. Passwords are not shown.
    """
    views = view(current_joint().settings())
    if as_json:
        show_json([_record(each) for each in views])
        return
    lines = iter(columns([_HEADINGS, *(tuple(_record(each).values())[1:] for each in views)]))
    click.echo(next(lines))
    for section, members in itertools.groupby(views, key=lambda each: each.setting.section):
        click.echo(f"\n{section}")
        for line in itertools.islice(lines, len(list(members))):
            click.echo(line)


def _record(each: SettingView) -> dict[str, str]:
    return {
        "section": each.setting.section,
        "name": each.setting.name,
        "value": each.value,
        "source": each.source,
        "default": each.setting.default,
        "description": each.setting.description,
    }
