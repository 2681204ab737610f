from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relay.commands import CommandKind
from relay.commerce import Consent
from relay.privacy import CONTACT_KIND
from relay.translation.mapping import Fields
from relay.translation.people import Contact
from relay.translation.versions import Version, microseconds
from relay.translation.words import Said, Words
from tests.support.scenes import scene_in
from tests.support.shopify import a_shop
from tests.support.world import World

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
ANN = "ann@example.com"
WORK = "ann@work.example"


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def version(minutes: int) -> Version:
    return [microseconds(at(minutes)), microseconds(at(minutes)), ""]


def words(minutes: int, consent: Consent | None = None, **fields: Any) -> Words:
    found = Words({})
    found.add(Said(Fields({"email": "Ann@example.com"} | fields), version(minutes), consent or Consent()))
    return found


@pytest.fixture
def world() -> World:
    return World(a_shop())


def say(world: World, *sayings: Words, email: str = ANN) -> list[dict[str, Any]]:
    """Let words about a contact be told, one after the other; gives the payloads asked for."""
    before = len(world.commands)
    for said in sayings:
        with scene_in(world) as scene:
            contact = Contact(scene, email)
            contact.absorb(said)
            contact.tell("a test", {})
    return [dict(command.payload) for command in world.commands[before:]]


def change(world: World, what: Callable[[Contact], object], email: str = ANN) -> list[dict[str, Any]]:
    """Do something with a contact; gives the payloads asked for."""
    before = len(world.commands)
    with scene_in(world) as scene:
        what(Contact(scene, email))
    return [dict(command.payload) for command in world.commands[before:]]


def flags(payload: dict[str, Any]) -> set[str]:
    return {name for name, value in payload.items() if value is True}


def test_a_contact_is_told_once_with_the_address_as_it_was_given(world: World) -> None:
    [payload] = say(world, words(0, name="Ann"))
    assert payload["contact"] == {"email": "Ann@example.com", "name": "Ann"}
    assert flags(payload) == set()
    assert say(world, words(0, name="Ann"), words(1, name="Ann"), email="ANN@example.com") == []


def test_a_contact_is_told_again_with_everything_when_something_is_new(world: World) -> None:
    say(world, words(0, name="Ann", city="Visby"))
    [payload] = say(world, words(9, phone="+46700000001"))
    assert payload["contact"] == {
        "email": "Ann@example.com",
        "name": "Ann",
        "phone": "+46700000001",
        "address": {"city": "Visby"},
    }


def test_stale_words_change_nothing_that_is_newer(world: World) -> None:
    say(world, words(9, name="Anna"))
    assert say(world, words(0, name="Ann")) == []


def test_what_nobody_said_in_an_address_is_told_under_the_address_itself(world: World) -> None:
    """The buyer typed another address than that of the account."""
    [payload] = say(world, words(0, email="typed@example.com", name="Ann"), email="Ann@work.example")
    assert payload["contact"] == {"email": WORK, "name": "Ann"}


def test_tags_are_told_as_set_and_removed(world: World) -> None:
    say(world, words(0, tags=["vip", "new"]))
    [payload] = say(world, words(5, removeTags=["new"]))
    assert (payload["tags"], payload["removeTags"]) == (["VIP"], ["NEW"])


@pytest.mark.parametrize(
    ("consent", "flag"),
    [
        (Consent(email=True), "forceOptIn"),
        (Consent(email=False), "forceOptOut"),
        (Consent(sms=True), "forcePhoneOptIn"),
        (Consent(sms=False), "forcePhoneOptOut"),
    ],
)
def test_a_consent_is_told_once(world: World, consent: Consent, flag: str) -> None:
    assert flags(say(world, words(0, consent))[0]) == {flag}
    assert say(world, words(5, consent)) == []
    [payload] = say(world, words(6, consent, name="Ann"))
    assert flags(payload) == set()


def test_an_older_consent_does_not_undo_a_newer_one(world: World) -> None:
    say(world, words(0, Consent(email=False, email_at=at(9))))
    assert say(world, words(99, Consent(email=True, email_at=at(8)))) == []
    assert world.contacts[ANN]["opted"] == {"email": False}


def test_the_same_consent_at_a_later_date_is_told_again(world: World) -> None:
    """Somebody who had unsubscribed elsewhere has agreed once more."""
    say(world, words(0, Consent(email=True, email_at=at(0))))
    assert flags(say(world, words(9, Consent(email=True, email_at=at(8))))[0]) == {"forceOptIn"}
    assert say(world, words(10, Consent(email=True, email_at=at(4)))) == []


