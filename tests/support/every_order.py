"""Small lives of a shop, told in every order their deliveries can arrive in."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from relay.shops import Shop
from relay.translation.loading import load_mappings
from tests.support.world import MAPPINGS, NOW, World

Step: TypeAlias = tuple[str, Any, datetime]
"""Topic, body, and when it was triggered."""


def lived(life: Sequence[Step], shop: Shop, mappings: Mapping[str, Any] | None = None) -> World:
    """Give the world after these deliveries, in this order, and after everything held has been looked at again."""
    world = World(shop, mappings=mappings)
    for topic, body, at in life:
        world.deliver(topic, body, at)
    world.wait(NOW + timedelta(days=1))
    return world


def in_every_order(
    life: Sequence[Step], shop: Shop, mappings: Mapping[str, Any] | None = None
) -> Iterator[tuple[tuple[str, ...], World]]:
    """Give the world after each order of arrival, with the topics in that order."""
    for arrived in itertools.permutations(life):
        yield tuple(topic for topic, _, _ in arrived), lived(arrived, shop, mappings)


def assert_order_makes_no_difference(
    life: Sequence[Step], shop: Shop, mappings: Mapping[str, Any] | None = None
) -> World:
    """Check that all orders of arrival end in the same; gives the world in which all arrived as it happened."""
    expected = lived(life, shop, mappings)
    for arrived, world in in_every_order(life, shop, mappings):
        assert world.state() == expected.state(), arrived
    return expected


def own_mapping(folder: Path, text: str) -> Mapping[str, Any]:
    """Give the mappings with one of our own, called "own", that extends the default one by ``text``."""
    shutil.copy(MAPPINGS / "default.toml", folder)
    (folder / "own.toml").write_text(f'extends = "default"\n{text}', encoding="utf-8")
    return load_mappings(folder, ["default", "own"])
