"""Consent and tags that arrive apart from the account: kept with it, told wherever its contact is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relay.deliveries import DeliveryState
from tests.support.every_order import Step, assert_order_makes_no_difference, lived, own_mapping
from tests.support.shopify import a_shop, sample
from tests.support.world import World

ADA = "ada@example.com"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SHOP = a_shop()

OWN = """
[contact]
tags       = ["SHOP", "{{ customer.tags }}"]
removeTags = "{{ customer.removed_tags }}"
[contact.properties]
newsletter = "{{ 'yes' if customer.consent.email else 'no' if customer.consent.email == false }}"
"""


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def account(hours: float, email: str | None = ADA, **keys: Any) -> Step:
    body = {"id": 7, "email": email, "first_name": "Ada", "last_name": "Alm", "updated_at": at(hours).isoformat()}
    return "customers/update", body | keys, at(hours)


def order(hours: float, email: str | None = ADA, **keys: Any) -> Step:
    body = {
        "id": 1001,
        "email": email,
        "customer": {"id": 7, "email": email},
        "financial_status": "paid",
        "total_price": "20.00",
        "currency": "EUR",
        "line_items": [{"id": 1, "product_id": 70, "price": "20.00", "quantity": 1}],
        "refunds": [],
        "created_at": at(hours).isoformat(),
        "updated_at": at(hours).isoformat(),
    }
    return "orders/updated", body | keys, at(hours)


def email_consent(hours: float, state: str | None, email: str | None = ADA) -> Step:
    consent = {"state": state, "opt_in_level": None, "consent_updated_at": at(hours).isoformat()}
    body = {"customer_id": 7, "email_address": email, "email_marketing_consent": consent}
    return "customers_email_marketing_consent/update", body, at(hours)


def sms_consent(hours: float, state: str | None) -> Step:
    consent = {"state": state, "consent_updated_at": at(hours).isoformat()}
    return "customers_marketing_consent/update", {"id": 7, "phone": None, "sms_marketing_consent": consent}, at(hours)


def tags(hours: float, change: str, *names: str) -> Step:
    body = {"customerId": "gid://shopify/Customer/7", "tags": list(names), "occurredAt": at(hours).isoformat()}
    return f"customer.tags_{change}", body, at(hours)


def opted(world: World, email: str = ADA) -> dict[str, bool]:
    told: dict[str, bool] = world.contacts[email]["opted"]
    return told


@pytest.fixture
def own(tmp_path: Path) -> Mapping[str, Any]:
    """Mappings with one that tells tags, and a detail made of the consent."""
    return own_mapping(tmp_path, OWN)


OWN_SHOP = a_shop(mapping="own")


def test_opt_in_of_somebody_unknown_makes_the_contact() -> None:
    world = lived([email_consent(0, "subscribed")], SHOP)
    assert opted(world) == {"email": True}
    assert world.contacts[ADA]["externalId"] == "7"


def test_opt_out_of_somebody_unknown_is_only_remembered() -> None:
    world = World(SHOP)
    translation = world.deliver(*email_consent(0, "unsubscribed"))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "unknown-customer")
    assert world.contacts == {}
    world.deliver(*account(-1))
    assert opted(world) == {"email": False}


@pytest.mark.parametrize("state", ["not_subscribed", "pending", "redacted", "invalid", None])
def test_state_that_says_neither_yes_nor_no_changes_nothing(state: str | None) -> None:
    world = lived([email_consent(0, "subscribed")], SHOP)
    translation = world.deliver(*email_consent(1, state))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "consent-not-stated")
    assert opted(world) == {"email": True}


def test_consent_reaches_the_contact_whichever_arrives_first() -> None:
    life = [account(0), email_consent(1, "subscribed"), email_consent(2, "unsubscribed")]
    assert opted(assert_order_makes_no_difference(life, SHOP)) == {"email": False}


def test_later_consent_is_not_undone_by_an_older_one() -> None:
    life = [email_consent(1, "unsubscribed"), account(2), email_consent(3, "subscribed")]
    assert opted(assert_order_makes_no_difference(life, SHOP)) == {"email": True}


def test_of_two_statements_of_one_moment_the_refusal_counts() -> None:
    life = [account(0), email_consent(1, "subscribed"), email_consent(1, "unsubscribed")]
    assert opted(assert_order_makes_no_difference(life, SHOP)) == {"email": False}


def test_both_channels_are_told_apart() -> None:
    life = [account(0), sms_consent(1, "subscribed"), email_consent(2, "unsubscribed")]
    assert opted(assert_order_makes_no_difference(life, SHOP)) == {"email": False, "phone": True}


def test_consent_to_text_messages_waits_for_an_address() -> None:
    life = [sms_consent(0, "subscribed"), order(1)]
    world = World(SHOP)
    translation = world.deliver(*life[0])
    assert (translation.reason, world.contacts) == ("unknown-customer", {})
    assert opted(assert_order_makes_no_difference(life, SHOP)) == {"phone": True}


def test_consent_of_a_body_joins_in_by_its_own_date() -> None:
    body_says = {"state": "subscribed", "consent_updated_at": at(5).isoformat()}
    nested = {"id": 7, "email": ADA, "email_marketing_consent": body_says}
    for later, expected in ((4, True), (6, False)):
        life = [account(0), order(1, customer=nested), email_consent(later, "unsubscribed")]
        assert opted(assert_order_makes_no_difference(life, SHOP)) == {"email": expected}


@pytest.mark.parametrize("unknown", [{}, {"email_marketing_consent": None}])
def test_account_that_does_not_speak_of_consent_leaves_it_as_it_is(unknown: dict[str, Any]) -> None:
    life = [email_consent(0, "subscribed"), account(1, **unknown)]
    assert opted(assert_order_makes_no_difference(life, SHOP)) == {"email": True}


def test_consent_is_told_once() -> None:
    world = World(SHOP)
    for step in (account(0), email_consent(1, "subscribed"), email_consent(1, "subscribed"), account(2)):
        world.deliver(*step)
    flags = [command.payload["forceOptIn"] for command in world.commands]
    assert flags == [False, True]


def test_consent_without_a_date_is_as_old_as_its_delivery() -> None:
    topic, body, when = email_consent(1, "subscribed")
    undated = body | {"email_marketing_consent": {"state": "subscribed", "consent_updated_at": None}}
    life = [account(0), (topic, undated, when), email_consent(2, "unsubscribed")]
    assert opted(assert_order_makes_no_difference(life, SHOP)) == {"email": False}


def test_address_that_comes_with_the_consent_is_the_accounts_own() -> None:
    """The order was made under another one: the contact moves, and there is no second."""
    life = [order(0, email="typed@example.com"), email_consent(1, "subscribed"), account(2)]
    world = assert_order_makes_no_difference(life, SHOP)
    assert world.told() == {ADA: [("PURCHASE", "1001", 20, world.told()[ADA][0][3])]}
    assert world.contacts.keys() == {ADA}


def test_refusal_alone_tells_the_address_for_what_comes_later() -> None:
    life = [email_consent(0, "unsubscribed"), order(1, email="typed@example.com")]
    world = assert_order_makes_no_difference(life, SHOP)
    assert opted(world) == {"email": False}
    assert world.contacts.keys() == {ADA}


def test_account_that_moves_takes_its_consent_along() -> None:
    life = [email_consent(0, "subscribed"), account(1), account(2, email="new@example.com")]
    world = assert_order_makes_no_difference(life, SHOP)
    assert opted(world, "new@example.com") == {"email": True}
    assert world.contacts.keys() == {"new@example.com"}


@pytest.mark.parametrize("wish", ["delete", "opt_out", "ignore"])
def test_opt_in_before_the_account_was_deleted_brings_nobody_back(wish: str) -> None:
    deletion: Step = ("customers/delete", {"id": 7}, at(2))
    life = [email_consent(0, "subscribed"), account(1), deletion]
    world = assert_order_makes_no_difference(life, a_shop(on_customer_delete=wish))
    expected = {"delete": None, "opt_out": {"email": False, "phone": False}, "ignore": {"email": True}}[wish]
    assert (opted(world) if ADA in world.contacts else None) == expected


def test_consent_of_an_address_that_is_none_is_remembered() -> None:
    world = World(SHOP)
    translation = world.deliver(*email_consent(0, "subscribed", email="nobody"))
    assert (translation.state, world.contacts) == (DeliveryState.IGNORED, {})
    world.deliver(*account(1))
    assert opted(world) == {"email": True}


def test_delivery_is_about_the_customer() -> None:
    for step in (email_consent(0, "subscribed"), sms_consent(0, "subscribed"), tags(0, "added", "VIP")):
        translation = World(SHOP).deliver(*step)
        assert (translation.resource_kind, translation.resource_id) == ("customer", "7")


def test_default_mapping_tells_no_tags() -> None:
    world = lived([account(0), tags(1, "added", "VIP")], SHOP)
    assert world.contacts[ADA]["tags"] == set()


def test_tags_are_what_was_given_and_not_taken_since(own: Mapping[str, Any]) -> None:
    life = [account(0), tags(1, "added", "VIP", "Candles"), tags(2, "removed", "Candles"), tags(3, "added", "Gold")]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    assert world.contacts[ADA]["tags"] == {"SHOP", "VIP", "GOLD"}


def test_tag_that_comes_and_goes_is_as_its_newest_change_says(own: Mapping[str, Any]) -> None:
    life = [account(0), tags(1, "added", "VIP"), tags(2, "removed", "VIP"), tags(3, "added", "VIP")]
    assert assert_order_makes_no_difference(life, OWN_SHOP, own).contacts[ADA]["tags"] == {"SHOP", "VIP"}
    gone = [*life, tags(4, "removed", "VIP")]
    assert assert_order_makes_no_difference(gone, OWN_SHOP, own).contacts[ADA]["tags"] == {"SHOP"}


def test_tags_in_a_body_are_all_there_were_at_its_time(own: Mapping[str, Any]) -> None:
    life = [tags(1, "added", "Early"), account(2, tags="VIP, Old"), tags(3, "removed", "Old"), tags(4, "added", "New")]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    assert world.contacts[ADA]["tags"] == {"SHOP", "VIP", "NEW"}


def test_newer_body_that_lists_no_tags_says_nothing_of_them(own: Mapping[str, Any]) -> None:
    """API versions since 2025-01 leave them out: the older body's are then still the last full word."""
    life = [account(0, tags="VIP"), tags(1, "added", "Gold"), account(2)]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    assert world.contacts[ADA]["tags"] == {"SHOP", "VIP", "GOLD"}


