"""What is asked for people's sake: who is deleted, what memory keeps, and that arrival in any order ends the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relay import jsontext
from relay.commands import CommandKind
from relay.deliveries import Delivery, DeliveryState
from relay.errors import PayloadInvalid
from relay.memory import EmptyMemory
from relay.privacy import ERASE_TOPIC, RELAY_PLATFORM, Disclosure, Erasure, ShopErasure
from tests.support.every_order import Step, assert_order_makes_no_difference, in_every_order, lived
from tests.support.shopify import a_shop
from tests.support.world import World

ADA = "ada@example.com"
WORK = "ada.alm@work.example"
BO = "bo@example.com"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SHOP = a_shop()
DELETING = a_shop(on_customer_delete="delete")


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def account(hours: float, email: str | None = ADA, number: int = 7, **keys: Any) -> Step:
    body = {"id": number, "email": email, "first_name": "Ada", "last_name": "Alm", "updated_at": at(hours).isoformat()}
    return "customers/update", body | keys, at(hours)


def order(hours: float, number: int = 1001, email: str | None = ADA, customer: int | None = 7, **keys: Any) -> Step:
    body = {
        "id": number,
        "email": email,
        "phone": "+46 70 174 06 05",
        "customer": customer and {"id": customer, "email": email},
        "financial_status": "paid",
        "total_price": "20.00",
        "currency": "EUR",
        "line_items": [{"id": 1, "product_id": 70, "price": "20.00", "quantity": 1}],
        "refunds": [],
        "created_at": at(hours).isoformat(),
        "updated_at": at(hours).isoformat(),
    }
    return "orders/updated", body | keys, at(hours)


def checkout(hours: float, email: str = ADA) -> Step:
    body = {
        "token": "chk-1",
        "email": email,
        "customer": {"id": 7, "email": email},
        "total_price": "20.00",
        "currency": "EUR",
        "line_items": [{"product_id": 70, "price": "20.00", "quantity": 1}],
        "created_at": at(hours).isoformat(),
        "updated_at": at(hours).isoformat(),
    }
    return "checkouts/update", body, at(hours)


def redact(hours: float, email: str | None = ADA, number: int | None = 7, orders: list[int] | None = None) -> Step:
    customer = {"id": number, "email": email, "phone": None}
    body = {"shop_id": 1, "shop_domain": "x.example", "customer": customer, "orders_to_redact": orders or []}
    return "customers/redact", body, at(hours)


def deletion(hours: float) -> Step:
    return "customers/delete", {"id": 7}, at(hours)


def remembered(world: World) -> str:
    """All that memory holds, as text."""
    return "".join(
        jsontext.dumps([key, each.email, each.topic, each.facts]) + (each.body or b"").decode()
        for key, each in world.resources.items()
    )


def asked_to_delete(world: World) -> list[dict[str, Any]]:
    return [dict(each.payload) for each in world.commands if each.kind is CommandKind.CONTACT_DELETE]


# Redactions


def test_redaction_deletes_the_contact_for_good_and_leaves_nothing_in_memory():
    other = account(3, BO, 8, last_name="Berg")
    world = lived([account(0), checkout(1), order(2), other, redact(4, orders=[1001])], SHOP)

    assert asked_to_delete(world) == [{"email": ADA, "permanently": True}]
    assert world.contacts.keys() == {BO}
    assert world.told() == {}
    for trace in (ADA, "Alm", "174 06", "customers/redact"):
        assert trace not in remembered(world)
    assert "Berg" in remembered(world)


@pytest.mark.parametrize("life", [
    [account(0), order(1), redact(2, orders=[1001])],
    [account(0), order(1), checkout(1.5), redact(2)],
    [order(1, customer=None), redact(2, number=None)],
    [account(0), account(1, WORK), order(1.5, email=WORK), redact(2, WORK)],
])  # fmt: skip
def test_late_words_resurrect_nobody(life):
    world = assert_order_makes_no_difference(life, SHOP)

    assert world.contacts == {}
    assert world.told() == {}
    for arrived, each in in_every_order(life, SHOP):
        assert ADA not in remembered(each), arrived
        assert WORK not in remembered(each), arrived
        assert "Alm" not in remembered(each), arrived


@pytest.mark.parametrize("late", [order(1), account(0), checkout(1)])
def test_late_delivery_is_itself_forgotten(late):
    world = lived([redact(2, orders=[1001])], SHOP)
    topic, body, moment = late
    translation = world.deliver(topic, body, moment)

    assert (translation.state, translation.reason, translation.erased) == (DeliveryState.IGNORED, "erased", True)
    assert translation.commands == ()


def test_order_that_names_another_address_stays_forgotten_by_its_account_and_by_its_id():
    world = lived([redact(2, orders=[1002])], SHOP)

    assert world.deliver(*order(1, 1001, WORK)).reason == "erased"
    assert world.deliver(*order(1, 1002, WORK, customer=None)).reason == "erased"
    assert world.contacts == {}


@pytest.mark.parametrize("life", [
    [account(0), order(1), redact(2, orders=[1001]), order(3, 1002)],
    [order(1, customer=None), redact(2, number=None), order(3, 1002, customer=None)],
])  # fmt: skip
def test_order_placed_afterwards_is_a_new_relationship(life):
    world = assert_order_makes_no_difference(life, SHOP)

    assert [(kind, number) for kind, number, _, _ in world.told()[ADA]] == [("PURCHASE", "1002")]


def test_what_only_the_erased_account_said_is_not_in_the_new_contact():
    world = lived([account(0, phone="+4670111222"), order(1), redact(2), order(3, 1002, phone=None)], SHOP)

    assert "phone" not in world.contacts[ADA]
    assert "+4670111222" not in remembered(world)


def test_account_changed_afterwards_is_a_new_relationship():
    life = [account(0), redact(2), account(3, first_name="Adela")]
    world = assert_order_makes_no_difference(life, SHOP)

    assert world.contacts[ADA]["name"] == "Adela Alm"


def test_somebody_the_relay_never_met_is_deleted_in_salesmanago_too():
    world = lived([redact(2, BO, number=None)], SHOP)

    assert asked_to_delete(world) == [{"email": BO, "permanently": True}]


def test_repeated_redaction_asks_for_no_second_deletion():
    world = lived([account(0), redact(2), redact(2)], SHOP)

    assert len(asked_to_delete(world)) == 1
    assert world.deliver(*account(1)).reason == "erased"


def test_change_of_address_that_may_have_failed_leaves_no_contact_behind():
    world = lived([account(0), account(1, WORK), redact(2, WORK)], SHOP)

    assert [each["email"] for each in asked_to_delete(world)] == [WORK, ADA]


def test_former_addresses_are_forgotten_with_the_present_one():
    world = lived([account(0), account(1, WORK), redact(2, WORK)], SHOP)

    assert world.deliver(*order(0.5, 1009, ADA, customer=None)).reason == "erased"
    assert ADA not in remembered(world)


def test_address_of_an_order_that_is_another_accounts_stays():
    life = [account(0), account(0, BO, 8), order(1, email=BO, customer=None), redact(2, orders=[1001])]
    world = lived(life, SHOP)

    assert world.contacts.keys() == {BO}
    assert [each["email"] for each in asked_to_delete(world)] == [ADA]


def test_account_without_address_is_forgotten_by_its_id():
    translation = lived([order(1, email=None)], SHOP).deliver(*redact(2, None))

    [wish] = translation.privacy
    assert isinstance(wish, Erasure)
    assert (wish.person.addresses, wish.person.accounts) == ((), (("nordljus", "7"),))
    assert translation.commands == ()


def test_redaction_names_all_it_knows_of_the_person():
    world = lived([order(1), account(0)], SHOP)
    [wish] = world.deliver(
        "customers/redact", redact(2)[1] | {"customer": {"id": 7, "email": "Ada@Example.com", "phone": "123"}}, at(2)
    ).privacy

    assert wish.person.addresses == (ADA,)
    assert set(wish.person.phones) == {"123", "+46 70 174 06 05"}
    assert (wish.until, wish.thorough) == (at(2), True)


def test_tags_and_consent_of_an_erased_account_are_forgotten_when_they_come_late():
    consent = {"customer_id": 7, "email_address": ADA, "email_marketing_consent": {
        "state": "subscribed", "consent_updated_at": at(1).isoformat()}}  # fmt: skip
    tags = {"customerId": "gid://shopify/Customer/7", "tags": ["vip"], "occurredAt": at(1).isoformat()}
    world = lived([redact(2)], SHOP)

    assert world.deliver("customers_email_marketing_consent/update", consent, at(1)).reason == "erased"
    assert world.deliver("customer.tags_added", tags, at(1)).reason == "erased"
    assert world.contacts == {}
    assert ADA not in remembered(world)


# Data requests


def test_data_request_is_answered_by_a_file_named_after_it():
    body = redact(2)[1] | {"data_request": {"id": 9999}}
    translation = lived([account(0)], SHOP).deliver("customers/data_request", body, at(2))

    [wish] = translation.privacy
    assert isinstance(wish, Disclosure)
    assert wish.name == "nordljus-9999.json"
    assert wish.person.addresses == (ADA,)
    assert any("data-requests/nordljus-9999.json" in warning for warning in translation.warnings)
    assert translation.resource_id == "7"


@pytest.mark.parametrize("number", [None, "../../etc/passwd", ""])
def test_name_of_the_file_cannot_lead_elsewhere(number):
    body = redact(2)[1] | {"data_request": {"id": number}}
    [wish] = lived([], SHOP).deliver("customers/data_request", body, at(2)).privacy

    assert wish.name in ("nordljus-delivery-1.json", "nordljus-etcpasswd.json")


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact"])
@pytest.mark.parametrize("customer", [None, {}, {"id": None, "email": "", "phone": None}])
def test_request_that_names_nobody_is_a_dead_letter(topic, customer):
    with pytest.raises(PayloadInvalid, match="Names nobody"):
        lived([], SHOP).deliver(topic, {"customer": customer}, at(2))


# Shops


@pytest.mark.parametrize(("setting", "deletes"), [("keep", False), ("delete", True)])
def test_shop_redaction_forgets_the_shop_and_deletes_its_contacts_where_that_is_wanted(setting, deletes):
    [wish] = lived([account(0)], a_shop(on_shop_redact=setting)).deliver("shop/redact", {"shop_id": 1}, at(2)).privacy

    assert wish == ShopErasure("main", "nordljus", peers=(), until=at(2), delete_contacts=deletes)


# Deleted accounts


def test_deleted_account_is_forgotten_where_the_setting_says_delete():
    world = lived([account(0), order(1)], DELETING)
    [wish] = world.deliver(*deletion(2)).privacy

    assert (wish.person.addresses, wish.person.accounts) == ((ADA,), (("nordljus", "7"),))
    assert asked_to_delete(world) == [{"email": ADA}]
    assert ADA not in remembered(world)


@pytest.mark.parametrize("life", [
    [account(0), order(1), deletion(2)],
    [order(1), deletion(2)],
    [account(0), order(1), deletion(2), order(3, 1002, customer=None)],
])  # fmt: skip
def test_deletion_counts_whichever_arrives_first(life):
    world = assert_order_makes_no_difference(life, DELETING)

    assert {number for events in world.told().values() for _, number, _, _ in events} <= {"1002"}
    for arrived, each in in_every_order(life[:3], DELETING):
        assert ADA not in remembered(each), arrived


@pytest.mark.parametrize("wish", ["ignore", "opt_out"])
def test_deleted_account_is_not_forgotten_otherwise(wish):
    world = lived([account(0)], a_shop(on_customer_delete=wish))

    assert world.deliver(*deletion(2)).privacy == ()
    assert ADA in world.contacts


# The operator's own erasures


def own(body: dict[str, Any], shop: str | None = SHOP.key) -> Delivery:
    return Delivery(
        id=1,
        platform=RELAY_PLATFORM,
        group="main",
        shop=shop,
        topic=ERASE_TOPIC,
        headers={},
        body=jsontext.dumps(body).encode(),
        received_at=at(5),
    )


@pytest.mark.parametrize("shop", [SHOP.key, "left-long-ago", None])
def test_operator_may_erase_somebody_of_any_shop_or_of_none(shop):
    translation = World(SHOP).translator.translate(own({"email": BO}, shop), EmptyMemory(), at(5))

    [command] = translation.commands
    [wish] = translation.privacy
    assert command.payload == {"email": BO, "permanently": True}
    assert (wish.person.addresses, wish.until, wish.thorough) == ((BO,), at(5), True)
    assert SHOP.key in wish.person.shops


def test_erasure_of_a_shop_needs_no_search_for_each_of_its_people():
    translation = World(SHOP).translator.translate(own({"email": BO, "thorough": False}), EmptyMemory(), at(5))

    assert [wish.thorough for wish in translation.privacy] == [False]


def test_own_delivery_that_names_nobody_is_a_dead_letter():
    with pytest.raises(PayloadInvalid, match="names nobody"):
        World(SHOP).translator.translate(own({}), EmptyMemory(), at(5))


def test_dry_run_stores_the_deletion_without_sending_it():
    world = World(replace(SHOP, dry_run=True))
    translation = world.deliver(*redact(2))

    assert translation.dry_run
    assert [command.kind for command in translation.commands] == [CommandKind.CONTACT_DELETE]
