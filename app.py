"""The relay as one Flask app, and the only place where its parts are joined: ``gunicorn app:app``, ``flask --app app``.

Importing and creating an app opens nothing and refuses nothing: the configuration is loaded and the store opened when
a request or a command first needs them, so after any fork, and so that a command can report faults that stop a server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import cli
from handlers import discover_platforms, feeds, rest, webhooks
from handlers.aliases import Aliases
from handlers.context import EXTENSION, Parts, Relay
from handlers.health import health_blueprint
from handlers.waiting import Waiting
from relay.clock import Clock, SystemClock
from relay.commands import Lane
from relay.configuration import load_directory
from relay.errors import ConfigurationError, Fault
from relay.log import configure_logging
from relay.platforms import Platforms
from relay.salesmanago.client import USER_AGENT, Client
from relay.settings import Settings, load_settings
from relay.shops import Directory
from relay.store import Store
from relay.translation.loading import load_mappings, mapping_names
from relay.translation.mapping import Mapping as FieldMapping
from relay.translation.translator import Translator
from relay.worker.crew import CALLS_PER_LANE
from relay.worker.waking import Bell

VERSION = "0.1.0"

_LOG_LEVEL = "info"  # where the settings cannot be read


def load_parts(environ: Mapping[str, str]) -> Parts:
    """Read the whole configuration; opens nothing.

    Raises: ConfigurationError with every fault of the settings; where there is none, with every fault of the platforms,
    the configuration file and the mappings together.
    """
    settings = load_settings(environ)
    faults: list[Fault] = []
    platforms: Platforms = {}
    directory: Directory | None = None
    mappings: Mapping[str, FieldMapping] = {}
    with _added_to(faults):
        platforms = discover_platforms()
        directory = load_directory(settings, platforms)
    with _added_to(faults):
        mappings = load_mappings(settings.mappings, _mapping_names(settings, directory))
    if directory is None or faults:
        raise ConfigurationError(faults)
    return Parts(settings, platforms, directory, mappings)


def assemble(parts: Parts, clock: Clock | None = None) -> Relay:
    """Open the store and the client. The store's tables are taken as they are.

    Raises: StoreUnavailable when the store cannot be opened.
    """
    settings, clock = parts.settings, clock or SystemClock()
    store = Store.open(settings.database_url, folder=settings.data)
    return Relay(
        settings=settings,
        directory=parts.directory,
        platforms=parts.platforms,
        store=store,
        client=_client(parts, clock),
        mappings=parts.mappings,
        clock=clock,
        wake=Bell(settings.data, elsewhere=store.notify).ring,
        waiting=Waiting(settings.web_threads),
    )


def translator(parts: Parts | Relay) -> Translator:
    """Give what turns deliveries into commands."""
    return Translator(parts.directory, parts.platforms, parts.mappings, test_orders=parts.settings.test_orders)


class Joined:
    """The parts of one app, see ``handlers.context.Joint``. A relay that was given stays its giver's to close."""

    def __init__(self, environ: Mapping[str, str], given: Relay | None = None) -> None:
        self._environ = dict(environ)
        self._given = given
        self._parts: Parts | None = None
        self._relay: Relay | None = None
        self._lock = RLock()

    def settings(self) -> Settings:
        """Give the process settings; raises ConfigurationError."""
        known = self._given or self._parts
        return known.settings if known else load_settings(self._environ)

    def parts(self) -> Parts:
        """Give the configuration; raises ConfigurationError, as often as it is asked for and not mended."""
        if self._given is not None:
            return _parts_of(self._given)
        with self._lock:
            if self._parts is None:
                self._parts = load_parts(self._environ)
            return self._parts

    def relay(self) -> Relay:
        """Give the running relay; raises ConfigurationError or StoreUnavailable, as often as it cannot be opened."""
        if self._given is not None:
            return self._given
        with self._lock:
            if self._relay is None:
                self._relay = assemble(self.parts())
            return self._relay

    def translator(self) -> Translator:
        """Give what turns deliveries into commands; raises ConfigurationError."""
        return translator(self.parts())

    def close(self) -> None:
        """Close the store and the client, if they were opened here."""
        with self._lock:
            opened, self._relay = self._relay, None
        if opened is not None:
            opened.client.close()
            opened.store.close()


def create_app(environ: Mapping[str, str] | None = None, relay: Relay | None = None) -> Flask:
    """Make an app, configured by ``environ`` (this process's environment unless given) or around a ``relay``.

    Raises nothing for a faulty configuration: whatever needs the faulty part does.
    """
    joined = Joined(os.environ if environ is None else environ, relay)
    settings = _settings_or_none(joined)
    app = Flask(__name__, static_folder=None)
    app.extensions[EXTENSION] = joined
    rest.install(app, VERSION, docs=settings is not None and settings.docs)
    for blueprint in (webhooks.blueprint, feeds.blueprint):
        app.register_blueprint(blueprint)
    app.register_blueprint(health_blueprint(metrics=settings is not None and settings.metrics))
    cli.install(app)
    _wrap(app, settings.trusted_proxies if settings else 0)
    return app


def _client(parts: Parts, clock: Clock) -> Client:
    """Make the client, with room to keep every connection that web threads or a worker's calls have open at once."""
    calls = len(parts.directory.groups) * len(Lane) * CALLS_PER_LANE
    return Client(
        clock,
        read_timeout_s=parts.settings.send_timeout_s,
        pool_size=max(calls, parts.settings.web_threads),
        user_agent=f"{USER_AGENT}/{VERSION}",
    )


def _wrap(app: Flask, trusted_proxies: int) -> None:
    """Put the layers around ``app`` that see a request before its routes do."""
    app.wsgi_app = Aliases(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents this way of wrapping it
    if trusted_proxies:
        # Not the host: no answer depends on it, and few proxies are told to set X-Forwarded-Host.
        proxied = ProxyFix(app.wsgi_app, x_for=trusted_proxies, x_proto=trusted_proxies)
        app.wsgi_app = proxied  # type: ignore[method-assign]


def _settings_or_none(joined: Joined) -> Settings | None:
    try:
        return joined.settings()
    except ConfigurationError:
        return None


def _mapping_names(settings: Settings, directory: Directory | None) -> list[str]:
    """Give the mappings to check: those in use; without a directory that tells, all there are."""
    if directory is None:
        return mapping_names(settings.mappings)
    groups, shops = directory.groups.values(), directory.shops.values()
    return [*(group.mapping for group in groups), *(shop.mapping for shop in shops)]


def _parts_of(relay: Relay) -> Parts:
    return Parts(relay.settings, relay.platforms, relay.directory, relay.mappings)


@contextmanager
def _added_to(faults: list[Fault]) -> Iterator[None]:
    """Collect the faults of a step instead of ending with them."""
    try:
        yield
    except ConfigurationError as error:
        faults += error.faults


def __getattr__(name: str) -> Flask:
    """Make ``app`` for whoever asks for it first: a server or the flask command, not those who only import names."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        made = globals()[name] = _served()
    except AttributeError as error:
        # Python would take it for a module without an app, and say no more than that.
        raise RuntimeError("The app cannot be made.") from error
    return made


def _served() -> Flask:
    """Make the app of this process and send its logs where they belong."""
    made = create_app()
    settings = _settings_or_none(made.extensions[EXTENSION])
    configure_logging(settings.log_level if settings else _LOG_LEVEL)
    return made
