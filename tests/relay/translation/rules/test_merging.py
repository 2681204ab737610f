"""Two accounts that became one: whose contact, whose orders, and in which order that is heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relay.deliveries import DeliveryState
from relay.translation.rules.merging import TWINS
from tests.support.every_order import Step, assert_order_makes_no_difference, in_every_order, lived
from tests.support.shopify import a_shop, sample
from tests.support.world import World

KEPT, GONE = "kept@example.com", "gone@example.com"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SHOP = a_shop()


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def account(number: int, hours: float, email: str | None) -> Step:
    body = {"id": number, "email": email, "first_name": f"Number {number}", "updated_at": at(hours).isoformat()}
    return "customers/update", body, at(hours)


def order(number: int, hours: float, customer: int, email: str | None) -> Step:
    body = {
        "id": number,
        "email": email,
        "customer": {"id": customer, "email": email},
        "financial_status": "paid",
        "total_price": "20.00",
        "currency": "EUR",
        "line_items": [{"id": 1, "product_id": 70, "price": "20.00", "quantity": 1}],
        "refunds": [],
        "created_at": START.isoformat(),
        "updated_at": at(hours).isoformat(),
    }
    return "orders/updated", body, at(hours)


def merge(hours: float, kept: int = 1, gone: int = 2, status: str = "completed") -> Step:
    body = {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone}",
        "status": status,
        "errors": [],
    }
    return "customers/merge", body, at(hours)


def purchases(world: World) -> dict[str, list[str]]:
    """Give the numbers of the orders bought by each contact."""
    return {contact: [number for _, number, *_ in told] for contact, told in world.told("PURCHASE").items()}


def assert_all_belongs_to_the_kept_account(life: Sequence[Step], *numbers: str) -> None:
    """Check that in every order of arrival the kept account's contact ends the same, with all that was bought.

    What cannot be the same is whether a card was left behind under the other address: SALESmanago cannot merge two.
    """
    expected = lived(life, SHOP)
    for arrived, world in in_every_order(life, SHOP):
        assert purchases(world) == ({KEPT: [*numbers]} if numbers else {}), arrived
        assert world.contacts[KEPT] == expected.contacts[KEPT], arrived
        assert world.contacts.keys() <= {KEPT, GONE}, arrived


def test_contact_that_stays_behind_is_a_warning_and_its_orders_move() -> None:
    world = lived([account(1, 0, KEPT), account(2, 0, GONE), order(1001, 0, 2, GONE)], SHOP)
    assert purchases(world) == {GONE: ["1001"]}
    translation = world.deliver(*merge(1))
    assert translation.warnings == (TWINS,)
    assert (translation.resource_kind, translation.resource_id) == ("customer", "1")
    assert world.contacts.keys() == {KEPT, GONE}
    assert purchases(world) == {KEPT: ["1001"]}
    assert world.deliver(*merge(1)).commands == ()


def test_contact_moves_where_the_kept_account_has_none_yet() -> None:
    world = lived([account(2, 0, GONE), order(1001, 0, 2, GONE), merge(1), account(1, 2, KEPT)], SHOP)
    assert world.contacts.keys() == {KEPT}
    assert purchases(world) == {KEPT: ["1001"]}


def test_kept_account_that_takes_the_address_over_is_the_same_contact() -> None:
    life = [account(2, 0, GONE), order(1001, 0, 2, GONE), merge(1), account(1, 2, GONE)]
    world = assert_order_makes_no_difference(life, SHOP)
    assert world.contacts.keys() == {GONE}
    assert world.contacts[GONE]["name"] == "Number 1"


def test_contact_that_both_accounts_claim_moves_on_with_the_kept_one() -> None:
    life = [account(2, 0, GONE), merge(1), account(1, 2, GONE), account(1, 3, KEPT)]
    assert lived(life, SHOP).contacts.keys() == {KEPT}


def test_order_of_the_gone_account_belongs_to_the_kept_one() -> None:
    life = [account(1, 0, KEPT), account(2, 0, GONE), order(1001, 1, 2, GONE), merge(2)]
    assert_all_belongs_to_the_kept_account(life, "1001")


def test_order_that_names_the_gone_account_afterwards_belongs_to_the_kept_one() -> None:
    life = [account(1, 0, KEPT), account(2, 0, GONE), merge(2), order(1001, 3, 2, GONE)]
    assert_all_belongs_to_the_kept_account(life, "1001")


def test_order_that_shopify_hands_over_belongs_to_the_kept_one() -> None:
    life = [account(1, 0, KEPT), account(2, 0, GONE), order(1001, 1, 2, GONE), merge(2), order(1001, 3, 1, GONE)]
    assert_all_belongs_to_the_kept_account(life, "1001")


def test_kept_account_heard_of_after_the_merge_gets_all_there_is() -> None:
    life = [account(2, 0, GONE), order(1001, 1, 2, GONE), merge(2), account(1, 3, KEPT)]
    assert_all_belongs_to_the_kept_account(life, "1001")


def test_orders_of_both_accounts_add_up() -> None:
    life = [order(1001, 0, 2, GONE), order(1002, 1, 1, KEPT), merge(2), account(1, 3, KEPT)]
    assert_all_belongs_to_the_kept_account(life, "1001", "1002")


def test_sale_without_an_address_finds_that_of_the_kept_account() -> None:
    life = [order(1001, 0, 2, None), account(1, 1, KEPT), merge(2)]
    assert purchases(assert_order_makes_no_difference(life, SHOP)) == {KEPT: ["1001"]}


def test_merges_can_follow_each_other() -> None:
    merges = [merge(1, kept=2, gone=3), merge(2, kept=1, gone=2)]
    nameless = [order(1001, 0, 3, None), *merges, account(1, 3, KEPT)]
    assert purchases(assert_order_makes_no_difference(nameless, SHOP)) == {KEPT: ["1001"]}
    assert_all_belongs_to_the_kept_account([order(1001, 0, 3, GONE), *merges, account(1, 3, KEPT)], "1001")


def test_accounts_that_went_into_each_other_are_no_endless_way() -> None:
    life = [merge(1, kept=1, gone=2), merge(2, kept=2, gone=1), order(1001, 3, 2, GONE), account(1, 4, KEPT)]
    assert sum(len(numbers) for numbers in purchases(lived(life, SHOP)).values()) == 1


@pytest.mark.parametrize("status", ["failed", "in_progress", "requested"])
def test_merge_that_did_not_happen_changes_nothing(status: str) -> None:
    world = lived([account(1, 0, KEPT), account(2, 0, GONE)], SHOP)
    translation = world.deliver(*merge(1, status=status))
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "merge-not-completed")
    assert translation.resources == ()


def test_merge_of_an_account_with_itself_changes_nothing() -> None:
    translation = World(SHOP).deliver(*merge(1, kept=1, gone=1))
    assert (translation.reason, translation.resources) == ("merge-not-completed", ())


@pytest.mark.parametrize("wish", ["delete", "opt_out"])
def test_deletion_of_the_gone_account_deletes_nobody(wish: str) -> None:
    """The person lives on in the account that was kept, perhaps under the same address."""
    shop = a_shop(on_customer_delete=wish)
    deletion: Step = ("customers/delete", {"id": 2}, at(4))
    world = lived([account(2, 0, GONE), merge(1), account(1, 2, GONE)], shop)
    translation = world.deliver(*deletion)
    assert (translation.state, translation.reason) == (DeliveryState.IGNORED, "account-merged")
    world.deliver(*account(2, 0.5, GONE))
    assert world.contacts[GONE]["opted"] == {}


def test_deletion_of_the_kept_account_still_deletes_its_contact() -> None:
    shop = a_shop(on_customer_delete="delete")
    deletion: Step = ("customers/delete", {"id": 1}, at(4))
    life = [account(2, 0, GONE), merge(1), account(1, 2, GONE), deletion]
    assert lived(life, shop).contacts == {}


@pytest.mark.parametrize("hours", [0.5, 4])
def test_consent_of_the_gone_account_is_the_kept_ones(hours: float) -> None:
    consent = {"state": "unsubscribed", "consent_updated_at": at(hours).isoformat()}
    body: dict[str, Any] = {"customer_id": 2, "email_address": GONE, "email_marketing_consent": consent}
    change: Step = ("customers_email_marketing_consent/update", body, at(hours))
    life = [account(1, 0, KEPT), merge(1), change]
    assert lived(life, SHOP).contacts[KEPT]["opted"] == {"email": False}
    assert_all_belongs_to_the_kept_account(life)


def test_of_two_consents_the_newer_counts_whichever_account_it_is_of() -> None:
    def said(customer: int, hours: float, state: str) -> Step:
        consent = {"state": state, "consent_updated_at": at(hours).isoformat()}
        body = {"customer_id": customer, "email_address": None, "email_marketing_consent": consent}
        return "customers_email_marketing_consent/update", body, at(hours)

    life = [account(1, 0, KEPT), said(1, 1, "subscribed"), said(2, 2, "unsubscribed"), merge(3)]
    world = assert_order_makes_no_difference(life, SHOP)
    assert world.contacts[KEPT]["opted"] == {"email": False}


def test_samples_of_a_merge() -> None:
    kept, gone = 8100000000051, 8100000000052
    life = [account(kept, 0, KEPT), account(gone, 0, GONE)]
    world = lived(life, SHOP)
    assert world.deliver("customers/merge", sample("customers_merge__failed-2026"), at(1)).warnings == ()
    assert world.deliver("customers/merge", sample("customers_merge__completed-2026"), at(2)).warnings == (TWINS,)
    world.deliver(*order(1001, 3, gone, GONE))
    assert purchases(world) == {KEPT: ["1001"]}


def test_gone_account_that_is_heard_of_late_brings_its_guest_orders_along() -> None:
    guest = {"customer": None, "email": GONE}
    topic, body, when = order(1001, 0, 2, GONE)
    life: list[Step] = [(topic, body | guest, when), account(1, 0, KEPT), merge(1), account(2, 0.5, GONE)]
    assert_all_belongs_to_the_kept_account(life, "1001")
