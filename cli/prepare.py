"""``flask prepare``: everything that has to be right before the relay listens."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from cli.opening import make_folder
from cli.telling import TellingCommand
from handlers.context import current_joint


@click.command("prepare", cls=TellingCommand)
@with_appcontext
def prepare() -> None:
    """Check the configuration and ready the store.

    Lists every fault of the settings, or of the configuration file and the mappings. Where there is none it makes
    RELAY_DATA and brings the store's tables up to date. The server runs this before it listens.
    """
    joint = current_joint()
    parts = joint.parts()
    make_folder(parts.settings)
    try:
        joint.relay().store.migrate()
    finally:
        joint.close()
    click.echo("The configuration is fine and the store is ready.")
