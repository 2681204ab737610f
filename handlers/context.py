"""What a request may reach: the parts that ``app.py`` joined, and the request's own id."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from flask import current_app, g

from handlers.waiting import Waiting
from relay.clock import Clock
from relay.platforms import Platforms
from relay.salesmanago.client import Client
from relay.settings import Settings
from relay.shops import Directory
from relay.store import Store
from relay.translation.mapping import Mapping as FieldMapping

EXTENSION = "relay"


@dataclass(frozen=True)
class Relay:
    """The parts of a running relay, the same for every request; ``app.extensions["relay"]`` holds it.

    ``mappings`` has one entry per mapping name, ``wake`` tells a worker that there is work.
    """

    settings: Settings
    directory: Directory
    platforms: Platforms
    store: Store
    client: Client
    mappings: Mapping[str, FieldMapping]
    clock: Clock
    wake: Callable[[], None]
    waiting: Waiting = field(default_factory=Waiting)


def current_relay() -> Relay:
    """Give the parts of the relay that answers this request."""
    return cast(Relay, current_app.extensions[EXTENSION])


def request_id() -> str:
    """Give this request's id, made on first use: what answers, logs and stored REST calls know it by."""
    if "request_id" not in g:
        g.request_id = str(uuid.uuid4())
    return cast(str, g.request_id)