def test_tags_reach_a_contact_that_is_only_known_by_an_order(own: Mapping[str, Any]) -> None:
    life = [tags(0, "added", "VIP"), order(1), tags(2, "removed", "VIP"), tags(3, "added", "Gold")]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    assert world.contacts[ADA]["tags"] == {"SHOP", "GOLD"}


def test_tags_alone_make_no_contact(own: Mapping[str, Any]) -> None:
    world = World(OWN_SHOP, mappings=own)
    translation = world.deliver(*tags(0, "added", "VIP"))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "unknown-customer")
    assert world.contacts == {}


def test_tag_taken_after_the_order_that_names_it_is_gone(own: Mapping[str, Any]) -> None:
    """Before 2025-01 orders repeat the customer's tags."""
    nested = {"id": 7, "email": ADA, "tags": "VIP, Old"}
    life = [account(0, tags="VIP, Old"), order(1, customer=nested), tags(2, "removed", "Old")]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    assert world.contacts[ADA]["tags"] == {"SHOP", "VIP"}


def test_mapping_sees_the_consent_that_counts(own: Mapping[str, Any]) -> None:
    old = {"email_marketing_consent": {"state": "unsubscribed", "consent_updated_at": at(0).isoformat()}}
    life = [account(1, **old), email_consent(2, "subscribed"), order(3)]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    assert world.contacts[ADA]["properties"] == {"newsletter": "yes"}


