"""The ``flask`` commands on a small app of their own: a real store, two groups, two shops, and no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from click.testing import Result
from flask import Flask

import cli
from handlers import shopify, woocommerce
from handlers.context import EXTENSION, Parts, Relay
from relay import jsontext
from relay.clock import Clock
from relay.errors import ConfigurationError
from relay.news import EVERYTHING, NOTHING, News
from relay.salesmanago.client import Client
from relay.settings import Settings, load_settings
from relay.shops import Catalog, Directory, Group, Shop
from relay.store import Store
from relay.translation.loading import load_mappings
from relay.translation.translator import Translator

PLATFORMS = {platform.name: platform for platform in (shopify.PLATFORM, woocommerce.PLATFORM)}
ENDPOINT = "http://127.0.0.1:8001"  # RELAY_SANDBOX_BIND's default


def group(key: str, **changes: Any) -> Group:
    """Make a group whose SALESmanago is the simulator."""
    values: dict[str, Any] = {
        "endpoint": ENDPOINT,
        "client_id": f"client-of-{key}",
        "api_key": "invented-key",
        "api_secret": "invented-secret",
        "owner": "owner@shop.example",
        "location": f"{key}_shop",
    }
    return Group(key, **values | changes)


def shop(key: str, platform: str, **changes: Any) -> Shop:
    """Make a shop of the group "main"."""
    values: dict[str, Any] = {"group": "main", "location": f"{key}_shop", "secrets": ("invented-secret",)}
    return Shop(key, platform, **values | changes)


def a_directory() -> Directory:
    """Two groups, the second without a catalogue, and two shops of the first."""
    catalog = Catalog(ENDPOINT, "invented-v3-key")
    groups = [group("main", products=frozenset({"catalog"}), catalog=catalog), group("second")]
    shops = [shop("acme", "shopify", domains=("acme.myshopify.com",)), shop("woo", "woocommerce", currency="PLN")]
    return Directory({each.key: each for each in groups}, {each.key: each for each in shops})


@dataclass
class Parted:
    """Stands for the app's joint; a test sets what it holds, or the errors to raise in place of that."""

    given: Settings
    store: Store
    clock: Clock
    directory: Directory = field(default_factory=a_directory)
    translation: Any = None
    error: ConfigurationError | None = None
    settings_error: ConfigurationError | None = None
    woken: int = 0
    told: News = NOTHING
    closed: int = 0

    def settings(self) -> Settings:
        if self.settings_error is not None:
            raise self.settings_error
        return self.given

    def parts(self) -> Parts:
        settings = self.settings()
        if self.error is not None:
            raise self.error
        return Parts(settings, PLATFORMS, self.directory, load_mappings(settings.mappings, ["default"]))

    def relay(self) -> Relay:
        parts = self.parts()
        return Relay(
            settings=parts.settings,
            directory=parts.directory,
            platforms=parts.platforms,
            store=self.store,
            client=cast(Client, None),
            mappings=parts.mappings,
            clock=self.clock,
            wake=self._wake,
        )

    def translator(self) -> Translator:
        self.parts()
        return cast(Translator, self.translation)

    def close(self) -> None:
        self.closed += 1

    def _wake(self, news: News = EVERYTHING) -> None:
        self.woken += 1
        self.told = news


class Cli:
    """Runs commands; ``joint`` and ``store`` are what they meet."""

    def __init__(self, joint: Parted) -> None:
        self.joint = joint
        self.store = joint.store
        self.app = Flask("commands")
        self.app.extensions[EXTENSION] = joint
        cli.install(self.app)

    def run(self, *arguments: str | int) -> Result:
        """Run a command and give its exit code, stdout and stderr."""
        return self.app.test_cli_runner().invoke(args=[str(each) for each in arguments], catch_exceptions=False)

    def lines(self, *arguments: str | int) -> list[str]:
        """Run a command that must succeed, and give the lines of its stdout."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.stderr
        return result.stdout.splitlines()

    def rows(self, *arguments: str | int) -> list[list[str]]:
        """Give the words of each line below the headings."""
        return [line.split() for line in self.lines(*arguments)[1:]]

    def json(self, *arguments: str | int) -> Any:
        """Run a command with --json, and give its document."""
        (line,) = self.lines(*arguments, "--json")
        return jsontext.loads(line)

    def error(self, *arguments: str | int) -> str:
        """Run a command that must fail, and give what it says on stderr."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("Error: "), result.stderr
        return result.stderr.removeprefix("Error: ").rstrip("\n")


@contextmanager
def a_cli(url: str, folder: Path, clock: Clock, **environ: str) -> Iterator[Cli]:
    """Open the store at ``url`` and give the commands, with settings from ``environ``."""
    settings = load_settings({"RELAY_DATA": str(folder), "RELAY_DATABASE_URL": url} | environ)
    store = Store.open(url, folder=folder)
    try:
        yield Cli(Parted(settings, store, clock))
    finally:
        store.close()
