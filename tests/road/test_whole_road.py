"""A signed webhook becomes a contact, an event and a product: a real gunicorn, a real worker, the simulator, HTTP."""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests

from relay import jsontext
from tests.support.road import FEED_TOKEN, SHOPIFY, WOOCOMMERCE, Road, running_road, samples_of

pytestmark = [pytest.mark.road, pytest.mark.xdist_group("road")]


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with running_road(tmp_path_factory.mktemp("road")) as running:
        yield running


def _event(road, kind, external_id):
    found = [
        event
        for event in road.events()
        if (event["contactExtEventType"], event.get("externalId")) == (kind, external_id)
    ]
    assert len(found) == 1, found
    return found[0]


def test_a_shopify_life_ends_in_salesmanago(road):
    names = [
        ("products/create", "products_create__variants-2026"),
        ("checkouts/create", "checkouts_create__known-buyer-2025"),
        ("orders/create", "orders_create__three-lines-2025"),
    ]
    for topic, name in names:
        [(_, body)] = samples_of("shopify", [name])
        answer = road.send(SHOPIFY, topic, body)
        assert (answer.status_code, answer.json()) == (200, {"status": "stored"})
    road.wait_until_idle()
    purchase = _event(road, "PURCHASE", "6100000000001")
    assert purchase["value"] == 239.33
    assert purchase["products"] == "7700000000001,7700000000002,7700000000003"
    assert purchase["date"] == 1749921629000  # processed_at, 2025-06-14T17:20:29Z, not the time of sending
    assert purchase["email"].lower() == "hanna@example.com"
    assert purchase["location"] == "nordljus_shop"
    cart = _event(road, "CART", "5f1c0de0000000000000000000000001")
    assert cart["value"] == 221.8
    [catalog] = [each for each in road.sandbox()["catalogs"] if each["location"] == "nordljus_shop"]
    [product] = [each for each in catalog["products"] if each["productId"] == "7700000000001"]
    assert (product["price"], product["discountPrice"], product["active"]) == (69.9, 49.9, True)


def test_a_woocommerce_life_ends_in_salesmanago(road):
    names = [
        ("product.created", "product_created__simple-on-sale-v3"),
        ("order.updated", "order_updated__checkout-draft-v3"),
        ("order.created", "order_created__draft-paid-v3"),
        ("customer.created", "customer_created__empty-names-v3"),
    ]
    for topic, name in names:
        [(_, body)] = samples_of("woocommerce", [name])
        assert road.send(WOOCOMMERCE, topic, body).status_code == 200
    road.wait_until_idle()
    purchase = _event(road, "PURCHASE", "1520")
    assert (purchase["value"], purchase["products"]) == (62.2, "2010,2100")
    assert purchase["date"] == 1777917600000  # date_created_gmt, 2026-05-04T18:00:00Z
    assert _event(road, "CART", "1520")["value"] == 62.2
    emails = {contact["email"] for contact in road.sandbox()["contacts"]}
    assert {"jan.ruminski@example.com", "olga.szalwia@example.com"} <= emails


def test_a_deleted_customer_is_deleted(road):
    [(_, created)] = samples_of("woocommerce", ["customer_created__empty-names-v3"])
    road.send(WOOCOMMERCE, "customer.created", created)
    road.wait_until_idle()
    road.send(WOOCOMMERCE, "customer.deleted", {"id": jsontext.loads(created)["id"]})
    road.wait_until_idle()
    held = road.sandbox()
    assert "olga.szalwia@example.com" not in {contact["email"] for contact in held["contacts"]}
    assert "olga.szalwia@example.com" in {contact["email"] for contact in held["deleted"]}


def test_a_product_is_in_the_feed_of_its_shop(road):
    [(_, body)] = samples_of("woocommerce", ["product_created__simple-on-sale-v3"])
    road.send(WOOCOMMERCE, "product.created", body)
    road.wait_until_idle()
    url = f"{road.url}/feeds/main.xml"
    answer = requests.get(url, params={"token": FEED_TOKEN, "location": "zielnik_shop"}, timeout=30)
    assert answer.headers["Content-Type"].startswith("application/xml")
    [product] = ET.fromstring(answer.content)
    values = {field.tag: field.text for field in product}
    assert (values["id"], values["price"], values["special_price"]) == ("2010", "24.90", "19.90")
    assert requests.get(url, params={"token": "wrong"}, timeout=30).status_code == 404
    again = requests.get(
        url,
        params={"token": FEED_TOKEN, "location": "zielnik_shop"},
        headers={"If-None-Match": answer.headers["ETag"]},
        timeout=30,
    )
    assert again.status_code == 304