def test_a_repeated_tick_of_a_mapping_is_not_told_again(world: World) -> None:
    assert flags(say(world, words(0, forceOptIn=True))[0]) == {"forceOptIn"}
    assert say(world, words(5, forceOptIn=True), words(3, forceOptIn=True)) == []


def test_with_double_opt_in_the_confirmation_mail_asks(world: World) -> None:
    consent = Consent(email=True, sms=True)
    assert flags(say(world, words(0, consent, useApiDoubleOptIn=True))[0]) == {"useApiDoubleOptIn", "forcePhoneOptIn"}
    [payload] = say(world, words(5, useApiDoubleOptIn=True, name="Ann"))
    assert flags(payload) == set()
    assert flags(say(world, words(6, Consent(email=False)))[0]) == {"forceOptOut"}


def test_a_request_that_came_to_nothing_is_made_again_with_consent(world: World) -> None:
    say(world, words(0, Consent(email=True, email_at=at(0)), name="Ann"))
    world.digests[ANN] = None
    [payload] = say(world, words(0, name="Ann"))
    assert flags(payload) == {"forceOptIn"}


def rename(email: str, minutes: int) -> Callable[[Contact], object]:
    return lambda contact: contact.rename(email, version(minutes), "a test", {})


def test_a_new_address_is_a_change_of_the_same_contact(world: World) -> None:
    say(world, words(0, name="Ann"))
    [payload] = change(world, rename("Ann@work.example", 5))
    assert (payload["contact"]["email"], payload["newEmail"]) == ("Ann@example.com", "Ann@work.example")
    assert list(world.contacts) == [WORK]
    for address in (ANN, WORK):
        assert say(world, words(5, email="Ann@work.example", name="Ann"), email=address) == []
    assert say(world, words(9, name="Anna"))[0]["contact"]["email"] == "Ann@work.example"


def test_a_contact_can_take_its_old_address_again(world: World) -> None:
    say(world, words(0, name="Ann"))
    change(world, rename(WORK, 5))
    [payload] = change(world, rename(ANN, 9), email=WORK)
    assert (payload["contact"]["email"], payload["newEmail"]) == (WORK, ANN)
    assert list(world.contacts) == [ANN]
    assert say(world, words(20, email=WORK, name="Anna"), email=WORK)[0]["contact"]["email"] == ANN


def test_a_change_of_the_address_that_came_to_nothing_is_made_again(world: World) -> None:
    say(world, words(0, Consent(email=True), name="Ann"))
    change(world, rename(WORK, 5))
    world.contacts[ANN] = world.contacts.pop(WORK) | {"email": ANN}
    world.aliases.clear()
    world.digests[WORK] = None
    [payload] = say(world, words(9, email=WORK, name="Ann"), email=WORK)
    assert (payload["contact"]["email"], payload["newEmail"]) == ("Ann@example.com", WORK)
    assert flags(payload) == {"forceOptIn"}


def test_an_address_nobody_used_leads_to_the_contact_it_becomes(world: World) -> None:
    say(world, words(0, email=WORK), email=WORK)
    with scene_in(world) as scene:
        Contact(scene, ANN).become(Contact(scene, WORK))
    say(world, words(9, name="Ann"))
    assert list(world.contacts) == [WORK]
    assert world.contacts[WORK]["name"] == "Ann"


def test_of_two_cards_one_is_left_behind_and_all_that_was_said_is_told_of_the_other(world: World) -> None:
    say(world, words(0, Consent(email=True), name="Ann", city="Visby"))
    say(world, words(5, email=WORK, name="Anna"), email=WORK)
    with scene_in(world) as scene:
        old, present = Contact(scene, ANN), Contact(scene, WORK)
        cards = old.card, present.card
        old.become(present)
        assert Contact(scene, ANN).card == cards[1] != cards[0]
        Contact(scene, ANN).tell("a test", {})
    assert set(world.contacts) == {ANN, WORK}
    assert {world.contacts[WORK][name] for name in ("name", "city")} == {"Anna", "Visby"}
    assert world.contacts[WORK]["opted"] == {"email": True}


