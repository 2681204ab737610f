"""Runs the SALESmanago simulator; the only module here that needs ``sandbox/``."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable

import click

from relay.demo import demo_accounts
from relay.settings import Settings
from relay.shops import Group
from relay.worker.supervisor import SUPERVISOR_VARIABLE, parent_is_gone
from sandbox import SandboxAccount, create_app, serve

KEEP_FILE = "sandbox.json"
_LOOK_S = 1.0


def accounts(groups: Iterable[Group], settings: Settings) -> list[SandboxAccount]:
    """Give the accounts to play: the demo's, or one for each group."""
    if settings.demo:
        return [
            SandboxAccount(account.client_id, account.api_secret, (account.owner,), account.v3_key)
            for account in demo_accounts(settings)
        ]
    return [
        SandboxAccount(
            group.client_id, group.api_secret, (group.owner,), group.catalog.api_key if group.catalog else ""
        )
        for group in groups
    ]


def run(played: Iterable[SandboxAccount], settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, or until the supervisor is gone; what it holds is kept in RELAY_DATA.

    Raises: ClickException when the address is taken.
    """
    if os.environ.get(SUPERVISOR_VARIABLE):
        end_with(parent_is_gone, lambda: os.kill(os.getpid(), signal.SIGTERM))
    address = settings.sandbox_bind
    app = create_app(played, settings.data / KEEP_FILE)
    try:
        serve(app, address.host, address.port, lambda url: click.echo(f"The SALESmanago simulator listens on {url}"))
    except OSError as error:
        raise click.ClickException(
            f"The simulator cannot listen on {address}: {error.strerror}. "
            "Another one may be running; end that, or set RELAY_SANDBOX_BIND."
        ) from error


def end_with(is_gone: Callable[[], bool], end: Callable[[], None], look_s: float = _LOOK_S) -> threading.Thread:
    """Look now and then, in a thread, whether the supervisor is gone, and then call ``end`` once."""

    def watch() -> None:
        while not is_gone():
            time.sleep(look_s)
        end()

    thread = threading.Thread(target=watch, name="supervisor-watch", daemon=True)
    thread.start()
    return thread
