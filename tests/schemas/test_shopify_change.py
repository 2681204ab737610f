from datetime import UTC, datetime

import pytest

from relay.changes import AccountMerge, ConsentChange, StockChange, TagChange
from relay.commerce import Deletion
from relay.errors import PayloadInvalid
from schemas.shopify import (
    read_email_consent,
    read_level,
    read_merge,
    read_order_deletion,
    read_sms_consent,
    read_tags_added,
    read_tags_removed,
)
from tests.support.shopify import a_shop, sample

SHOP = a_shop()
HANNA = "8100000000001"
JUNE = datetime(2025, 6, 15, 6, tzinfo=UTC)


def test_consent_to_email_names_the_customer_and_the_address():
    read = read_email_consent(sample("customers_email_marketing_consent_update__subscribed-2025"), SHOP)
    assert read == ConsentChange(HANNA, "email", True, JUNE, "hanna.lindqvist@example.com")


def test_consent_to_text_messages_names_the_customer_alone():
    read = read_sms_consent(sample("customers_marketing_consent_update__subscribed-2025"), SHOP)
    assert read == ConsentChange(HANNA, "sms", True, JUNE)


@pytest.mark.parametrize(
    ("state", "given"),
    [
        ("subscribed", True),
        ("SUBSCRIBED", True),
        ("unsubscribed", False),
        ("not_subscribed", None),
        ("pending", None),
        ("redacted", None),
        ("invalid", None),
        ("", None),
        (None, None),
    ],
)
def test_states_that_say_neither_yes_nor_no_are_not_stated(state, given):
    consent = {"state": state, "consent_updated_at": "2025-06-15T06:00:00Z"}
    at = None if given is None else JUNE
    email = read_email_consent({"customer_id": 7, "email_marketing_consent": consent}, SHOP)
    sms = read_sms_consent({"id": 7, "sms_marketing_consent": consent}, SHOP)
    assert [(read.given, read.at) for read in (email, sms)] == [(given, at)] * 2


@pytest.mark.parametrize("consent", [{}, {"email_marketing_consent": None}, {"email_marketing_consent": {}}])
def test_missing_consent_is_not_stated(consent):
    assert read_email_consent({"customer_id": 7} | consent, SHOP) == ConsentChange("7", "email")


def test_samples_that_state_nothing():
    never = read_email_consent(sample("customers_email_marketing_consent_update__never-asked-2026"), SHOP)
    null = read_sms_consent(sample("customers_marketing_consent_update__null-2026"), SHOP)
    assert (never.given, null.given) == (None, None)


def test_tags_are_read_with_their_moment():
    added = read_tags_added(sample("customer.tags_added__2025"), SHOP)
    removed = read_tags_removed(sample("customer.tags_removed__2025"), SHOP)
    july, august = (datetime(2025, month, 1, 6, 0, 0, part, tzinfo=UTC) for month, part in ((7, 250000), (8, 500000)))
    assert added == TagChange(HANNA, added=("VIP", "Candle lover"), at=july)
    assert removed == TagChange(HANNA, removed=("Candle lover",), at=august)


@pytest.mark.parametrize(
    ("spelt", "id_"),
    [
        ("gid://shopify/Customer/820982911946154508", "820982911946154508"),
        ("gid://shopify/Customer/7?namespace=x", "7"),
        ("7", "7"),
        (7, "7"),
    ],
)
def test_the_number_of_a_global_id_is_kept_as_text(spelt, id_):
    assert read_tags_added({"customerId": spelt}, SHOP).customer_id == id_


@pytest.mark.parametrize("spelt", [None, "", "gid://shopify/Customer/", "gid://shopify/Customer/0", [], {}])
def test_global_id_without_a_number_is_refused(spelt):
    with pytest.raises(PayloadInvalid, match=r"customerId: Missing or empty\."):
        read_tags_added({"customerId": spelt}, SHOP)


def test_merge_names_both_customers():
    read = read_merge(sample("customers_merge__completed-2026"), SHOP)
    assert read == AccountMerge("8100000000051", "8100000000052", done=True)
    assert not read_merge(sample("customers_merge__failed-2026"), SHOP).done


@pytest.mark.parametrize(
    ("status", "done"),
    [("completed", True), ("COMPLETED", True), (None, True), ("failed", False), ("in_progress", False), ("new", False)],
)
def test_only_a_completed_merge_is_one(status, done):
    assert read_merge(sample("customers_merge__failed-2026") | {"status": status}, SHOP).done is done


def test_level_is_read_whole():
    read = read_level(sample("inventory_levels_update__warehouse-2026"), SHOP)
    assert read == StockChange("4500000000002", "3300000000001", 5, datetime(2026, 3, 2, 11, tzinfo=UTC))


def test_level_that_is_not_counted_or_names_nothing():
    assert read_level(sample("inventory_levels_update__not-counted-2026"), SHOP).available is None
    assert read_level(sample("inventory_levels_update__empty-2026"), SHOP) == StockChange()


def test_deleted_order_is_an_id():
    assert read_order_deletion(sample("orders_delete__2026"), SHOP) == Deletion("order", "6100000000031")


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (read_email_consent, r"customer_id: Missing or empty\."),
        (read_sms_consent, r"id: Missing or empty\."),
        (read_tags_removed, r"customerId: Missing or empty\."),
        (read_merge, r"admin_graphql_api_customer_(?:kept|deleted)_id: Missing or empty\."),
        (read_order_deletion, r"id: Missing or empty\."),
    ],
)
def test_a_body_that_names_nobody_is_refused(read, fault):
    with pytest.raises(PayloadInvalid, match=fault):
        read({}, SHOP)
