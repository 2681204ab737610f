"""A month of orders: which shops, which stories how often, all from one seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from tests.support.ledger import shopify_stories, woocommerce_stories
from tests.support.ledger.books import Life, Shop
from tests.support.ledger.plot import Plot

MONTH = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 31
LAST = datetime(2026, 11, 24, tzinfo=UTC)
"""Everything has happened by then."""

SHOPS = (
    Shop("nordic_eur", "shopify", "EUR", "Europe/Stockholm", taxes_included=True, tax_percent=25),
    # Ids beyond the 53 bits that a float keeps.
    Shop("kyoto_jpy", "shopify", "JPY", "Asia/Tokyo", False, 10, first_id=820_982_911_946_000_000),
    Shop("gulf_kwd", "shopify", "KWD", "Asia/Kuwait", False, 5, first_id=6_100_000_000_000),
    Shop("herbs_eur", "woocommerce", "EUR", "Europe/Warsaw", False, 23, first_id=1000),
    Shop("tea_jpy", "woocommerce", "JPY", "Asia/Tokyo", False, 8, first_id=2_000_000),
    Shop("oud_kwd", "woocommerce", "KWD", "Asia/Kuwait", False, 5, first_id=3_000_000),
)

_SHOPIFY_VERSIONS = ("2020-04", "2022-04", "2023-07", "2024-01", "2024-10", "2025-10", "2026-04")
_WOOCOMMERCE_VERSIONS = ("legacy", "v1", "v2", "v3")
# v1 tells wall time only, of which a zone with summer time has one hour twice, in this very month.
_WALL_TIME_IS_ENOUGH = frozenset({"Asia/Tokyo", "Asia/Kuwait"})

Story = Callable[[Plot], None]

_STORIES: Mapping[str, Mapping[Story, int]] = {
    "shopify": shopify_stories.STORIES,
    "woocommerce": woocommerce_stories.STORIES,
}


def a_month(orders: int, seed: int = 1) -> list[Life]:
    """Invent a month of lives: ``orders`` that count as sold, and what else happened in the shops meanwhile.

    Each story is told once at least, the rest is chance.
    """
    dice = random.Random(seed)
    pending = [(platform, story) for platform, stories in _STORIES.items() for story in stories]
    lives: list[Life] = []
    sold = 0
    while pending or sold < orders:
        if pending:
            platform, story = pending.pop()
            shop = dice.choice([each for each in SHOPS if each.platform == platform])
        else:
            shop = dice.choice(SHOPS)
            stories = _STORIES[shop.platform]
            (story,) = dice.choices(list(stories), list(stories.values()))
        lives.append(_a_life(dice, len(lives) + 1, shop, story))
        sold += lives[-1].counts
    return lives


def _a_life(dice: random.Random, number: int, shop: Shop, story: Story) -> Life:
    begins = MONTH + timedelta(seconds=dice.randrange(DAYS * 86_400))
    life = Life(
        shop=shop,
        number=number,
        # Some shops sell in a second currency; nobody converts it.
        currency="JPY" if shop.key == "herbs_eur" and dice.random() < 0.05 else shop.currency,
        story=story.__name__,
        email=_email(dice, shop),
        account=None,
        version=tuple(sorted(dice.choices(_versions(shop, story), k=2))),  # type: ignore[arg-type]  # two of them
        version_changes_at=begins + timedelta(days=dice.randint(0, 10)),
    )
    if life.email and dice.random() < 0.4:
        life.account = _account(life.email)
    # Nearly a month is the longest that a story takes.
    story(Plot(life, min(begins, LAST - timedelta(days=24)), dice))
    assert life.steps[-1].at <= LAST, story
    if life.email is None:
        life.counts = False  # sold, but to nobody SALESmanago could know
    return life


def _versions(shop: Shop, story: Story) -> list[str]:
    """Give the API versions that can tell a story, oldest first."""
    if shop.platform == "shopify":
        shown = story not in shopify_stories.EDITS
        return [each for each in _SHOPIFY_VERSIONS if shown or each > shopify_stories.NO_EDITS]
    return list(_woocommerce_versions(shop, story))


def _woocommerce_versions(shop: Shop, story: Story) -> Iterator[str]:
    for version in _WOOCOMMERCE_VERSIONS:
        if version == "legacy" and story in woocommerce_stories.PARTIAL:
            continue
        if version == "v1" and shop.zone not in _WALL_TIME_IS_ENOUGH:
            continue
        yield version


def _email(dice: random.Random, shop: Shop) -> str | None:
    """Give somebody who may buy again, in a spelling of their own; at the till nobody asks."""
    if dice.random() < 0.02:
        return None
    email = f"buyer{dice.randint(1, 2500)}@{shop.key.replace('_', '-')}.example"
    return email.upper() if dice.random() < 0.1 else email


def _account(email: str) -> int:
    return 8_000_000 + int(email.lower().removeprefix("buyer").partition("@")[0])
