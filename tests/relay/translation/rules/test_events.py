from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from relay.commands import CommandKind, ContactSubject
from relay.commerce import Line, Order, ResourceKind
from relay.shops import Shop
from relay.translation.mapping import Fields
from relay.translation.order_events import DesiredEvent
from relay.translation.people import Contact
from relay.translation.rules.events import settle_events, with_catalog_ids
from relay.translation.scene import Scene
from relay.translation.versions import microseconds
from relay.translation.words import Said, Words
from tests.support.scenes import scene_in
from tests.support.shopify import a_shop
from tests.support.world import World

DATE = datetime(2026, 11, 20, 9, tzinfo=UTC)
ANN, BOB = "ann@example.com", "bob@example.com"
LINES = (Line(id="1", product_id="7", variant_id="70", sku="CUP", name="Cup", quantity=Decimal(2)),)
ORDER = Order("1", total=Decimal("70.00"), currency="EUR", lines=LINES)
PUT, DELETE = CommandKind.EVENT_PUT, CommandKind.EVENT_DELETE


def event(slot: str, value: str | None = "70.00", lines: Sequence[Line] = LINES) -> DesiredEvent:
    amount = None if value is None else Decimal(value)
    return DesiredEvent(slot, slot.partition(":")[0], DATE, amount, tuple(lines), f"the rule for {slot}")


def introduce(scene: Scene, email: str) -> None:
    said = Words({})
    said.add(Said(Fields({"email": email}), [microseconds(DATE), 0, ""]))
    contact = Contact(scene, email)
    contact.absorb(said)
    contact.tell("a test", {})


def settle(world: World, *desired: DesiredEvent, email: str = ANN, **how: Any) -> list[tuple[CommandKind, str]]:
    """Let the events of an order be these; gives what was asked for."""
    before = len(world.commands)
    with scene_in(world) as scene:
        introduce(scene, email)
        names = scene.names({}, order=ORDER)
        settle_events(scene, ResourceKind.ORDER, "1", desired, email, names, **how)
    found = [command for command in world.commands[before:] if command.event]
    assert all(command.subject == ContactSubject(email) for command in found)
    return [(command.kind, command.event.slot) for command in found if command.event]


@pytest.fixture
def world() -> World:
    return World(a_shop())


def test_what_is_missing_is_put(world: World) -> None:
    assert settle(world, event("PURCHASE"), event("RETURN:5", "5.00")) == [(PUT, "PURCHASE"), (PUT, "RETURN:5")]
    assert [(kind, number, str(value)) for kind, number, value, _ in world.told()[ANN]] == [
        ("PURCHASE", "1", "70.00"),
        ("RETURN", "1", "5.00"),
    ]


def test_what_is_there_is_not_asked_for_again(world: World) -> None:
    settle(world, event("PURCHASE"))
    assert settle(world, event("PURCHASE")) == []


def test_what_has_changed_is_put_again(world: World) -> None:
    settle(world, event("PURCHASE"), event("RETURN:5", "5.00"))
    assert settle(world, event("PURCHASE"), event("RETURN:5", "6.00")) == [(PUT, "RETURN:5")]


def test_what_is_too_many_is_taken_back(world: World) -> None:
    settle(world, event("PURCHASE"), event("RETURN:5", "5.00"), event("CANCELLATION"))
    assert settle(world, event("PURCHASE")) == [(DELETE, "CANCELLATION"), (DELETE, "RETURN:5")]
    assert settle(world, event("PURCHASE")) == []
    assert settle(world, event("PURCHASE"), event("CANCELLATION")) == [(PUT, "CANCELLATION")]


def test_a_cart_stays_unless_it_is_not_true_any_more(world: World) -> None:
    settle(world, event("CART"))
    assert settle(world, event("PURCHASE")) == [(PUT, "PURCHASE")]
    assert settle(world, event("PURCHASE"), cart_stays=False) == [(DELETE, "CART")]


def test_events_of_another_contact_are_removed_and_added(world: World) -> None:
    settle(world, event("CART"))
    settle(world, event("PURCHASE"), event("RETURN:5"))
    assert settle(world, event("PURCHASE"), email=BOB, moved=True) == [
        (DELETE, "PURCHASE"),
        (PUT, "PURCHASE"),
        (DELETE, "RETURN:5"),
    ]
    assert {contact: [kind for kind, *_ in told] for contact, told in world.told().items()} == {
        ANN: ["CART"],
        BOB: ["PURCHASE"],
    }


def test_an_event_without_a_value_or_lines_is_still_one(world: World) -> None:
    settle(world, event("PURCHASE", None, ()))
    [told] = world.events.values()
    assert "value" not in told
    assert "products" not in told


def test_each_command_says_which_rule_wants_it(world: World) -> None:
    with scene_in(world) as scene:
        introduce(scene, ANN)
        settle_events(scene, ResourceKind.ORDER, "1", [event("PURCHASE")], ANN, scene.names({}, order=ORDER))
        assert scene.asked[-1].rule == "the rule for PURCHASE"
    with scene_in(world) as scene:
        settle_events(scene, ResourceKind.ORDER, "1", [], ANN, scene.names({}, order=ORDER))
        assert scene.asked[-1].rule == "the PURCHASE is not true any more"


@pytest.mark.parametrize(
    ("mode", "line", "catalog_id"),
    [
        ("product", LINES[0], "7"),
        ("variant", LINES[0], "70"),
        ("variant", Line(product_id="7"), "7"),
        ("sku", LINES[0], "CUP"),
        ("sku", Line(product_id="7"), None),
        ("product", Line(name="A tip"), None),
    ],
)
def test_what_the_catalogue_knows_a_product_by(mode: Any, line: Line, catalog_id: str | None) -> None:
    shop: Shop = a_shop(product_id=mode)
    [found] = with_catalog_ids([line], shop)
    assert found.catalog_id == catalog_id
