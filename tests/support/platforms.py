"""A shop of every platform on the real app and a real store, and requests as the platforms make them. No worker."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app, load_parts
from handlers import discover_platforms
from handlers.context import Relay
from relay import jsontext
from relay.clock import ManualClock
from relay.news import EVERYTHING, NOTHING, News
from relay.platforms import Platform, Sending
from relay.salesmanago.client import Client
from relay.shops import Shop
from relay.store import DeliveryView, Store

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
BODY = b'{"id":1001,"note":"caf\\u00e9 \\/ \\u0026 more"}'
SECRET = "an-invented-secret"
OLD_SECRET = "the-secret-before"
MAX_BODY_BYTES = 20000

_GROUP = """
[groups.main]
endpoint   = "https://sm.example"
client_id  = "client"
api_key    = "invented"
api_secret = "invented"
owner      = "owner@example.com"
location   = "invented_shop"
"""
_SHOP = """
[shops.{platform}]
platform = "{platform}"
group    = "main"
domain   = "{platform}.shop.example"
url      = "https://{platform}.example"
currency = "EUR"
secrets  = {secrets}
"""


def configuration(secrets: Sequence[str] = (SECRET, OLD_SECRET)) -> str:
    """Give a configuration file with one shop of each platform, which bears its name."""
    written = jsontext.dumps(list(secrets))  # JSON's texts are TOML's
    return _GROUP + "".join(_SHOP.format(platform=name, secrets=written) for name in discover_platforms())


class Edge:
    """The app over the store at ``sqlite_url``.

    ``woken`` counts how often a worker was told that there is work, ``told`` is the last word; ``when_woken`` is called
    each time.
    """

    def __init__(self, folder: Path, sqlite_url: str, secrets: Sequence[str] = (SECRET, OLD_SECRET)) -> None:
        (folder / "relay.toml").write_text(configuration(secrets), encoding="utf-8")
        self.environ = {
            "RELAY_CONFIG": str(folder / "relay.toml"),
            "RELAY_DATA": str(folder),
            "RELAY_DATABASE_URL": sqlite_url,
            "RELAY_MAX_BODY_BYTES": str(MAX_BODY_BYTES),
        }
        self.woken = 0
        self.told = NOTHING
        self.when_woken: Callable[[], object] = lambda: None
        self.clock = ManualClock(NOW)
        self.store = Store.open(sqlite_url, folder=folder, commit_wait_s=0.2)
        self._file = sqlite_url.removeprefix("sqlite:///")
        parts = load_parts(self.environ)
        self.relay = Relay(
            settings=parts.settings,
            directory=parts.directory,
            platforms=parts.platforms,
            store=self.store,
            client=Client(self.clock),
            mappings=parts.mappings,
            clock=self.clock,
            wake=self._wake,
        )
        self.app = create_app(self.environ, self.relay)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def __enter__(self) -> Edge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.relay.client.close()
        self.store.close()

    def shop(self, named: str, **changes: Any) -> Shop:
        """Give a shop as configured, or as it would be with ``changes``."""
        return replace(self.relay.directory.shops[named], **changes)

    def platform(self, name: str) -> Platform:
        return self.relay.platforms[name]

    def sending(self, shop: str | Shop, **changes: Any) -> Sending:
        """Make up a delivery of a topic that is translated."""
        shop = self.shop(shop) if isinstance(shop, str) else shop
        first = next(iter(self.platform(shop.platform).topics))
        values: dict[str, Any] = {"shop": shop, "topic": first, "body": BODY, "delivery_id": "d-1", "at": NOW}
        return Sending(**(values | changes))

    def headers(self, shop: str | Shop, **changes: Any) -> dict[str, str]:
        """Give the headers a platform would send with it."""
        sending = self.sending(shop, **changes)
        return self.platform(sending.shop.platform).headers_of(sending)

    def deliver(self, shop: str, **changes: Any) -> TestResponse:
        """Have a shop deliver, rightly signed."""
        sending = self.sending(shop, **changes)
        return self.post(shop, sending.body, self.headers(shop, **changes))

    def post(self, shop: str, body: bytes, headers: Mapping[str, str], **more: Any) -> TestResponse:
        """Post any body with any headers to a shop's address."""
        return self.client.post(f"/webhooks/{shop}", data=body, headers=dict(headers), **more)

    def deliveries(self) -> list[DeliveryView]:
        """Give all that is stored, oldest first, with headers and bodies."""
        found = (self.store.reading.delivery(each.id) for each in self.store.reading.deliveries())
        return [each for each in found if each is not None][::-1]

    @contextmanager
    def store_locked(self) -> Iterator[None]:
        """Keep everybody else from writing to the store, as a program that hangs inside a transaction would."""
        with ExitStack() as stack:
            for file in (self._file, f"{self._file}-inbox"):
                connection = stack.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
                connection.execute("BEGIN IMMEDIATE")
            yield

    def _wake(self, news: News = EVERYTHING) -> None:
        self.woken += 1
        self.told = news
        self.when_woken()


def signed_headers(edge: Edge, shop: str, secret: str, **changes: Any) -> dict[str, str]:
    """Give a platform's headers, signed with a secret of one's own choice."""
    return edge.headers(edge.shop(shop, secrets=(secret,)), **changes)


def signature_header(edge: Edge, shop: str) -> str:
    """Give the name of the header that holds the signature: the one that another secret changes."""
    first, second = (signed_headers(edge, shop, secret) for secret in ("one", "another"))
    (name,) = (name for name, value in first.items() if second[name] != value)
    return name


def topic_header(edge: Edge, shop: str) -> str:
    """Give the name of the header that holds the whole topic."""
    topic = edge.sending(shop).topic
    (name,) = (name for name, value in edge.headers(shop).items() if value == topic)
    return name


def without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    """Give headers without some."""
    return {name: value for name, value in headers.items() if name not in names}


def status(response: TestResponse) -> str:
    """Read what a webhook that was taken is answered; nothing else is in it."""
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    body = jsontext.loads(response.get_data())
    assert list(body) == ["status"]
    return str(body["status"])


def refusal(response: TestResponse) -> int:
    """Give the status of a refusal, which has the shape of every error."""
    body = jsontext.loads(response.get_data())
    assert body["success"] is False
    assert body["messages"]
    assert body["requestId"]
    return response.status_code
