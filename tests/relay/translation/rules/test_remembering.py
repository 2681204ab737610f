from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relay import jsontext
from relay.changes import ARRIVED_ALONE
from relay.commerce import Order, ResourceKind
from relay.memory import Resource
from relay.translation.people import Contact
from relay.translation.rules.remembering import (
    PIECES,
    age_of,
    belongs_to,
    body_of,
    deleted_at,
    first_after,
    note_alive,
    note_deletion,
    note_trashed,
    record_of,
    remember,
    with_facts,
)
from relay.translation.versions import microseconds
from tests.support import shopify, woocommerce
from tests.support.scenes import scene_in
from tests.support.world import NOW, World

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
ORDER = ResourceKind.ORDER


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def world() -> World:
    return World(shopify.a_shop())


def hear(
    world: World, body: dict[str, Any], seconds: float | None, topic: str = "orders/updated", **how: Any
) -> Resource:
    """Let a body changed at a second be remembered; gives what is known of its order then."""
    with scene_in(world, topic, how.pop("sent", None)) as scene:
        return remember(scene, ORDER, "1", body, None if seconds is None else at(seconds), **how)


def known(world: World) -> Resource:
    return world.resources[world.shop.key, ORDER, "1"]


def test_bodies_merge_into_what_is_remembered(world: World) -> None:
    hear(world, {"id": 1, "note": "a", "email": "ann@example.com"}, 0, "orders/create")
    hear(world, {"id": 1, "note": "c"}, 9)
    resource = hear(world, {"id": 1, "note": "b", "tags": "vip"}, 5, "orders/paid")
    assert body_of(resource) == {"id": 1, "note": "c", "email": "ann@example.com", "tags": "vip"}
    assert (resource.topic, resource.updated_at) == ("orders/updated", at(9))
    assert known(world) == resource


def test_a_body_without_a_date_is_as_old_as_its_delivery(world: World) -> None:
    assert hear(world, {"id": 1}, None, sent=at(7)).updated_at == at(7)
    assert hear(world, {"id": 1, "note": "b"}, None).updated_at == NOW, "nor did the delivery say when it was sent"


def test_facts_and_the_owner_stay_when_a_body_comes(world: World) -> None:
    with scene_in(world) as scene:
        scene.notes.note(Resource(world.shop.key, ORDER, "1", email="ann@example.com", facts={"paid": True}))
    resource = hear(world, {"id": 1}, 0)
    assert (resource.email, resource.facts["paid"]) == ("ann@example.com", True)


def test_ranks_decide_within_one_second(world: World) -> None:
    hear(world, {"id": 1, "note": "later in life"}, 0, ranks=(2,))
    hear(world, {"id": 1, "note": "earlier in life"}, 0, ranks=(1,))
    assert body_of(known(world))["note"] == "later in life"


def test_the_age_of_a_key_is_that_of_the_body_that_gave_it(world: World) -> None:
    hear(world, {"id": 1, "tags": "vip"}, 0)
    hear(world, {"id": 1, "note": "x"}, 9)
    ages = {key: age_of(known(world), key) for key in ("tags", "note", "email")}
    assert ages == {"tags": microseconds(at(0)), "note": microseconds(at(9)), "email": None}
    assert age_of(Resource("acme", ORDER, "2"), "note") is None


def test_facts_can_be_taken_out(world: World) -> None:
    with scene_in(world) as scene:
        resource = with_facts(scene, Resource("acme", ORDER, "1", facts={"a": 1, "b": 2}), a=None, c=3)
        assert resource.facts == {"b": 2, "c": 3}


def test_pieces_stand_in_their_list_unless_the_body_lists_them(world: World) -> None:
    resource = hear(world, {"id": 1, "refunds": [{"id": 5, "note": "of the body"}]}, 0)
    with scene_in(world) as scene:
        pieces = {PIECES: {"refunds": {"5": {"id": 5}, "6": {"id": 6}}, "edits": {"7": {"id": 7}}}}
        body = body_of(with_facts(scene, resource, **pieces))
    assert body["refunds"] == [{"id": 5, "note": "of the body"}, {"id": 6, ARRIVED_ALONE: True}]
    assert body["edits"] == [{"id": 7, ARRIVED_ALONE: True}]


def test_a_list_that_is_none_does_not_lose_its_pieces() -> None:
    resource = Resource("acme", ORDER, "1", body=b'{"refunds":null}', facts={PIECES: {"refunds": {"6": {"id": 6}}}})
    assert body_of(resource) == {"refunds": [{"id": 6, ARRIVED_ALONE: True}]}


