"""The REST API on a real store, without a worker: tests say what SALESmanago made of the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from handlers import feeds, rest
from handlers.context import EXTENSION, Relay
from handlers.waiting import Waiting
from relay import jsontext
from relay.clock import ManualClock
from relay.commands import Outcome, StoredCommand, Verdict
from relay.deliveries import DeliveryState, NewDelivery, Translation
from relay.memory import CatalogItem
from relay.news import EVERYTHING, NOTHING, News
from relay.salesmanago.client import Client
from relay.settings import load_settings
from relay.shops import Directory, Group, Shop
from relay.store import Store
from relay.translation.loading import load_mappings

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
KEY = "key-of-main"
OTHER_KEY = "key-of-other"
FEED_TOKEN = "token-of-main"
MAPPING = """
[api.contacts]
email = "{{ data.epost }}"
[api.contacts.properties]
shoe_size = "{{ data.shoe }}"
"""


def group(key: str, **changes: Any) -> Group:
    settings: dict[str, Any] = {
        "key": key,
        "endpoint": "https://sm.example",
        "client_id": "client",
        "api_key": "invented",
        "api_secret": "invented",
        "owner": "owner@shop.example",
        "location": f"{key}_shop",
        "api_keys": (f"key-of-{key}",),
        "products": frozenset({"feed", "catalog"}),
        "feed_token": f"token-of-{key}",
    }
    return Group(**(settings | changes))


class Cards:
    """Stands for the client: holds contact cards, or an error to raise."""

    def __init__(self) -> None:
        self.cards: dict[str, Mapping[str, Any]] = {}
        self.error: Exception | None = None

    def contact_card(self, group: Group, contact_id: str) -> Mapping[str, Any] | None:
        if self.error is not None:
            raise self.error
        return self.cards.get(contact_id)


class Rest:
    """An app with the REST API and the feed. ``worker`` is called whenever a request would sleep."""

    def __init__(self, folder: Path) -> None:
        (folder / "default.toml").write_text(MAPPING, encoding="utf-8")
        self.clock = ManualClock(NOW)
        self.store = Store.open(f"sqlite:///{folder / 'relay.sqlite3'}", folder=folder, commit_wait_s=0.2)
        self.store.migrate()
        self.cards = Cards()
        self.worker: Callable[[], object] | None = None
        self.woken = 0
        self.told = NOTHING
        self.slept_s = 0.0
        self.directory = Directory(
            groups={
                "main": group("main"),
                "other": group("other"),
                "fed": group("fed", products=frozenset({"feed"})),
                "bare": group("bare", products=frozenset(), feed_token=None, api_keys=()),
            },
            shops={"second": Shop("second", "shopify", "main", "second_shop", ("invented",))},
        )
        self.relay = Relay(
            settings=load_settings({"RELAY_MAX_BODY_BYTES": "20000"}),
            directory=self.directory,
            platforms={},
            store=self.store,
            client=cast(Client, self.cards),
            mappings=load_mappings(folder, ["default"]),
            clock=self.clock,
            wake=self._wake,
            waiting=Waiting(sleep=self._sleep, monotonic=lambda: self.slept_s),
        )
        self.app = _app(self.relay)

    def __enter__(self) -> Rest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def call(self, method: str, path: str, body: Any = None, key: str | None = KEY, **headers: str) -> TestResponse:
        """Send one request; ``body`` may be JSON values or bytes, names in ``headers`` have underscores for dashes."""
        data = body if isinstance(body, bytes) or body is None else jsontext.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            given["X-API-Key"] = key
        return self.client.open(path, method=method, data=data, headers=given)

    def stored_bodies(self) -> list[bytes]:
        """Give the bodies of all stored deliveries, newest first."""
        views = (self.store.reading.delivery(view.id) for view in self.store.reading.deliveries())
        return [view.body or b"" for view in views if view is not None]

    def settle(self, verdict: Verdict = Verdict.DONE, **outcome: Any) -> list[StoredCommand]:
        """Claim every due command and settle it."""
        now = self.clock.now()
        claimed = self.store.commands.claim(now, 60, 100, followers=0)
        begun = self.store.commands.begin(claimed, now)
        self.store.commands.settle([Outcome(each, verdict, **outcome) for each in begun], now)
        return begun

    def add_items(self, *items: CatalogItem) -> None:
        """Put catalogue items into the store, as a translation would."""
        number = len(self.store.reading.deliveries(limit=1000))
        new = NewDelivery("api", items[0].group, None, "t", f"items-{number}", {}, b"{}", self.clock.now())
        self.store.deliveries.record(new, Translation(DeliveryState.TRANSLATED, items=items))

    def _wake(self, news: News = EVERYTHING) -> None:
        self.woken += 1
        self.told = news

    def _sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        if self.worker is not None:
            self.worker()


def _app(relay: Relay) -> Flask:
    app = Flask("rest")
    app.extensions[EXTENSION] = relay
    rest.install(app, "0.0", docs=True)
    app.register_blueprint(feeds.blueprint)
    return app


def answer(response: TestResponse) -> dict[str, Any]:
    """Read a JSON answer without floats; every one has the three common keys."""
    assert response.mimetype == "application/json"
    body = jsontext.loads(response.get_data())
    assert isinstance(body["success"], bool)
    assert isinstance(body["messages"], list)
    assert isinstance(body["requestId"], str)
    return cast(dict[str, Any], body)
