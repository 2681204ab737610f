from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relay.commerce import Consent, Customer, ResourceKind
from relay.deliveries import DeliveryState
from relay.memory import Resource
from relay.translation.people import Contact
from relay.translation.rules.whom import (
    INVALID_EMAIL,
    NO_EMAIL,
    WAITING,
    account_email,
    addresses_of,
    buyer,
    hear,
    stamp,
    tell_words,
    words_of,
)
from relay.translation.scene import Ending, Scene
from relay.translation.versions import microseconds
from tests.support.scenes import scene_in
from tests.support.shopify import a_shop
from tests.support.world import World

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
ORDER, CUSTOMER = ResourceKind.ORDER, ResourceKind.CUSTOMER
ANN = "ann@example.com"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.fixture
def world() -> World:
    return World(a_shop())


def order(scene: Scene, *said: tuple[float, Customer | None]) -> Resource:
    """Give an order whose bodies have said this about its buyer."""
    resource = Resource(scene.shop.key, ORDER, "1")
    for minutes, customer in said:
        resource = hear(scene, resource, customer, {}, stamp(at(minutes), None, {"at": f"{minutes}"}))
    return resource


def know_account(scene: Scene, email: str | None, **facts: Any) -> None:
    scene.notes.note(Resource(scene.shop.key, CUSTOMER, "9", email=email, facts=facts))


def test_what_is_heard_is_kept_with_the_resource(world: World) -> None:
    with scene_in(world) as scene:
        resource = order(
            scene, (0, Customer(email="Ann@example.com", phone="1")), (5, Customer(phone="", company="AB"))
        )
        assert scene.notes.resource(world.shop.key, ORDER, "1") == resource
        fields = {target: value for target, (value, _) in words_of(resource).fields.items()}
        assert fields == {"email": "Ann@example.com", "phone": "1", "company": "AB"}
        assert scene.sources["phone"].key == "contact.phone"


def test_a_body_that_names_nobody_is_heard_too(world: World) -> None:
    with scene_in(world) as scene:
        assert words_of(order(scene, (0, None))).email is None


def test_consent_is_heard(world: World) -> None:
    with scene_in(world) as scene:
        resource = order(scene, (0, Customer(email=ANN, consent=Consent(email=True, email_at=at(-5)))))
        assert words_of(resource).consent() == {"email": [True, microseconds(at(-5))]}


def test_the_account_that_was_named_stays_named(world: World) -> None:
    with scene_in(world) as scene:
        resource = order(scene, (0, Customer(id="9", email=ANN)), (5, Customer(email=ANN)), (9, None))
        assert (words_of(resource).account, resource.account) == ("9", "9")


def test_a_guest_is_known_by_the_address_of_the_sale(world: World) -> None:
    with scene_in(world) as scene:
        person = buyer(scene, order(scene, (0, Customer(email="Ann@example.com"))), None)
        assert (person.id, person.email) == (None, "Ann@example.com")
        assert scene.notes.facts(world.shop.key, CUSTOMER, "9") == {}


def test_the_address_of_an_account_comes_before_that_of_its_sale(world: World) -> None:
    with scene_in(world) as scene:
        know_account(scene, "ann@work.example")
        assert account_email(scene, "9") == "ann@work.example"
        assert account_email(scene, None) is None
        assert buyer(scene, order(scene, (0, Customer(id="9", email=ANN))), None).email == "ann@work.example"
        assert buyer(scene, order(scene, (5, Customer(id="9"))), None).email == "ann@work.example"
        assert addresses_of(scene, "9") == ["ann@work.example"]


def test_until_its_account_is_heard_of_a_sale_is_looked_at_again_and_its_address_noted(world: World) -> None:
    with scene_in(world) as scene:
        for _ in range(2):
            assert (
                buyer(scene, order(scene, (0, Customer(id="9", email="Ann@example.com"))), None).email
                == "Ann@example.com"
            )
        facts = scene.notes.facts(world.shop.key, CUSTOMER, "9")
        assert facts[WAITING] == ["order:1"]
        assert addresses_of(scene, "9") == [ANN]


def test_only_so_many_sales_wait_for_one_account(world: World) -> None:
    with scene_in(world) as scene:
        for number in range(60):
            sale = Resource(scene.shop.key, ORDER, f"{number}")
            customer = Customer(id="9", email=f"{number}@example.com")
            buyer(scene, hear(scene, sale, customer, {}, stamp(at(number), None)), customer)
        facts = scene.notes.facts(world.shop.key, CUSTOMER, "9")
        assert (len(facts[WAITING]), facts[WAITING][-1]) == (50, "order:59")
        assert len(addresses_of(scene, "9")) == 20


def told(scene: Scene, *said: tuple[float, Customer | None], email: str | None = ANN) -> Contact | Ending:
    return tell_words(scene, words_of(order(scene, *said)), email, "a test", None)


def test_words_make_a_contact(world: World) -> None:
    with scene_in(world) as scene:
        contact = told(scene, (0, Customer(email="Ann@example.com", name="Ann")))
        assert isinstance(contact, Contact)
        assert (contact.address, contact.email) == (ANN, "Ann@example.com")
    assert world.contacts[ANN]["name"] == "Ann"


@pytest.mark.parametrize(
    ("customer", "ending"),
    [
        (None, NO_EMAIL),
        (Customer(name="Ann"), NO_EMAIL),
        (Customer(name="Ann", email="ann@"), INVALID_EMAIL),
    ],
)
def test_nobody_is_told_of_who_has_no_address(world: World, customer: Customer | None, ending: Ending) -> None:
    with scene_in(world) as scene:
        assert told(scene, (0, customer), email=None) is ending
        assert ending.state is DeliveryState.IGNORED
    assert world.commands == []


def test_old_words_about_somebody_who_was_deleted_make_no_contact(world: World) -> None:
    with scene_in(world) as scene:
        Contact(scene, ANN).delete(at(5), "a test")
    with scene_in(world) as scene:
        ending = told(scene, (0, Customer(email=ANN)))
        assert isinstance(ending, Ending)
        assert ending.state is DeliveryState.IGNORED
        assert isinstance(told(scene, (9, Customer(email=ANN))), Contact)


def test_words_of_an_account_claim_the_contact_for_it(world: World) -> None:
    with scene_in(world) as scene:
        words = words_of(order(scene, (0, Customer(id="9", email=ANN))))
        tell_words(scene, words, ANN, "a test", "9", account="shop:9")
    with scene_in(world) as scene:
        assert Contact(scene, ANN).claims == {"shop:9"}


def test_a_stamp_says_when_words_were_said_and_when_they_were_corrected() -> None:
    assert stamp(at(0), at(5), {"a": 1})[:2] == [microseconds(at(0)), microseconds(at(5))]
    assert stamp(at(0), None, {"a": 1})[:2] == [microseconds(at(0)), microseconds(at(0))]


def test_words_of_one_moment_have_a_fixed_order() -> None:
    assert stamp(at(0), None, {"a": 1}, 1) < stamp(at(0), None, {"a": 1}, 2) < stamp(at(0), None, {"a": 1}, 10)
    assert stamp(at(0), None, {"a": 1}) != stamp(at(0), None, {"a": 2})
    assert stamp(at(0), None, {"b": 1, "a": 1}) == stamp(at(0), None, {"a": 1, "b": 1})
