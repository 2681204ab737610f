from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cli.sample_files import DEMO_LIVES, FOLDER, demo_life, samples_of, topic_of
from tests.support.cli import PLATFORMS

SHOPIFY = PLATFORMS["shopify"]
SAMPLES = [sample for platform in PLATFORMS.values() for sample in samples_of(platform)]


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("orders_create__two-lines", "orders/create"),
        ("customer_tags_added__any", "customer.tags_added"),
        ("customers_data_request__any", "customers/data_request"),
        ("customers_email_marketing_consent_update__any", "customers_email_marketing_consent/update"),
        ("orders_create", "orders/create"),
        ("orders_invented__any", None),
        ("", None),
    ],
)
def test_topic_is_read_from_the_name(name, topic):
    assert topic_of(name, SHOPIFY) == topic


def test_a_topic_that_is_translated_comes_before_an_ignored_one_of_the_same_spelling():
    platform = replace(SHOPIFY, ignored={"orders.create": "why not"})
    assert topic_of("orders_create__x", platform) == "orders/create"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.platform}-{sample.name}")
def test_every_sample_has_a_topic(sample):
    assert sample.topic is not None


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_the_demo_life_is_the_one_that_the_readme_tells(platform):
    readme = (FOLDER / platform.name / "README.md").read_text(encoding="utf-8").partition("## A demo life")[2]
    told = re.findall(r"^\| \d+ \| (\S+) \|", readme, re.MULTILINE)
    assert told == list(DEMO_LIVES[platform.name])
    assert [sample.name for sample in demo_life(platform)] == told


def test_a_platform_without_a_listed_life_sends_all_it_can_translate(tmp_path):
    toy = replace(SHOPIFY, name="toy")
    (tmp_path / "toy").mkdir()
    for name in ("orders_create__b", "orders_create__a", "draft_orders_create__ignored", "what__ever"):
        (tmp_path / "toy" / f"{name}.json").write_text("{}")
    (tmp_path / "toy" / "notes.json").write_text("{}")
    assert [sample.name for sample in demo_life(toy, tmp_path)] == ["orders_create__a", "orders_create__b"]


def test_without_any_sample_the_place_to_look_is_told(tmp_path):
    with pytest.raises(LookupError, match="run this in the project's folder"):
        demo_life(SHOPIFY, tmp_path)


def test_missing_samples_are_named(tmp_path):
    (tmp_path / "shopify").mkdir()
    (tmp_path / "shopify" / "orders_create__other.json").write_text("{}")
    with pytest.raises(LookupError, match="orders_create__three-lines-2025"):
        demo_life(SHOPIFY, tmp_path)
