"""Our own samples: every one is explained and readable, and each platform's demo life is one story."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest

from handlers import shopify as shopify_platform
from handlers import woocommerce as woocommerce_platform
from relay import jsontext
from relay.commerce import Cart, Customer, Deletion, Order, PlatformError, Product
from relay.errors import PayloadInvalid
from tests.support import shopify, woocommerce

PLATFORMS = {
    "shopify": (shopify, shopify_platform.TOPICS, "/"),
    "woocommerce": (woocommerce, woocommerce_platform.TOPICS, "."),
}
SAMPLES = [
    (platform, path.stem)
    for platform, (support, *_) in PLATFORMS.items()
    for path in sorted(support.FOLDER.glob("*.json"))
]
# What PHP, plugins and old versions put where something else belongs.
ODD = (None, "", False, 0, "odd", [], {}, [None], {"7": {}})
DAMAGED = [
    ("shopify", "customers_update__consent-2023"),
    ("shopify", "products_create__variants-2026"),
    ("woocommerce", "customer_updated__new-email-v3"),
    ("woocommerce", "order_created__odd-plugins-v3"),
    ("woocommerce", "order_updated__paid-two-lines-v3"),
    ("woocommerce", "product_created__simple-on-sale-v3"),
    ("woocommerce", "product_updated__variations-with-gaps-v1"),
]


def topic_of(platform, name):
    """Give the topic a sample is called after."""
    _, topics, separator = PLATFORMS[platform]
    spelt = {topic.replace(separator, "_"): topic for topic in topics}
    return topics[spelt[name.partition("__")[0]]]


def read(platform, name, body=None):
    """Read a sample, or ``body`` in its place, with the reader of its topic."""
    support = PLATFORMS[platform][0]
    return topic_of(platform, name).read(support.sample(name) if body is None else body, support.a_shop())


def readme(platform):
    return (PLATFORMS[platform][0].FOLDER / "README.md").read_text(encoding="utf-8")


def life_of(platform):
    """Give the names of the samples that tell a platform's demo life, in their order."""
    return re.findall(r"^\| \d+ \| (\S+) \|", readme(platform).partition("## A demo life")[2], re.MULTILINE)


def places(value, path=()):
    """Give the path of every value in a body; of a list, its first item stands for all."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield (*path, 0)
        yield from places(value[0], (*path, 0))


def replaced(body, path, value):
    damaged = deepcopy(body)
    *way, last = path
    inner = damaged
    for key in way:
        inner = inner[key]
    inner[last] = value
    return damaged


@pytest.mark.parametrize(("platform", "name"), SAMPLES)
def test_every_sample_is_read(platform, name):
    record = read(platform, name)
    assert isinstance(record, PlatformError) == ("__error-" in name)
    assert isinstance(record, Deletion) == ("_delete" in name.partition("__")[0])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_sample_is_explained_once_and_in_order(platform):
    table = readme(platform).partition("| file | the point of it |")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| (\S+__\S+) \| \S", table, re.MULTILINE)
    assert explained == sorted(name for owner, name in SAMPLES if owner == platform)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_names_of_files_in_the_explanations_are_those_of_files(platform):
    named = re.findall(r"`([a-z_]+__[\w-]+)`", readme(platform))
    assert {(platform, name) for name in named} - set(SAMPLES) == set()


@pytest.mark.parametrize(("platform", "name"), SAMPLES)
def test_samples_are_spelt_so_that_differences_can_be_seen(platform, name):
    text = (PLATFORMS[platform][0].FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert "\\u" not in text
    assert len(text.splitlines()) >= len(jsontext.loads(text))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_demo_life_is_a_product_a_cart_a_purchase_a_return_and_a_contact_that_goes(platform):
    product, cart, bought, returned, newcomer, gone = (read(platform, name) for name in life_of(platform))
    assert isinstance(product, Product)
    assert product.published
    assert isinstance(cart, Cart if platform == "shopify" else Order)
    assert isinstance(bought, Order)
    assert isinstance(newcomer, Customer)
    assert isinstance(gone, Deletion)
    assert (bought.checkout_token or bought.id) == cart.id
    assert cart.customer.email == bought.customer.email == returned.customer.email
    assert (returned.id, returned.total, returned.placed_at) == (bought.id, bought.total, bought.placed_at)
    assert cart.updated_at < bought.updated_at < returned.updated_at
    assert bought.refunds == ()
    assert 0 < sum(refund.amount for refund in returned.refunds) < returned.total
    assert (gone.id, gone.kind) == (newcomer.id, "customer")
    assert newcomer.email not in (None, bought.customer.email)
    assert newcomer.id != bought.customer.id


@pytest.mark.parametrize("platform", PLATFORMS)
def test_product_of_the_demo_life_is_among_what_is_bought(platform):
    names = life_of(platform)
    product, bought = read(platform, names[0]), read(platform, names[2])
    assert product.id in {line.product_id for line in bought.lines}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_returns_of_the_demo_life_are_what_their_explanation_says(platform):
    name = life_of(platform)[3]
    said = re.search(rf"\| {re.escape(name)} \| a return of ([\d.]+) \|", readme(platform))
    assert [f"{refund.amount:.2f}" for refund in read(platform, name).refunds] == [said[1]]


@pytest.mark.parametrize(("platform", "name"), DAMAGED)
def test_a_body_with_one_odd_value_anywhere_is_read_or_refused_and_never_fails_otherwise(platform, name):
    body = PLATFORMS[platform][0].sample(name)
    outcomes = {"read": 0, "refused": 0}
    for path in places({key: value for key, value in body.items() if key != "_links"}):
        for odd in ODD:
            try:
                read(platform, name, replaced(body, path, odd))
                outcomes["read"] += 1
            except PayloadInvalid:
                outcomes["refused"] += 1
    assert outcomes["read"] > outcomes["refused"] > 0
