"""``flask sandbox``: the SALESmanago simulator, for the demo or beside a configuration that points to it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext

from cli.opening import make_folder
from cli.telling import TellingCommand
from handlers.context import current_joint
from relay.readers import is_loopback
from relay.settings import Settings
from relay.shops import Group


@click.command("sandbox", cls=TellingCommand)
@with_appcontext
def sandbox() -> None:
    """Run the SALESmanago simulator.

    Listens on RELAY_SANDBOX_BIND until SIGTERM or SIGINT, with the demo's account, or with that of each group whose
    endpoint is this address. What it received is kept in RELAY_DATA.
    """
    try:
        from cli import simulator  # it is left out of the container image, which must start without it
    except ModuleNotFoundError as error:
        if error.name != "sandbox":
            raise
        raise click.ClickException(
            "The simulator is no part of this installation; run it from the project's folder."
        ) from error
    joint = current_joint()
    settings = joint.settings()
    make_folder(settings)
    groups = [] if settings.demo else groups_in_sandbox(joint.parts().directory.groups.values(), settings)
    simulator.run(simulator.accounts(groups, settings), settings)


def in_sandbox(endpoint: str, settings: Settings) -> bool:
    """Tell whether an endpoint is the simulator that runs by these settings."""
    url, bind = urlsplit(endpoint), settings.sandbox_bind
    return url.port == bind.port and (url.hostname == bind.host or is_loopback(url.hostname))


def groups_in_sandbox(groups: Iterable[Group], settings: Settings) -> list[Group]:
    """Give the groups that send to the simulator; raises ClickException when none does."""
    found = [group for group in groups if in_sandbox(group.endpoint, settings)]
    if not found:
        raise click.ClickException(
            "No group of the configuration sends to the simulator; give one the "
            f'endpoint "{settings.sandbox_bind.url}", or unset RELAY_CONFIG to run the demo.'
        )
    return found
