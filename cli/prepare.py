"""``flask prepare``: everything that has to be right before the relay listens."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from cli.opening import make_folder
from cli.telling import TellingCommand
from handlers.context import current_joint
from relay.log import configure_logging
from relay.store.integrity import check_store


@click.command("prepare", cls=TellingCommand)
@with_appcontext
def prepare() -> None:
    """Check the configuration and ready the store.

    Lists every fault of the settings, or of the configuration file and the mappings. Where there is none it makes
    RELAY_DATA, looks whether the store is whole, and brings its tables up to date. The server runs this before it
    listens.
    """
    joint = current_joint()
    parts = joint.parts()
    make_folder(parts.settings)
    configure_logging(parts.settings.log_level)
    check_store(parts.settings.database_url)
    try:
        joint.relay().store.migrate()
    finally:
        joint.close()
    click.echo("The configuration is fine and the store is ready.")