def test_nothing_can_be_read_while_no_body_is_known(world: World) -> None:
    with scene_in(world) as scene:
        assert record_of(scene, Resource(world.shop.key, ORDER, "1", facts={"paid": True})) is None
        record = record_of(scene, hear(world, {"id": 1, "total_price": "5.00"}, 0))
        assert isinstance(record, Order)
        assert str(record.total) == "5.00"


FLAT = {"id": 1, "status": "processing", "total": "70.00", "date_modified_gmt": "2026-11-20T09:00:00"}
WRAPPED = {"order": {"id": 1, "status": "cancelled", "total": "70.00", "updated_at": "2026-11-20T09:00:05Z"}}


@pytest.mark.parametrize(("flat_at", "status"), [(0, "cancelled"), (9, "processing")])
def test_of_two_shapes_the_newest_is_read(flat_at: int, status: str) -> None:
    """A shop can have webhooks of several API versions; the oldest wraps the order, and names its fields otherwise."""
    bodies = [(FLAT, flat_at), (WRAPPED, 5)]
    for order in itertools.permutations(bodies):
        world = World(woocommerce.a_shop())
        for body, seconds in order:
            hear(world, body, seconds, "order.updated")
        with scene_in(world) as scene:
            record = record_of(scene, known(world))
        assert isinstance(record, Order)
        assert record.status == status


def test_an_object_of_another_name_is_no_wrapper(world: World) -> None:
    assert body_of(hear(world, {"id": 1, "customer": {"id": 2}}, 0)) == {"id": 1, "customer": {"id": 2}}


def gone(world: World) -> datetime | None:
    moment = deleted_at(known(world).facts)
    return None if moment is None else START + timedelta(microseconds=moment - microseconds(START))


Sign = tuple[str, float]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([("alive", 0)], None),
        ([("deleted", 5)], 5),
        ([("alive", 0), ("deleted", 5)], 5),
        ([("alive", 5), ("deleted", 5.9)], None),  # of the same second: as in bodies, whole seconds count
        ([("alive", 5), ("deleted", 6)], 6),
        ([("alive", 0), ("deleted", 5), ("alive", 9)], None),
        ([("alive", 0), ("deleted", 5), ("deleted", 7)], 5),  # the first one since the last sign of life
        ([("alive", 0), ("deleted", 5), ("alive", 6), ("deleted", 7)], 7),
        ([("alive", 5), ("trashed", 5)], 5.000001),  # a body that shows it in the trash is the last of its second
        ([("trashed", 5), ("alive", 6)], None),
        ([("trashed", 5), ("deleted", 5)], 5),
    ],
)
def test_when_a_resource_is_deleted_in_whatever_order_its_signs_come(signs: list[Sign], expected: float | None) -> None:
    for order in itertools.permutations(signs):
        world = World(shopify.a_shop())
        for sign, seconds in order:
            with scene_in(world, at=at(seconds)) as scene:
                resource = scene.notes.resource(world.shop.key, ORDER, "1") or Resource(world.shop.key, ORDER, "1")
                if sign == "alive":
                    note_alive(scene, resource, at(seconds))
                elif sign == "trashed":
                    note_trashed(scene, resource, at(seconds))
                else:
                    note_deletion(scene, ORDER, "1")
        assert gone(world) == (None if expected is None else at(expected)), order


def test_moments_that_can_never_count_again_are_forgotten() -> None:
    assert first_after([9, 3, 7, 7, 5], 5) == [7, 9]
    assert first_after(range(100), -1) == list(range(20))


def test_whom_a_resource_belongs_to_is_noted_and_a_change_of_cards_is_told(world: World) -> None:
    hear(world, {"id": 1}, 0)
    with scene_in(world) as scene:
        ann, bob = Contact(scene, "Ann@example.com"), Contact(scene, "bob@example.com")
        assert belongs_to(scene, ORDER, "1", ann) is False
        assert belongs_to(scene, ORDER, "1", ann) is False
        assert belongs_to(scene, ORDER, "1", bob) is True
        assert belongs_to(scene, ORDER, "2", bob) is False
    assert known(world).email == "bob@example.com"


def test_a_new_address_is_no_change_of_cards(world: World) -> None:
    hear(world, {"id": 1}, 0)
    with scene_in(world) as scene:
        ann = Contact(scene, "ann@example.com")
        belongs_to(scene, ORDER, "1", ann)
        ann.rename("ann@work.example", [0, 0, ""], "a test", {})
        assert belongs_to(scene, ORDER, "1", Contact(scene, "ann@work.example")) is False
        jsontext.dumps(scene.notes.facts(world.shop.key, ORDER, "1"))
