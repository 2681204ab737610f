"""What holds for every life of a shop, however its deliveries arrive: repeated, overtaking each other, lost.

``make test`` tries some hundred lives. Thousands, each time others, are tried by

    HYPOTHESIS_PROFILE=thorough python -m pytest tests/commerce/test_properties.py --timeout=0
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.commands import CommandKind, EventKey
from relay.memory import Resource
from relay.privacy import CONTACT_KIND
from tests.support.arrivals import check_repeats, deliver
from tests.support.lives import Life, Step
from tests.support.random_lives import shopify_lives, woo_lives
from tests.support.world import World

PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
PLATFORMS = {"shopify": shopify_lives(), "woocommerce": woo_lives()}
SHARED = {"shopify": shopify_lives(shared=True), "woocommerce": woo_lives(shared=True)}


@st.composite
def arrivals(draw: Callable[[st.SearchStrategy[Any]], Any], lives: st.SearchStrategy[Life]) -> tuple[Life, list[Step]]:
    """Draw a life and one of the ways in which its deliveries can arrive, some of them more than once."""
    life = draw(lives)
    repeats = draw(st.lists(st.sampled_from(life.steps), max_size=3))
    return life, draw(st.permutations([*life.steps, *repeats]))


@st.composite
def losses(draw: Callable[[st.SearchStrategy[Any]], Any], lives: st.SearchStrategy[Life]) -> tuple[Life, list[Step]]:
    """Draw a life, and what arrives when some of its deliveries get lost."""
    life = draw(lives)
    left = draw(st.lists(st.sampled_from(life.steps), min_size=1, unique=True))
    return life, draw(st.permutations(left))


def arrived(life: Life, steps: Sequence[Step]) -> World:
    world = World(life.shop)
    for step in steps:
        deliver(world, step)
    return world


def state(world: World) -> dict[str, Any]:
    """Give what SALESmanago holds, without carts, and without cards that it could not merge into another."""
    held = world.state(carts=False)
    left_behind = {address for contact in _contacts(world) for address in contact.facts.get("left", ())}
    return held | {"contacts": {key: card for key, card in held["contacts"].items() if key not in left_behind}}


def state_of_the_named(world: World) -> dict[str, Any]:
    """Give the same without contacts that nothing names any more: first addresses that were corrected before a sale.

    Where the account's own deliveries are lost, nobody can tell that both addresses are one person's.
    """
    held = state(world)
    named = {resource.email for resource in world.resources.values()} | {e["contact"] for e in held["events"].values()}
    return held | {"contacts": {address: card for address, card in held["contacts"].items() if address in named}}


def _contacts(world: World) -> list[Resource]:
    return [resource for (_, kind, _), resource in world.resources.items() if kind == CONTACT_KIND]


def check_events(world: World) -> None:
    """Check what must hold for the events of every order, at any time."""
    by_order: dict[tuple[str, str], dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for key, event in world.events.items():
        assert event["contact"] in world.contacts
        if event["contactExtEventType"] != "CART":
            by_order[key.kind, key.resource_id][event["contactExtEventType"]].append(event["value"])
    for values in by_order.values():
        [purchase] = values["PURCHASE"]
        returned = sum(values["RETURN"], Decimal(0))
        assert all(value > 0 for value in values["RETURN"])
        assert returned <= purchase
        assert values["CANCELLATION"] in ([], [max(purchase - returned, Decimal(0))])


def check_contacts(world: World) -> None:
    """Check that nobody has two contacts, and that no two contacts claim one account."""
    assert all(card["email"].lower() == address for address, card in world.contacts.items())
    claims = Counter(claim for contact in _contacts(world) for claim in contact.facts.get("claims", ()))
    assert all(count == 1 for count in claims.values())


def check_commands(world: World) -> None:
    """Check that nothing was asked for that was there already."""
    standing: dict[EventKey, Any] = {}
    products: dict[str, Any] = {}
    for command in world.commands:
        if command.kind is CommandKind.EVENT_PUT:
            assert command.event is not None
            assert standing.get(command.event) != command.payload
            standing[command.event] = command.payload
        elif command.kind is CommandKind.EVENT_DELETE:
            assert command.event is not None
            assert standing.pop(command.event, None) is not None
        elif command.kind is CommandKind.PRODUCT_UPSERT:
            assert products.get(command.payload["productId"]) != command.payload
            products[command.payload["productId"]] = command.payload


def check(world: World) -> None:
    check_events(world)
    check_contacts(world)
    check_commands(world)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_end_does_not_depend_on_the_order_of_arrival(platform: str) -> None:
    @settings(PROFILE)
    @given(arrivals(PLATFORMS[platform]))
    def holds(drawn: tuple[Life, list[Step]]) -> None:
        life, steps = drawn
        world = arrived(life, steps)
        assert state(world) == state(arrived(life, life.steps))
        check(world)
        check_repeats(world, life.steps)

    holds()


@pytest.mark.parametrize("platform", SHARED)
def test_where_addresses_meet_late_all_is_with_the_right_contact_all_the_same(platform: str) -> None:
    """Cards that turn out to be one person's cannot be merged: one is left behind, and all else is with the other."""

    @settings(PROFILE)
    @given(arrivals(SHARED[platform]))
    def holds(drawn: tuple[Life, list[Step]]) -> None:
        life, steps = drawn
        world = arrived(life, steps)
        assert state(world) == state(arrived(life, life.steps))
        check(world)

    holds()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_lost_delivery_costs_what_only_it_told(platform: str) -> None:
    """What is left ends in the same in any order, and nothing becomes untrue by what is missing."""

    @settings(PROFILE)
    @given(losses(PLATFORMS[platform]))
    def holds(drawn: tuple[Life, list[Step]]) -> None:
        life, steps = drawn
        world = arrived(life, steps)
        in_order = arrived(life, [step for step in life.steps if step in steps])
        assert state_of_the_named(world) == state_of_the_named(in_order)
        check(world)

    holds()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_rules_hold_at_every_moment(platform: str) -> None:
    """Not only in the end: whatever has arrived so far, what SALESmanago holds makes sense."""

    @settings(PROFILE, max_examples=max(PROFILE.max_examples // 2, 1))
    @given(arrivals(PLATFORMS[platform]))
    def holds(drawn: tuple[Life, list[Step]]) -> None:
        life, steps = drawn
        world = World(life.shop)
        for step in steps:
            deliver(world, step)
            check(world)

    holds()