def test_the_five_operations_of_the_rest_api(road):
    upserted = road.rest("POST", "/contacts", {"data": {"email": "rest@example.com", "city": "Gdynia"}})
    assert upserted.status_code == 200, upserted.text
    contact_id = upserted.json()["contactId"]
    card = road.rest("GET", f"/contact/{contact_id}").json()["contact"]
    assert (card["email"], card["address"]["city"]) == ("rest@example.com", "Gdynia")
    data = {"email": "rest@example.com", "contactExtEventType": "VISIT", "value": 12.5, "detail20": "last"}
    event = road.rest("POST", "/events", {"data": data, "group_key": "main"})
    assert event.json()["success"] is True
    [visit] = [each for each in road.events() if each["contactExtEventType"] == "VISIT"]
    assert (visit["event_id"], visit["value"], visit["detail20"]) == (event.json()["eventId"], 12.5, "last")
    products = road.rest("POST", "/products", {"data": [{"id": "p1", "name": "Lamp", "price": 10}, {"id": "p2"}]})
    assert products.json()["productIds"] == ["p1"]
    assert {problem["index"] for problem in products.json()["problems"]} == {1}
    deleted = road.rest("DELETE", "/contacts", {"email": "rest@example.com"})
    assert deleted.json()["success"] is True
    assert road.rest("GET", f"/contact/{contact_id}").status_code == 404


def test_the_older_integrations_addresses_answer_too(road):
    answer = road.rest("POST", "/Production/contacts", {"data": {"email": "older@example.com"}, "group_key": "main"})
    assert (answer.status_code, answer.json()["success"]) == (200, True)


def test_a_repeat_is_answered_200_and_adds_nothing(road):
    [(_, body)] = samples_of("shopify", ["orders_create__three-lines-2025"])
    first = road.send(SHOPIFY, "orders/create", body, "repeat-1")
    again = road.send(SHOPIFY, "orders/create", body, "repeat-1")
    assert [first.json()["status"], again.json()["status"]] == ["stored", "repeated"]
    road.wait_until_idle()
    _event(road, "PURCHASE", "6100000000001")


def test_chunked_bodies_are_verified_and_compressed_ones_refused(road):
    [(_, body)] = samples_of("shopify", ["orders_create__legacy-2020"])
    prepared = requests.Request("POST", f"{road.url}/webhooks/nordljus", data=body).prepare()
    signed = road.send(SHOPIFY, "orders/create", body).request.headers
    names = [name for name in signed if name.lower().startswith(("x-shopify", "content-type"))]
    headers = {name: signed[name] for name in names} | {"X-Shopify-Webhook-Id": "chunked-1"}
    chunked = requests.post(prepared.url, data=iter([body[:100], body[100:]]), headers=headers, timeout=30)
    assert chunked.json() == {"status": "stored"}
    packed = requests.post(
        prepared.url, data=gzip.compress(body), headers=headers | {"Content-Encoding": "gzip"}, timeout=30
    )
    assert packed.status_code == 415


def test_the_metrics_of_all_processes_add_up(road):
    [(_, body)] = samples_of("shopify", ["orders_create__legacy-2020"])
    before = _counted(road, 'relay_deliveries_total{outcome="stored"', 'shop="nordljus"')
    for number in range(6):
        road.send(SHOPIFY, "orders/create", body, f"metrics-{number}")
    assert _counted(road, 'relay_deliveries_total{outcome="stored"', 'shop="nordljus"') == before + 6
    requests.post(f"{road.url}/webhooks/nordljus", data=b"{}", timeout=30)
    assert _counted(road, 'relay_refusals_total{reason="SignatureMismatch"}') >= 1


def _counted(road, *words):
    lines = requests.get(f"{road.url}/metrics", timeout=30).text.splitlines()
    return sum(Decimal(line.rpartition(" ")[2]) for line in lines if all(word in line for word in words))


def test_no_personal_data_in_the_logs(road):
    said = road.log.lower()
    assert "delivery_recorded" in said
    for personal in ("example.com", "hanna", "lindqvist", "storgatan", "rumi"):
        assert personal not in said
    for secret in ("shopify-secret", "local-webhook-secret", FEED_TOKEN, "invented-rest-key"):
        assert secret not in said


def test_logs_are_one_json_object_a_line(road):
    lines = [line for line in road.log.splitlines() if line.strip()]
    broken = [line for line in lines if not line.startswith("{")]
    assert len(lines) > 20
    assert broken == ["The configuration is fine and the store is ready."]