def test_what_a_change_does_not_touch_keeps_the_age_of_its_body(own: Mapping[str, Any]) -> None:
    """The order between account and change has the newer name, and keeps it."""
    named = {"id": 7, "email": ADA, "first_name": "Ada", "last_name": "Berg"}
    life = [account(0), order(1, customer=named), tags(2, "added", "VIP"), email_consent(3, "subscribed")]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    assert world.contacts[ADA]["name"] == "Ada Berg"


@pytest.mark.parametrize("shop", [SHOP, OWN_SHOP])
def test_a_customers_life_ends_the_same_in_every_order(shop: Any, own: Mapping[str, Any]) -> None:
    life = [
        account(0),
        email_consent(1, "subscribed"),
        tags(2, "added", "VIP"),
        order(3, email="typed@example.com"),
        email_consent(4, "unsubscribed"),
        tags(5, "removed", "VIP"),
    ]
    world = assert_order_makes_no_difference(life, shop, own)
    assert opted(world) == {"email": False}
    assert list(world.told()) == [ADA]


def test_samples_of_one_customer_end_the_same_in_every_order(own: Mapping[str, Any]) -> None:
    """Hanna's account, order and changes, as the samples tell them."""
    moments = {
        "customers_create__no-consent-2025": datetime(2025, 6, 14, 17, tzinfo=UTC),
        "orders_create__three-lines-2025": datetime(2025, 6, 14, 18, tzinfo=UTC),
        "customers_email_marketing_consent_update__subscribed-2025": datetime(2025, 6, 15, 6, tzinfo=UTC),
        "customer.tags_added__2025": datetime(2025, 7, 1, 6, tzinfo=UTC),
        "customer.tags_removed__2025": datetime(2025, 8, 1, 6, tzinfo=UTC),
        "customers_email_marketing_consent_update__unsubscribed-2026": datetime(2026, 1, 20, 19, tzinfo=UTC),
    }
    spelt = {topic.replace("/", "_"): topic for topic in World(SHOP).translator._platforms["shopify"].topics}
    life = [(spelt[name.partition("__")[0]], sample(name), moment) for name, moment in moments.items()]
    world = assert_order_makes_no_difference(life, OWN_SHOP, own)
    hanna = world.contacts["hanna.lindqvist@example.com"]
    assert (hanna["opted"], hanna["tags"]) == ({"email": False}, {"SHOP", "VIP"})
    assert world.contacts.keys() == {"hanna.lindqvist@example.com"}
