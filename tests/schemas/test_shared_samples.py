"""Payloads of other people, where there are any: each is read, refused on purpose, or of a topic that is left alone.

Only kinds and counts stand here, never a word out of the payloads.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from handlers.shopify import TOPICS as SHOPIFY
from handlers.woocommerce import SIGNATURE, is_ping
from handlers.woocommerce import TOPICS as WOOCOMMERCE
from relay import jsontext
from relay.errors import PayloadInvalid
from tests.support import shopify, woocommerce

REFUSED, LEFT_ALONE = "refused", "left alone"


@pytest.fixture(scope="module")
def folder():
    named = os.environ.get("RELAY_SHARED_SAMPLES")
    if not named:
        pytest.skip("RELAY_SHARED_SAMPLES names no folder")
    return Path(named)


def outcome(topics, topic, body, shop):
    """Give the name of the record a body becomes, or why it becomes none."""
    if topic not in topics:
        return LEFT_ALONE
    try:
        return type(topics[topic].read(jsontext.loads(body), shop)).__name__
    except PayloadInvalid:
        return REFUSED


def outcomes_of_files(folder, topics, separator, shop):
    """Count the outcomes of files called ``<topic>__<case>.json``, the topic with ``_`` for its separator."""
    spelt = {topic.replace(separator, "_"): topic for topic in topics}
    files = [path for path in folder.glob("*.json") if not path.name.endswith(".headers.json")]
    return Counter(
        outcome(topics, spelt.get(path.name.partition("__")[0]), path.read_bytes(), shop) for path in sorted(files)
    )


def recorded(folder):
    """Give headers (lower-case names) and body of every request of the recorded store, in their order."""
    for path in sorted(folder.glob("*.body")):
        headers = jsontext.loads(path.with_suffix(".headers.json").read_bytes())["headers"]
        yield {name.lower(): value for name, value in headers}, path.read_bytes()


def test_every_shopify_file_is_read_or_of_a_topic_left_alone(folder):
    counts = outcomes_of_files(folder / "shopify", SHOPIFY, "/", shopify.a_shop())
    records = {"Order": 14, "Customer": 4, "Cart": 4, "Product": 4, "Deletion": 3}
    changes = {"Piece": 3, "TagChange": 2, "ConsentChange": 2, "AccountMerge": 1, "StockChange": 1}
    privacy = {"DataRequest": 1, "CustomerRedaction": 1, "ShopRedaction": 1}
    assert counts == records | changes | privacy | {LEFT_ALONE: 10}


def test_every_woocommerce_file_is_read_or_of_a_topic_left_alone(folder):
    counts = outcomes_of_files(folder / "woocommerce", WOOCOMMERCE, ".", woocommerce.a_shop())
    records = {"Order": 14, "Customer": 4, "Product": 10, "Deletion": 3, "PlatformError": 1}
    assert counts == records | {LEFT_ALONE: 8}


def test_every_signed_delivery_of_a_recorded_store_is_read(folder):
    shop = woocommerce.a_shop()
    signed = [(headers, body) for headers, body in recorded(folder / "woocommerce-store") if SIGNATURE in headers]
    counts = Counter(outcome(WOOCOMMERCE, headers["x-wc-webhook-topic"], body, shop) for headers, body in signed)
    assert len(signed) == 97
    assert counts == {"Order": 33, "Customer": 14, "Product": 32, "Deletion": 13, "PlatformError": 5}


def test_whatever_is_unsigned_of_a_recorded_store_is_a_ping(folder):
    unsigned = [(headers, body) for headers, body in recorded(folder / "woocommerce-store") if SIGNATURE not in headers]
    assert [is_ping(body, headers) for headers, body in unsigned] == [True] * 9
