"""The consent recipes of mappings/README.md, on WooCommerce orders with what a plugin adds to them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relay.shops import Shop
from relay.translation.loading import load_mappings
from tests.support.world import MAPPINGS, World

SHOP = Shop("zielnik", "woocommerce", "main", "zielnik_shop", ("invented",), mapping="recipe", currency="PLN")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
TICKED = {"key": "_mailchimp_woocommerce_is_subscribed", "value": "1"}


def _recipe(word: str) -> str:
    text = (MAPPINGS / "README.md").read_text(encoding="utf-8").partition("### Consent")[2]
    return next(block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if word in block)


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> World:
    (tmp_path / "default.toml").write_text((MAPPINGS / "default.toml").read_text(encoding="utf-8"), encoding="utf-8")
    lines = [
        line for word in request.param for line in _recipe(word).splitlines() if "=" in line and "extends" not in line
    ]
    recipe = "\n".join(['extends = "default"', "[contact]", *lines])
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    return World(SHOP, mappings=load_mappings(tmp_path, ["default", "recipe"]))


def _order(world: World, number: int, *meta: dict[str, Any]) -> None:
    at = START + timedelta(days=number)
    written = at.strftime("%Y-%m-%dT%H:%M:%S")
    body = {
        "id": number,
        "status": "processing",
        "total": "10.00",
        "date_created_gmt": written,
        "date_modified_gmt": written,
        "billing": {"email": "ewa@example.com"},
        "meta_data": list(meta),
    }
    world.deliver("order.created", body, at)


def _told(world: World) -> list[tuple[bool, bool]]:
    upserts = [command.payload for command in world.commands if "contact" in command.payload]
    return [(payload["forceOptIn"], payload["useApiDoubleOptIn"]) for payload in upserts]


@pytest.mark.parametrize("world", [["forceOptIn"]], indirect=True)
def test_a_ticked_box_is_an_opt_in_told_once(world: World) -> None:
    _order(world, 1)
    _order(world, 2, TICKED)
    _order(world, 3, TICKED)
    assert [told for told in _told(world) if told[0]] == [(True, False)]
    assert world.contacts["ewa@example.com"]["opted"] == {"email": True}


@pytest.mark.parametrize("world", [["forceOptIn"]], indirect=True)
def test_no_box_says_nothing(world: World) -> None:
    _order(world, 1)
    _order(world, 2, TICKED | {"value": "0"})
    assert world.contacts["ewa@example.com"]["opted"] == {}


@pytest.mark.parametrize("world", [["forceOptIn", "useApiDoubleOptIn"]], indirect=True)
def test_with_double_opt_in_the_mail_asks_and_asks_once(world: World) -> None:
    _order(world, 1)
    assert _told(world) == [(False, False)]
    _order(world, 2, TICKED)
    _order(world, 3, TICKED)
    assert [told for told in _told(world) if any(told)] == [(False, True)]
    assert world.contacts["ewa@example.com"]["opted"] == {}
