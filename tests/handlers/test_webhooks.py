"""The road of a webhook where it is the same whatever the platform: answers, what is kept, counted and logged."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from relay.metrics import render
from tests.support.platforms import BODY, MAX_BODY_BYTES, NOW, Edge, refusal, signature_header, status, without

PING = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def edge(tmp_path: Path, sqlite_url: str) -> Iterator[Edge]:
    with Edge(tmp_path, sqlite_url) as edge:
        yield edge


@pytest.mark.parametrize("path", ["/webhooks/shopify", "/webhooks/shopify/"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_405_and_tell_what_the_address_is_for(edge: Edge, method: str, path: str) -> None:
    response = edge.client.open(path, method=method)
    assert refusal(response) == 405
    assert response.headers["Allow"] == "POST"
    assert "Shops deliver by POST" in response.get_data(as_text=True)


def test_browser_is_told_that_there_is_no_such_shop(edge: Edge) -> None:
    assert refusal(edge.client.get("/webhooks/nobody")) == 404


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/", "/webhooks/shopify/orders"])
def test_addresses_beside_a_shop_are_404(edge: Edge, path: str) -> None:
    assert refusal(edge.client.post(path, data=BODY, headers=edge.headers("shopify"))) == 404


def test_answer_is_not_kept_by_any_cache(edge: Edge) -> None:
    assert edge.deliver("shopify").headers["Cache-Control"] == "no-store"


def test_ids_and_times_of_the_headers_are_kept(edge: Edge) -> None:
    at = NOW - timedelta(hours=3, microseconds=5)
    edge.deliver("shopify", at=at, delivery_id="d-1")
    edge.deliver("woocommerce", delivery_id="d-2")
    first, second = edge.deliveries()
    assert (first.delivery_id, first.event_id, first.triggered_at) == ("d-1", "d-1", at)
    assert (first.webhook_id, first.api_version) == (None, "2026-04")
    assert (second.delivery_id, second.webhook_id, second.triggered_at) == ("d-2", "1", None)


def test_shopifys_repeat_is_told_by_its_id_whatever_the_body(edge: Edge) -> None:
    assert status(edge.deliver("shopify", body=b'{"id":1}')) == "stored"
    assert status(edge.deliver("shopify", body=b'{"id":2}')) == "repeated"
    assert [stored.body for stored in edge.deliveries()] == [b'{"id":1}']


def test_woocommerces_objects_of_one_second_share_an_id_and_are_all_stored(edge: Edge) -> None:
    assert status(edge.deliver("woocommerce", body=b'{"id":1}')) == "stored"
    assert status(edge.deliver("woocommerce", body=b'{"id":2}')) == "stored"
    assert [stored.body for stored in edge.deliveries()] == [b'{"id":1}', b'{"id":2}']


def test_two_deletions_of_one_thing_are_two_deliveries(edge: Edge) -> None:
    """Trash, restore, trash again: the bodies are the same, the second of the deliveries is not."""
    for delivery_id in ("d-1", "d-2"):
        sent = edge.deliver("woocommerce", topic="product.deleted", body=b'{"id":16}', delivery_id=delivery_id)
        assert status(sent) == "stored"


def test_delivery_that_names_another_shop_is_401_however_well_signed(edge: Edge) -> None:
    response = edge.post("shopify", BODY, edge.headers("shopify") | {"X-Shopify-Shop-Domain": "twin.shop.example"})
    assert refusal(response) == 401
    assert "twin.shop.example" in response.get_data(as_text=True)
    assert edge.deliveries() == []


def test_woocommerces_source_is_only_a_hint(edge: Edge) -> None:
    headers = edge.headers("woocommerce") | {"X-WC-Webhook-Source": "https://elsewhere.example/de/"}
    assert status(edge.post("woocommerce", BODY, headers)) == "stored"


@pytest.mark.parametrize("value", ["true", "1"])
def test_header_of_a_test_delivery_does_not_stand_in_for_a_signature(edge: Edge, value: str) -> None:
    test = {"X-Shopify-Test": value}
    unsigned = without(edge.headers("shopify"), signature_header(edge, "shopify"))
    assert refusal(edge.post("shopify", BODY, unsigned | test)) == 401
    assert edge.deliveries() == []
    assert status(edge.post("shopify", BODY, edge.headers("shopify") | test)) == "stored"


def test_ping_with_a_signature_is_a_delivery_like_any_other(edge: Edge) -> None:
    headers = edge.headers("woocommerce", body=b"webhook_id=1") | PING
    assert status(edge.post("woocommerce", b"webhook_id=1", headers)) == "stored"
    wrong = headers | {signature_header(edge, "woocommerce"): "d3Jvbmc="}
    assert refusal(edge.post("woocommerce", b"webhook_id=1", wrong)) == 401


def test_ping_is_answered_while_the_store_is_down(edge: Edge) -> None:
    with edge.store_locked():
        assert status(edge.post("woocommerce", b"webhook_id=1", PING)) == "pong"


def test_oversize_body_is_told_before_anything_is_made_of_it(edge: Edge) -> None:
    assert refusal(edge.post("woocommerce", b"webhook_id=" + b"1" * MAX_BODY_BYTES, PING)) == 413


def test_repeats_that_arrive_together_are_stored_once(edge: Edge) -> None:
    headers = edge.headers("shopify")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: status(edge.post("shopify", BODY, headers)), range(24)))
    assert sorted(answers) == ["repeated"] * 23 + ["stored"]
    assert (len(edge.deliveries()), edge.woken) == (1, 1)


def test_headers_with_any_characters_are_stored(database_url: str, tmp_path: Path) -> None:
    odd = {"X-Odd": 'é \x7f \x01 " \\ {}', "X-Shopify-Topic": "orders/ünknown"}
    with Edge(tmp_path, database_url) as edge:
        assert status(edge.post("shopify", BODY, edge.headers("shopify") | odd)) == "stored"
        [stored] = edge.deliveries()
        assert stored.headers is not None
        assert (stored.topic, stored.headers["x-odd"]) == ("orders/ünknown", odd["X-Odd"])


def test_trouble_in_a_platform_is_500_and_stores_nothing(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("an invented mistake")

    monkeypatch.setattr(edge.store.deliveries, "record_soon", broken)
    response = edge.deliver("shopify")
    assert refusal(response) == 500
    assert "invented mistake" not in response.get_data(as_text=True)
    assert edge.woken == 0


def test_what_was_done_is_counted_under_topics_that_are_known(edge: Edge) -> None:
    names = {
        "stored": 'relay_deliveries_total{outcome="stored",shop="woocommerce",topic="order.created"}',
        "repeated": 'relay_deliveries_total{outcome="repeated",shop="woocommerce",topic="order.created"}',
        "other": 'relay_deliveries_total{outcome="stored",shop="woocommerce",topic="other"}',
        "pong": 'relay_deliveries_total{outcome="pong",shop="woocommerce",topic="ping"}',
        "refused": 'relay_refusals_total{reason="SignatureMismatch"}',
        "unknown": 'relay_refusals_total{reason="UnknownShop"}',
        "down": 'relay_refusals_total{reason="StoreUnavailable"}',
        "timed": "relay_webhook_seconds_count",
    }
    before = {name: sample(text) for name, text in names.items()}
    edge.deliver("woocommerce", topic="order.created")
    edge.deliver("woocommerce", topic="order.created")
    edge.deliver("woocommerce", topic="whatever.strangers-send")
    edge.post("woocommerce", b"webhook_id=1", PING)
    edge.post("woocommerce", BODY, {})
    edge.post("nobody", BODY, {})
    with edge.store_locked():
        edge.deliver("woocommerce", delivery_id="d-2")
    grown = {name: sample(text) - before[name] for name, text in names.items()}
    assert grown == {name: 1.0 for name in names} | {"timed": 7.0}


def test_log_tells_ids_and_nothing_of_the_body_or_the_signature(edge: Edge) -> None:
    body = b'{"id":1001,"email":"anna@shop.example","name":"Anna Example"}'
    with capture_logs() as lines:
        edge.deliver("shopify", body=body)
        edge.deliver("shopify", body=body)
        edge.post("woocommerce", b"webhook_id=1", PING)
    [stored] = edge.deliveries()
    recorded = {"event": "delivery_recorded", "log_level": "info", "shop": "shopify", "topic": stored.topic}
    recorded |= {"delivery_id": stored.delivery_id}
    assert lines == [
        recorded | {"outcome": "stored"},
        recorded | {"outcome": "repeated"},
        {"event": "ping_answered", "log_level": "info", "shop": "woocommerce"},
    ]


def test_refusals_and_trouble_are_logged_with_what_to_do(edge: Edge) -> None:
    with capture_logs() as lines:
        edge.post("shopify", BODY, {})
        edge.post("nobody", BODY, {})
        with edge.store_locked():
            edge.deliver("woocommerce")
    refused, down = lines
    assert (refused["event"], refused["shop"]) == ("delivery_refused", "shopify")
    assert refused["problem"] == "The signature header is missing."
    assert (down["event"], down["log_level"], down["shop"]) == ("delivery_not_stored", "error", "woocommerce")
    assert down["problem"]


def sample(name: str) -> float:
    """Give the value of one metric, 0 where it was never counted."""
    text, _ = render(lambda: SimpleNamespace(deliveries={}, commands={}))
    found = [line.removeprefix(name) for line in text.decode().splitlines() if line.startswith(f"{name} ")]
    return float(found[0]) if found else 0.0
