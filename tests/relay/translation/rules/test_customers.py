"""What an account means: the contact it is, its addresses, its consent, and its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from relay.commands import CommandKind
from relay.deliveries import DeliveryState, Translation
from relay.translation.loading import load_mappings
from tests.support import shopify, woocommerce
from tests.support.lives import (
    START,
    after,
    shopify_account,
    shopify_order,
    woo_account,
    woo_billing,
    woo_order,
    woo_time,
)
from tests.support.world import World, a_group

JAN, WORK, MAJA = "jan.lipa@example.com", "jan@work.example", "maja.lund@example.com"


def woo(**settings: Any) -> World:
    return World(woocommerce.a_shop(**settings))


def send(world: World, minutes: float, email: str = "Jan.Lipa@example.com", **changes: Any) -> Translation:
    """Deliver the WooCommerce account as it was some minutes after START."""
    return world.deliver("customer.updated", woo_account(after(minutes), email, **changes), after(minutes))


def buy(world: World, minutes: float, number: int = 1577, **changes: Any) -> Translation:
    placed = {"id": number, "date_created_gmt": woo_time(after(minutes))}
    return world.deliver("order.updated", woo_order(after(minutes), "processing", **placed | changes), after(minutes))


def renames(world: World) -> list[tuple[str, str]]:
    payloads = [command.payload for command in world.commands if command.kind is CommandKind.CONTACT_UPSERT]
    return [(each["contact"]["email"], each["newEmail"]) for each in payloads if "newEmail" in each]


def test_an_account_is_a_contact_with_the_address_as_it_was_given() -> None:
    world = woo()
    assert send(world, 0).state is DeliveryState.TRANSLATED
    assert (world.contacts[JAN]["email"], world.contacts[JAN]["externalId"]) == ("Jan.Lipa@example.com", "31")


def test_a_repeated_account_asks_for_nothing() -> None:
    world = woo()
    send(world, 0)
    assert send(world, 0).reason == "no-change"
    assert send(world, 9, meta_data=[{"key": "a", "value": "b"}]).reason == "no-change"
    assert len(world.commands) == 1


@pytest.mark.parametrize("role", ["administrator", "editor", "author", "contributor", "shop_manager"])
def test_staff_are_no_contacts(role: str) -> None:
    world = woo()
    translation = send(world, 0, role=role)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "staff-account")
    assert (world.contacts, translation.resources) == ({}, ())


@pytest.mark.parametrize("role", ["customer", "subscriber", "wholesale_customer", None])
def test_everybody_else_is(role: str | None) -> None:
    world = woo()
    send(world, 0, role=role)
    assert list(world.contacts) == [JAN]


def test_what_staff_buy_is_theirs_by_the_address_they_type() -> None:
    """A merchant who orders for others in their own name must not make one contact of them all."""
    world = woo()
    for number, email in enumerate(("one@example.com", "two@example.com"), 1):
        buy(world, number, number, customer_id=31, billing=woo_billing(email=email))
    send(world, 9, "boss@shop.example", role="administrator")
    assert list(world.told("PURCHASE")) == ["one@example.com", "two@example.com"]
    assert set(world.contacts) == {"one@example.com", "two@example.com"}


@pytest.mark.parametrize(("email", "reason"), [(None, "no-email"), ("", "no-email"), ("jan@", "invalid-email")])
def test_an_account_without_an_address_is_ignored_with_a_reason(email: Any, reason: str) -> None:
    world = World(shopify.a_shop())
    translation = world.deliver("customers/create", shopify_account(after(0), email), after(0))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, reason)
    assert world.contacts == {}


@pytest.mark.parametrize("email", [None, "maja@"])
def test_an_account_that_loses_its_address_keeps_its_contact(email: str | None) -> None:
    world = World(shopify.a_shop())
    world.deliver("customers/create", shopify_account(after(0), "Maja.Lund@example.com"), after(0))
    world.deliver("customers/update", shopify_account(after(9), email, phone="+46700000009"), after(9))
    assert (list(world.contacts), world.contacts[MAJA]["phone"]) == ([MAJA], "+46700000009")
    assert renames(world) == []


def test_a_guest_and_an_account_of_one_address_are_one_contact() -> None:
    world = woo()
    buy(world, 0, billing=woo_billing(email="JAN.LIPA@example.com"))
    send(world, 5)
    assert list(world.contacts) == [JAN]


def test_a_new_address_is_one_change_of_the_same_contact() -> None:
    world = woo()
    send(world, 0)
    before = len(world.commands)
    send(world, 5, "Jan@work.example", billing=woo_billing(phone="+48500000001"))
    assert renames(world) == [("Jan.Lipa@example.com", "Jan@work.example")]
    assert len(world.commands) == before + 1, "the new phone number goes along"
    assert (list(world.contacts), world.contacts[WORK]["phone"]) == ([WORK], "+48500000001")


def test_what_the_account_bought_before_it_was_heard_of_moves_along() -> None:
    world = woo()
    buy(world, 0, customer_id=31)
    send(world, 5, WORK)
    assert renames(world) == [("Jan.Lipa@example.com", WORK)]
    assert list(world.told("PURCHASE")) == [WORK]


def test_a_stale_address_of_an_account_leads_to_its_contact() -> None:
    world = woo()
    send(world, 9, WORK)
    send(world, 0)
    buy(world, 20)
    assert (list(world.contacts), list(world.told("PURCHASE"))) == ([WORK], [WORK])


def test_where_both_addresses_have_a_contact_the_old_one_is_left_without_what_it_bought() -> None:
    world = woo()
    buy(world, 0)
    buy(world, 1, 1578, billing=woo_billing(email=WORK))
    send(world, 5)
    translation = send(world, 9, WORK)
    assert translation.warnings == (
        "Both addresses of the account have a contact, and SALESmanago cannot merge contacts; the old one stays.",
    )
    assert set(world.contacts) == {JAN, WORK}
    assert {contact: len(told) for contact, told in world.told().items()} == {WORK: 2}
    buy(world, 20, 1579)
    assert {contact: len(told) for contact, told in world.told().items()} == {WORK: 3}


def test_a_contact_that_another_account_has_too_is_not_moved() -> None:
    world = woo()
    send(world, 0)
    world.deliver("customer.updated", woo_account(after(1), "Jan.Lipa@example.com", id=32), after(1))
    send(world, 5, WORK)
    assert renames(world) == []
    assert set(world.contacts) == {JAN, WORK}


def test_an_account_can_take_its_old_address_again() -> None:
    world = woo()
    for minutes, email in enumerate((JAN, WORK, JAN)):
        send(world, minutes, email)
    assert renames(world) == [(JAN, WORK), (WORK, JAN)]
    assert list(world.contacts) == [JAN]


def consent(minutes: float, state: str, since: float, **changes: Any) -> dict[str, Any]:
    given = {"state": state, "consent_updated_at": after(since).isoformat()}
    return shopify_account(after(minutes), "Maja.Lund@example.com", email_marketing_consent=given, **changes)


def test_consent_moves_only_by_a_change_that_is_newer() -> None:
    world = World(shopify.a_shop())
    for minutes, state, since, opted in [
        (0, "not_subscribed", 0, {}),
        (1, "subscribed", 1, {"email": True}),
        (2, "pending", 2, {"email": True}),
        (3, "unsubscribed", 3, {"email": False}),
        (4, "subscribed", 1, {"email": False}),  # an older one told later
        (5, "subscribed", 5, {"email": True}),
    ]:
        world.deliver("customers/update", consent(minutes, state, since), after(minutes))
        assert world.contacts[MAJA]["opted"] == opted
    world.deliver("customers/update", shopify_account(after(9), "Maja.Lund@example.com", note="x"), after(9))
    assert world.contacts[MAJA]["opted"] == {"email": True}


def test_each_consent_is_told_once() -> None:
    world = World(shopify.a_shop())
    for minutes in range(3):
        world.deliver(
            "customers/update", consent(minutes, "subscribed", 0, phone=f"+4670000000{minutes}"), after(minutes)
        )
    assert [command.payload["forceOptIn"] for command in world.commands] == [True, False, False]


def test_a_box_that_a_mapping_reads_from_every_order_is_told_once(tmp_path: Any) -> None:
    (tmp_path / "own.toml").write_text(
        "extends = \"default\"\n[contact]\nforceOptIn = \"{{ (raw | meta('newsletter')) == 'yes' }}\"\n"
    )
    for name in ("default.toml",):
        (tmp_path / name).write_bytes((woocommerce.FOLDER.parents[2] / "mappings" / name).read_bytes())
    world = World(woocommerce.a_shop(mapping="own"), mappings=load_mappings(tmp_path, ["own"]))
    ticked = {"meta_data": [{"key": "newsletter", "value": "yes"}]}
    for number in range(3):
        buy(world, number, number + 1, **ticked)
    buy(world, 9, 9)
    upserts = [command.payload for command in world.commands if command.kind is CommandKind.CONTACT_UPSERT]
    assert [payload["forceOptIn"] for payload in upserts] == [True]
    assert world.contacts[JAN]["opted"] == {"email": True}


@pytest.mark.parametrize(
    ("wish", "contacts", "opted", "reason"),
    [
        ("ignore", [JAN], {}, "on-customer-delete-ignore"),
        ("opt_out", [JAN], {"email": False, "phone": False}, None),
        ("delete", [], None, None),
    ],
)
def test_a_deleted_account_is_what_the_shop_wants_it_to_be(wish: str, contacts: Any, opted: Any, reason: Any) -> None:
    world = woo(on_customer_delete=wish)
    send(world, 0)
    translation = world.deliver("customer.deleted", {"id": 31}, after(9))
    assert translation.reason == reason
    assert list(world.contacts) == contacts
    assert opted is None or world.contacts[JAN]["opted"] == opted
    before = len(world.commands)
    world.deliver("customer.deleted", {"id": 31}, after(9))
    assert len(world.commands) == before


@pytest.mark.parametrize(("wish", "contacts"), [("ignore", [JAN]), ("opt_out", [JAN]), ("delete", [])])
def test_a_body_that_comes_after_the_deletion_brings_nobody_back(wish: str, contacts: list[str]) -> None:
    world = woo(on_customer_delete=wish)
    assert world.deliver("customer.deleted", {"id": 31}, after(9)).commands == ()
    send(world, 0)
    assert list(world.contacts) == contacts
    if wish == "opt_out":
        assert world.contacts[JAN]["opted"] == {"email": False, "phone": False}


def test_a_clock_that_is_ahead_does_not_undo_a_deletion() -> None:
    world = woo(on_customer_delete="delete")
    send(world, 30)
    world.deliver("customer.deleted", {"id": 31}, after(20))
    assert world.contacts == {}
    send(world, 30)
    assert world.contacts == {}


def test_a_restored_account_is_a_contact_again() -> None:
    world = woo(on_customer_delete="delete")
    send(world, 0)
    world.deliver("customer.deleted", {"id": 31}, after(20))
    world.deliver("customer.restored", woo_account(after(30), "Jan.Lipa@example.com"), after(30))
    assert list(world.contacts) == [JAN]


def test_an_account_nobody_knows_can_be_deleted() -> None:
    for wish in ("ignore", "opt_out", "delete"):
        world = woo(on_customer_delete=wish)
        translation = world.deliver("customer.deleted", {"id": 99}, after(9))
        assert translation.commands == ()


def test_a_person_who_was_deleted_is_a_new_contact_when_they_buy_again() -> None:
    world = woo(on_customer_delete="delete")
    send(world, 0)
    buy(world, 1, customer_id=31)
    world.deliver("customer.deleted", {"id": 31}, after(20))
    assert (world.contacts, world.told()) == ({}, {})
    buy(world, 1, customer_id=31, customer_note="late")  # an old order, told late
    assert (world.contacts, world.told()) == ({}, {})
    buy(world, 30, 1578)
    assert [number for _, number, *_ in world.told()[JAN]] == ["1578"]


def test_what_an_opted_out_person_agrees_to_later_counts() -> None:
    world = World(shopify.a_shop(on_customer_delete="opt_out"))
    world.deliver("customers/update", consent(0, "subscribed", 0), after(0))
    world.deliver("customers/delete", {"id": 7200000000009}, after(9))
    assert world.contacts[MAJA]["opted"] == {"email": False, "phone": False}
    world.deliver("customers/update", consent(5, "subscribed", 5), after(12))
    assert world.contacts[MAJA]["opted"] == {"email": False, "phone": False}
    customer = consent(20, "subscribed", 20) | {"id": 7200000000010}
    world.deliver("customers/create", customer, after(20))
    assert world.contacts[MAJA]["opted"] == {"email": True, "phone": False}


def test_an_account_is_newer_than_the_orders_before_it_and_older_than_those_after() -> None:
    world = woo()
    send(world, 10, billing=woo_billing(phone="+48500000010"))
    buy(world, 5, 1, billing=woo_billing(phone="+48500000005"))
    assert world.contacts[JAN]["phone"] == "+48500000010"
    buy(world, 20, 2, billing=woo_billing(phone="+48500000020"))
    send(world, 15, billing=woo_billing(phone="+48500000015"))
    assert world.contacts[JAN]["phone"] == "+48500000020"


def test_a_blank_unsays_nothing_whichever_comes_first() -> None:
    full, blank = woo_billing(phone="+48500000001"), woo_billing(phone="", address_1="")
    for first, second in (((0, full), (9, blank)), ((9, blank), (0, full))):
        world = woo()
        for minutes, billing in (first, second):
            send(world, minutes, billing=billing)
        assert (world.contacts[JAN]["phone"], world.contacts[JAN]["streetAddress"]) == ("+48500000001", "Rynek 7")


def test_two_bodies_of_one_second_lose_nothing() -> None:
    """An account and its first address are often saved within the same second."""
    empty = dict.fromkeys(woo_billing(), "")
    for bodies in ((empty, woo_billing(phone="1")), (woo_billing(phone="1"), empty)):
        world = woo()
        for billing in bodies:
            send(world, 0, billing=billing)
        assert world.contacts[JAN]["phone"] == "1"


def test_accounts_of_two_shops_of_a_group_meet_in_one_contact() -> None:
    world = World(woocommerce.a_shop(), a_group(location="zielnik_shop"))
    send(world, 0)
    other = World(woocommerce.a_shop(key="other", on_customer_delete="ignore"), world.group)
    other.resources, other.digests, other.contacts = world.resources, world.digests, world.contacts
    send(other, 5, billing=woo_billing(phone="+48500000005"))
    assert (list(world.contacts), world.contacts[JAN]["phone"]) == ([JAN], "+48500000005")


def test_a_shopify_account_and_its_order_are_one_person() -> None:
    world = World(shopify.a_shop())
    world.deliver("orders/create", shopify_order(after(0)), after(0))
    world.deliver("customers/create", shopify_account(after(0) + timedelta(seconds=1), "maja.lund@EXAMPLE.com"), START)
    assert list(world.contacts) == [MAJA]