def test_a_card_that_was_left_behind_can_be_gone_on_with(world: World) -> None:
    test_of_two_cards_one_is_left_behind_and_all_that_was_said_is_told_of_the_other(world)
    with scene_in(world) as scene:
        contact = Contact(scene, WORK)
        assert contact.has_left(ANN.title())
        contact.return_to(ANN, version(20))
        contact.tell("a test", {})
        assert contact.has_left(WORK)
    assert (world.contacts[ANN]["email"], world.contacts[ANN]["name"]) == (ANN, "Anna")


def test_a_deleted_contact_is_forgotten_but_for_the_moment(world: World) -> None:
    say(world, words(0, Consent(email=True), name="Ann"))
    assert change(world, lambda contact: contact.delete(at(5), "a test")) == [{"email": "Ann@example.com"}]
    assert world.contacts == {}
    with scene_in(world) as scene:
        contact = Contact(scene, ANN)
        assert (contact.is_known, contact.claims) == (False, set())
        assert [contact.is_gone_by(microseconds(at(minutes))) for minutes in (4, 5, 6)] == [True, True, False]
    kept = [resource for (_, kind, _), resource in world.resources.items() if kind == CONTACT_KIND]
    assert ANN not in str(kept).lower()


def test_a_contact_nobody_was_told_of_is_not_deleted(world: World) -> None:
    assert change(world, lambda contact: contact.delete(at(5), "a test")) == []
    with scene_in(world) as scene:
        assert Contact(scene, ANN).is_gone_by(microseconds(at(5)))


def test_only_newer_words_make_a_deleted_contact_anew(world: World) -> None:
    say(world, words(0, Consent(email=True, email_at=at(0)), name="Ann", city="Visby"))
    change(world, lambda contact: contact.delete(at(5), "a test"))
    found = words(9, name="Anna")
    found.add(Said(Fields({"city": "Visby", "tags": ["old"]}), version(0), Consent(email=True, email_at=at(0))))
    [payload] = say(world, found)
    assert payload["contact"] == {"email": "Ann@example.com", "name": "Anna"}
    assert flags(payload) == set()


def test_whoever_is_deleted_is_deleted_under_all_addresses(world: World) -> None:
    test_of_two_cards_one_is_left_behind_and_all_that_was_said_is_told_of_the_other(world)
    change(world, lambda contact: contact.delete(at(9), "a test"), email=WORK)
    assert world.contacts == {}
    with scene_in(world) as scene:
        assert Contact(scene, ANN).is_gone_by(microseconds(at(9)))


def test_an_opt_out_is_of_both_channels_and_later_consents_count(world: World) -> None:
    say(world, words(0, Consent(email=True, sms=True)))
    [payload] = change(world, lambda contact: contact.opt_out(at(5), "a test"))
    assert flags(payload) == {"forceOptOut", "forcePhoneOptOut"}
    assert change(world, lambda contact: contact.opt_out(at(5), "a test")) == []
    say(world, words(9, Consent(email=True, email_at=at(9), sms=True, sms_at=at(4))))
    assert world.contacts[ANN]["opted"] == {"email": True, "phone": False}


def test_sales_are_known_by_when_they_spoke(world: World) -> None:
    with scene_in(world) as scene:
        contact = Contact(scene, ANN)
        contact.absorb(words(0), ("shop", "order", "1"))
        contact.absorb(words(9), ("shop", "order", "2"))
        contact.absorb(words(9), ("shop", "cart", "t"))
        contact.save()
    with scene_in(world) as scene:
        contact = Contact(scene, ANN)
        assert contact.sales_after(microseconds(at(0))) == [("shop", "cart", "t"), ("shop", "order", "2")]
        assert len(contact.sales_after(-1)) == 3


def test_only_the_newest_sales_are_kept(world: World) -> None:
    with scene_in(world) as scene:
        contact = Contact(scene, ANN)
        for number in range(60):
            contact.absorb(words(number), ("shop", "order", f"{number}"))
        assert len(contact.sales_after(-1)) == 50
        assert ("shop", "order", "59") in contact.sales_after(-1)


def test_a_dry_run_tells_again_and_again(world: World) -> None:
    world.shop = replace(world.shop, dry_run=True)
    for _ in range(2):
        with scene_in(world) as scene:
            contact = Contact(scene, ANN)
            contact.absorb(words(0, Consent(email=True)))
            contact.tell("a test", {})
            [asked] = scene.asked
            assert (asked.command.kind, flags(dict(asked.command.payload))) == (
                CommandKind.CONTACT_UPSERT,
                {"forceOptIn"},
            )
    assert world.contacts == {}
