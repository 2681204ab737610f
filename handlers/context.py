"""What a request or a command may reach: the parts that ``app.py`` joined, and the request's own id."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from flask import Flask, current_app, g

from handlers.waiting import Waiting
from relay.clock import Clock
from relay.platforms import Platforms
from relay.salesmanago.client import Client
from relay.settings import Settings
from relay.shops import Directory
from relay.store import Store
from relay.translation.mapping import Mapping as FieldMapping
from relay.translation.translator import Translator

EXTENSION = "relay"


@dataclass(frozen=True, slots=True)
class Parts:
    """The configuration, read and checked as a whole; nothing is open yet.

    ``mappings`` has one entry per mapping name that a group or a shop uses.
    """

    settings: Settings
    platforms: Platforms
    directory: Directory
    mappings: Mapping[str, FieldMapping]


@dataclass(frozen=True)
class Relay:
    """The parts of a running relay, the same for every request.

    ``mappings`` has one entry per mapping name, ``wake`` tells workers that there is work: ``News``, or of any kind.
    """

    settings: Settings
    directory: Directory
    platforms: Platforms
    store: Store
    client: Client
    mappings: Mapping[str, FieldMapping]
    clock: Clock
    wake: Callable[..., None]
    waiting: Waiting = field(default_factory=Waiting)


class Joint(Protocol):
    """The parts of one app, each loaded or opened when somebody first asks for it, once for all threads.

    ``app.extensions["relay"]`` holds it. A mistake in the configuration is raised by what needs the mistaken part, and
    by nothing before, so that a command can still report what a server refuses. It is raised again each time.
    """

    def settings(self) -> Settings:
        """Give the process settings; raises ConfigurationError with every fault of theirs, and no other."""
        ...

    def parts(self) -> Parts:
        """Give the configuration; opens nothing.

        Raises: ConfigurationError with every fault of the settings, or else of the configuration file and the mappings.
        """
        ...

    def relay(self) -> Relay:
        """Give the running relay, its store and client open. The store's tables are taken as they are.

        Raises: ConfigurationError as ``parts`` does; StoreUnavailable when the store cannot be opened, then the next
        call tries again.
        """
        ...

    def translator(self) -> Translator:
        """Give what turns deliveries into commands; opens nothing. Raises: ConfigurationError as ``parts`` does."""
        ...

    def close(self) -> None:
        """Close the store and the client, if they are open; whoever asks for the relay afterwards opens them anew."""
        ...


def joint_of(app: Flask) -> Joint:
    """Give the joint of an app that ``create_app`` made."""
    return cast(Joint, app.extensions[EXTENSION])


def current_joint() -> Joint:
    """Give the joint of the app that runs this request or command."""
    return joint_of(current_app)


def current_relay() -> Relay:
    """Give the parts of the relay that answers this request; raises as ``Joint.relay`` does."""
    held = current_app.extensions[EXTENSION]
    return held if isinstance(held, Relay) else cast(Joint, held).relay()


def request_id() -> str:
    """Give this request's id, made on first use: what answers, logs and stored REST calls know it by."""
    if "request_id" not in g:
        g.request_id = str(uuid.uuid4())
    return cast(str, g.request_id)
