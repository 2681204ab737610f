"""A whole relay in one process: two shops, a REST caller, a worker, the simulator as SALESmanago, and its logs."""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from werkzeug.test import TestResponse

from app import assemble, create_app, load_parts, translator
from relay import jsontext
from relay.clock import ManualClock
from relay.log import configure_logging
from relay.platforms import Sending
from relay.worker.worker import Worker
from tests.support.sandbox import ACCOUNT, RunningSandbox, running_sandbox

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
KEY = "an-invented-key-of-main"
FEED_TOKEN = "an-invented-token"

_CONFIGURATION = """
[groups.main]
endpoint   = "{url}"
client_id  = "{client_id}"
api_key    = "invented"
api_secret = "{api_secret}"
owner      = "{owner}"
location   = "invented_shop"
currency   = "EUR"
api_keys   = ["{key}"]
products   = ["feed", "catalog"]
catalog    = {{ endpoint = "{url}", api_key = "{v3_key}" }}
feed_token = "{feed_token}"

[shops.acme]
platform = "shopify"
group    = "main"
domain   = "acme.myshopify.com"
url      = "https://acme.example"
currency = "EUR"
secrets  = ["an-invented-secret"]
{acme}

[shops.woo]
platform = "woocommerce"
group    = "main"
url      = "https://woo.example"
location = "woo_shop"
currency = "EUR"
secrets  = ["another-invented-secret"]
{woo}
"""


class House:
    """The relay over a migrated database, its files in ``data``; time stands still until it is moved."""

    def __init__(self, folder: Path, url: str, sandbox: RunningSandbox, acme: str = "", woo: str = "") -> None:
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        file = folder / "relay.toml"
        file.write_text(_CONFIGURATION.format(
            url=sandbox.url, client_id=ACCOUNT.client_id, api_secret=ACCOUNT.api_secret, owner=ACCOUNT.owners[0],
            v3_key=ACCOUNT.v3_key, key=KEY, feed_token=FEED_TOKEN, acme=acme, woo=woo,
        ), encoding="utf-8")  # fmt: skip
        self.sandbox = sandbox
        self.clock = ManualClock(NOW)
        self.log = io.StringIO()
        configure_logging("debug", self.log)
        settings = {"DATA": str(self.data), "DATABASE_URL": url, "API_WAIT_S": "0", "CONFIG": str(file)}
        environ = {f"RELAY_{name}": value for name, value in settings.items()}
        self._parts = load_parts(environ)
        self.relay = assemble(self._parts, self.clock)
        self.app = create_app(environ, self.relay)
        self._numbers = itertools.count(1)

    def close(self) -> None:
        """Close what is open."""
        self.relay.client.close()
        self.relay.store.close()

    def deliver(self, shop: str, topic: str, body: Any, at: datetime | None = None) -> None:
        """Have a shop deliver, rightly signed; ``body`` may be JSON values or bytes."""
        raw = body if isinstance(body, bytes) else jsontext.dumps(body).encode()
        known = self.relay.directory.shops[shop]
        sending = Sending(known, topic, raw, f"delivery-{next(self._numbers)}", at or self.clock.now())
        headers = self.relay.platforms[known.platform].headers_of(sending)
        response = self.app.test_client().post(f"/webhooks/{shop}", data=raw, headers=headers)
        assert response.status_code == 200, response.text

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> TestResponse:
        """Call the REST API."""
        given = {"X-API-Key": KEY} | dict(headers or {})
        return self.app.test_client().open(path, method=method, json=body, headers=given)

    def feed(self) -> str:
        """Give the product feed."""
        response = self.app.test_client().get(f"/feeds/main.xml?token={FEED_TOKEN}")
        assert response.status_code == 200, response.text
        return response.text

    def work(self, hours: float = 0) -> None:
        """Let some time pass and a new worker do all that is due then."""
        self.clock.advance(timedelta(hours=hours).total_seconds())
        self.worker().run_until_idle()

    def worker(self) -> Worker:
        """Make a worker."""
        return Worker(
            store=self.relay.store,
            client=self.relay.client,
            translator=translator(self._parts),
            directory=self.relay.directory,
            settings=self.relay.settings,
            clock=self.clock,
            sleep=self.clock.advance,
        )

    def told(self) -> str:
        """Give the contacts that SALESmanago holds, with their events, as text."""
        holdings = self.sandbox.state.holdings[ACCOUNT.client_id]
        return jsontext.dumps(holdings.as_dict()["contacts"])


@contextmanager
def a_house(folder: Path, url: str, **settings: str) -> Iterator[House]:
    """Give a house, and afterwards the logging that was there before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with running_sandbox() as sandbox:
        house = House(folder, url, sandbox, **settings)
        try:
            yield house
        finally:
            house.close()
            root.handlers[:] = handlers
            root.setLevel(level)
            for name in ("gunicorn.error", "gunicorn.access", "urllib3", "sqlalchemy", "alembic"):
                logging.getLogger(name).setLevel(logging.NOTSET)
            structlog.reset_defaults()
