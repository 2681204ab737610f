"""The sums in SALESmanago are the sums in the shops' books: a month of orders, told in any order and more than once.

``python -m benchmarks.revenue`` does the same with ten thousand orders through the real store, worker and client.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support import ledger
from tests.support.bookkeeping import differences, relay_shop, told_by_currency, told_by_order
from tests.support.ledger import (
    SHOPS,
    Sums,
    a_month,
    booked,
    entry,
    sent_by,
    shopify_stories,
    shuffled,
    woocommerce_stories,
)
from tests.support.world import World

ORDERS = 250


@dataclass(frozen=True)
class Month:
    """A month as it happened, and all events that SALESmanago holds of it."""

    lives: list[ledger.Life]
    worlds: dict[str, World]

    @property
    def events(self) -> Iterator[dict[str, object]]:
        """All events of all shops."""
        return (event for world in self.worlds.values() for event in world.events.values())


@pytest.fixture(scope="module")
def month() -> Month:
    lives = a_month(ORDERS, seed=7)
    worlds = {shop.key: World(relay_shop(shop)) for shop in SHOPS}
    for each in shuffled(sent_by(lives), seed=7):
        worlds[each.shop].deliver(each.topic, each.body, each.at)
    for world in worlds.values():
        world.wait(world.now)
    return Month(lives, worlds)


def test_salesmanago_holds_what_the_books_say_in_every_currency(month):
    books, told = booked(month.lives), told_by_currency(month.events)
    assert {currency: books[currency].kept - told[currency].kept for currency in books} == dict.fromkeys(
        ("EUR", "JPY", "KWD"), Decimal("0.00")
    )
    assert told == books
    assert all(sums.sold > sums.kept > 0 and sums.returned and sums.undone for sums in books.values())


def test_every_order_comes_to_what_its_books_say(month):
    assert differences(month.lives, told_by_order(month.events)) == {}


def test_nothing_that_is_no_sale_is_a_purchase(month):
    unsold = {(life.shop.key, str(life.id)) for life in month.lives if not life.counts}
    assert len(unsold) > ORDERS / 10
    assert unsold.isdisjoint(told_by_order(month.events))


def test_month_tells_every_story(month):
    told = {life.story for life in month.lives}
    stories = {*shopify_stories.STORIES, *woocommerce_stories.STORIES}
    assert {story.__name__ for story in stories} - told == set()


def test_month_has_every_version_of_a_body(month):
    assert {version for life in month.lives for version in life.version} >= {
        "legacy",
        "v1",
        "v2",
        "v3",
        "2020-04",
        "2026-04",
    }


def test_one_lost_event_shows(month):
    told = told_by_order(month.events)
    one = next(key for key, sums in told.items() if sums.returned)
    short = told | {one: Sums(told[one].sold, undone=told[one].undone)}
    assert len(differences(month.lives, short)) == 1
    assert len(differences(month.lives, told | {("nordic_eur", "0"): Sums(Decimal(1))})) == 1


def test_dinars_are_rounded_order_by_order_and_half_up():
    life = ledger.Life(SHOPS[2], 1, "KWD", "", None, None, ("", ""), ledger.MONTH, counts=True)
    for cause, amount in (("SALE", "10.005"), ("REFUND", "-3.002"), ("REFUND", "-3.002")):
        life.move(ledger.Cause[cause], ledger.What.MONEY, Decimal(amount))
    assert entry(life) == Sums(Decimal("10.01"), Decimal("6.00"))
    life.move(ledger.Cause.UNDOING, ledger.What.MONEY, -life.sum())
    assert entry(life).kept == 0


def test_ledger_knows_nothing_of_the_relay():
    imported = {
        name
        for path in Path(ledger.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    own = {name for name in imported if name.startswith("tests.support.ledger")}
    assert len(own) > 5
    assert {name.partition(".")[0] for name in imported - own} <= sys.stdlib_module_names


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
