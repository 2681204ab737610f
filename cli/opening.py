"""What commands work with: the relay of the app they run in, opened for them and closed when they are through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from handlers.context import Relay, current_joint
from relay.settings import Settings


@contextmanager
def opened_relay() -> Iterator[Relay]:
    """Give the relay with its store open.

    Raises: ConfigurationError, StoreUnavailable; ClickException when the store's tables are missing or old.
    """
    joint = current_joint()
    make_folder(joint.parts().settings)
    try:
        relay = joint.relay()
        if not relay.store.is_current():
            raise click.ClickException(
                "The store is not ready; start the relay with `make run`, or run `flask --app app prepare`."
            )
        yield relay
    finally:
        joint.close()


def make_folder(settings: Settings) -> None:
    """Make RELAY_DATA for the owner alone, because it holds what shops say about people.

    Raises: ClickException when it cannot be made.
    """
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"The folder {settings.data} cannot be made: {error.strerror}. Set RELAY_DATA to one that can."
        ) from error
