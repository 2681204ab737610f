from __future__ import annotations

import pytest

from cli.renewing import renewed
from cli.sample_files import demo_life
from relay import jsontext
from tests.support.cli import PLATFORMS, shop

STAMP = 1_790_000_000_000
SHOPS = {name: shop("acme", name, currency="EUR") for name in PLATFORMS}


def life(platform):
    return [(sample.topic, sample.path.read_bytes()) for sample in demo_life(platform)]


def records(platform, bodies):
    topics = [topic for topic, _ in life(platform)]
    return [
        platform.topics[topic].read(jsontext.loads(body), SHOPS[platform.name])
        for topic, body in zip(topics, bodies, strict=True)
    ]


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_orders_and_carts_get_new_ids_and_stay_one_story(platform):
    old = records(platform, [body for _, body in life(platform)])
    new = records(platform, renewed(life(platform), platform, SHOPS[platform.name], STAMP))
    product, cart, order, refunded, customer, deletion = new
    assert [product, customer, deletion] == [old[0], old[4], old[5]]
    assert cart.id != old[1].id
    assert order.id == refunded.id != old[2].id
    assert cart.id in (order.id, order.checkout_token)
    assert order.id.isdigit() and int(order.id) >= STAMP
    assert order.key not in (None, old[2].key)
    assert (order.total, order.lines, refunded.refunds) == (old[2].total, old[2].lines, old[3].refunds)


def test_ids_inside_other_texts_are_replaced_and_equal_numbers_are_not():
    body = {
        "id": 5550000000001,
        "token": "tok-invented-1",
        "quantity": 5550000000001,
        "order_id": 5550000000001,
        "admin_graphql_api_id": "gid://shopify/Order/5550000000001",
        "order_status_url": "https://acme.example/orders/tok-invented-1/authenticate",
        "lines": [{"order_id": "5550000000001"}],
    }
    platform = PLATFORMS["shopify"]
    (text,) = renewed([("orders/create", jsontext.dumps(body).encode())], platform, SHOPS["shopify"], STAMP)
    made = jsontext.loads(text)
    assert made["id"] == made["order_id"] == STAMP
    assert made["quantity"] == 5550000000001
    assert made["admin_graphql_api_id"] == f"gid://shopify/Order/{STAMP}"
    assert made["order_status_url"] == f"https://acme.example/orders/{made['token']}/authenticate"
    assert made["token"] != "tok-invented-1"
    assert made["lines"] == [{"order_id": str(STAMP)}]


def test_short_id_is_replaced_only_where_it_stands_alone():
    body = {"id": 15, "number": "15", "date_created": "2026-05-15T15:00:00", "total": "15.00"}
    platform = PLATFORMS["woocommerce"]
    (text,) = renewed([("order.created", jsontext.dumps(body).encode())], platform, SHOPS["woocommerce"], STAMP)
    made = jsontext.loads(text)
    assert (made["id"], made["number"]) == (STAMP, str(STAMP))
    assert (made["date_created"], made["total"]) == (body["date_created"], "15.00")


@pytest.mark.parametrize("topic", ["orders/create", "refunds/create"])
def test_a_body_that_tells_no_ids_stays_as_it_is(topic):
    platform = PLATFORMS["shopify"]
    assert renewed([(topic, b'{"name":"#1"}')], platform, SHOPS["shopify"], STAMP) == [b'{"name":"#1"}']
