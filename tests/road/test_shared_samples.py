"""Deliveries of real shops and the platforms' own documentation, posted to a running relay; read where they lie.

They are no part of this repository: RELAY_SHARED_SAMPLES names their folder, and without it nothing here runs. Only
kinds and counts are stated.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cli.sample_files import topic_of
from tests.support.road import PLATFORMS, SHOPIFY, WOOCOMMERCE, Road, running_road

FOLDER = os.environ.get("RELAY_SHARED_SAMPLES", "")

pytestmark = [
    pytest.mark.road,
    pytest.mark.xdist_group("road"),
    pytest.mark.skipif(not FOLDER, reason="RELAY_SHARED_SAMPLES names no folder"),
]

NO_DELIVERIES = ("ping__", "rest_")
"""Files that describe a request, or an answer of the shop's own API."""


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with running_road(tmp_path_factory.mktemp("shared"), test_orders="on") as running:
        yield running


def _files(platform: str) -> list[Path]:
    paths = sorted((Path(FOLDER) / platform).glob("*.json"))
    return [path for path in paths if not path.name.startswith(NO_DELIVERIES) and ".headers" not in path.name]


def _requests_of_the_store() -> Iterator[tuple[dict[str, str], bytes]]:
    for path in sorted((Path(FOLDER) / "woocommerce-store").glob("*.headers.json")):
        headers = dict(json.loads(path.read_bytes())["headers"])
        kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "connection")}
        yield kept, Path(str(path).replace(".headers.json", ".body")).read_bytes()


def test_106_requests_of_a_woocommerce_store_posted_as_they_are(tmp_path: Path):
    with running_road(tmp_path) as road:
        statuses: Counter[str] = Counter()
        with requests.Session() as session:
            for headers, body in _requests_of_the_store():
                answer = session.post(f"{road.url}/webhooks/zielnik", data=body, headers=headers, timeout=30)
                assert answer.status_code == 200, answer.text
                statuses[answer.json()["status"]] += 1
        assert statuses == {"pong": 9, "stored": 97}
        road.wait_until_idle(120)
        with road.store() as store:
            views = store.reading.deliveries(limit=200)
            counts = store.reading.counts()
        assert Counter(view.state.value for view in views) == {"translated": 88, "ignored": 9}
        assert not {state for (_, state), number in counts.commands.items() if number} & {"dead", "uncertain"}
        events = road.events()
        purchases = Counter(event["externalId"] for event in events if event["contactExtEventType"] == "PURCHASE")
        assert purchases == dict.fromkeys(("19", "21", "23", "24", "27", "28", "33"), 1)
        kinds = Counter(event["contactExtEventType"] for event in events)
        assert kinds == {"CART": 6, "PURCHASE": 7, "RETURN": 2, "CANCELLATION": 2}
        # The same again is known, however often it comes.
        with requests.Session() as session:
            for headers, body in _requests_of_the_store():
                session.post(f"{road.url}/webhooks/zielnik", data=body, headers=headers, timeout=30)
        road.wait_until_idle()
        with road.store() as store:
            assert len(store.reading.deliveries(limit=200)) == 97
        assert len(road.events()) == len(events)


@pytest.mark.parametrize("shop", [SHOPIFY, WOOCOMMERCE], ids=["shopify", "woocommerce"])
def test_every_shared_sample_is_stored_and_ends_for_a_reason(road: Road, shop):
    platform = PLATFORMS[shop.platform]
    posted = 0
    for path in _files(shop.platform):
        topic = topic_of(path.stem, platform) or path.stem.partition("__")[0]
        answer = road.send(shop, topic, path.read_bytes(), f"shared-{path.stem}")
        assert (path.name, answer.status_code, answer.json()) == (path.name, 200, {"status": "stored"})
        posted += 1
    assert posted > 30
    road.wait_until_idle(90)
    with road.store() as store:
        views = [view for view in store.reading.deliveries(limit=200) if view.shop == shop.key]
    assert len(views) == posted
    ended = Counter(view.state.value for view in views)
    assert not ended.keys() - {"translated", "ignored", "dead"}
    assert all(view.reason for view in views if view.state != "translated")
    assert ended["dead"] == 0, _table(views)


def _table(views) -> str:
    counted = Counter((view.topic, view.state.value, (view.reason or "-").partition(":")[0]) for view in views)
    return "\n".join(f"| {' | '.join(key)} | {number} |" for key, number in sorted(counted.items()))
