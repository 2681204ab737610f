from datetime import UTC, datetime

import pytest

from relay.commerce import Address, Consent
from relay.errors import PayloadInvalid
from schemas.shopify import read_customer, read_order
from tests.support.shopify import a_shop, sample

SHOP = a_shop()


def customer(**keys):
    return read_customer({"id": 1, "email": "a@example.com"} | keys, SHOP)


def buyer(**keys):
    return read_order({"id": 1} | keys, SHOP).customer


def test_a_customer_is_read_whole():
    read = read_customer(sample("customers_create__no-consent-2025"), SHOP)
    assert (read.id, read.email) == ("8100000000001", "hanna.lindqvist@example.com")
    assert (read.name, read.first_name, read.last_name) == ("Hanna Lindqvist", "Hanna", "Lindqvist")
    assert (read.phone, read.company) == ("+46700000103", "Lindqvist Atelje")
    assert read.address == Address(
        name="Hanna Lindqvist",
        company="Lindqvist Atelje",
        street="Storgatan 12 lgh 3",
        zip_code="753 31",
        city="Uppsala",
        country="SE",
        phone="+46700000101",
    )
    assert read.created_at == datetime(2025, 2, 11, 7, 30, tzinfo=UTC)
    assert read.updated_at == datetime(2025, 6, 14, 17, 20, 31, tzinfo=UTC)


def test_customer_without_consent_keys_is_unknown_and_no_opt_out():
    read = read_customer(sample("customers_create__no-consent-2025"), SHOP)
    assert (read.consent, read.tags) == (Consent(), ())


def test_consent_of_both_channels_is_read_with_its_time():
    consent = read_customer(sample("customers_update__consent-2023"), SHOP).consent
    assert (consent.email, consent.email_at) == (False, datetime(2023, 8, 15, 8, tzinfo=UTC))
    assert (consent.sms, consent.sms_at) == (True, datetime(2023, 7, 1, 8, tzinfo=UTC))


@pytest.mark.parametrize("state", ["not_subscribed", "pending", "redacted", "invalid", None, "", "a new word"])
def test_a_state_that_is_neither_yes_nor_no_says_nothing(state):
    stated = {"state": state, "consent_updated_at": "2024-01-01T00:00:00Z"}
    assert customer(email_marketing_consent=stated, sms_marketing_consent=stated).consent == Consent()


def test_a_state_is_read_in_either_case():
    assert customer(email_marketing_consent={"state": "SUBSCRIBED"}).consent.email is True


def test_null_consent_is_unknown():
    assert customer(email_marketing_consent=None, sms_marketing_consent=None).consent == Consent()


def test_legacy_accepts_marketing_true_is_a_consent():
    read = read_customer(sample("customers_create__legacy-2020"), SHOP)
    assert (read.consent.email, read.consent.email_at) == (True, datetime(2020, 11, 27, 9, 14, tzinfo=UTC))


def test_legacy_accepts_marketing_counts_while_the_consent_object_is_null():
    assert customer(accepts_marketing=True, email_marketing_consent=None).consent.email is True


def test_legacy_accepts_marketing_false_is_no_opt_out():
    at = "2023-01-01T00:00:00Z"
    assert customer(accepts_marketing=False, accepts_marketing_updated_at=at).consent == Consent()


@pytest.mark.parametrize(("state", "read_as"), [("unsubscribed", False), ("not_subscribed", None)])
def test_the_consent_object_comes_before_legacy_accepts_marketing(state, read_as):
    read = customer(accepts_marketing=True, email_marketing_consent={"state": state})
    assert read.consent.email is read_as


def test_verified_email_and_account_state_are_no_consent():
    assert customer(verified_email=True, state="enabled").consent == Consent()


@pytest.mark.parametrize(
    ("given", "read_as"), [("tag, VIP", ("tag", "VIP")), ("", ()), ("one, ", ("one",)), (None, ())]
)
def test_tags_are_one_text_in_the_body(given, read_as):
    assert customer(tags=given).tags == read_as


def test_default_address_with_another_name_does_not_rename_the_customer():
    read = read_customer(sample("customers_update__consent-2023"), SHOP)
    assert (read.name, read.address.name) == ("Erika Muster", "Anton Anders")


def test_default_address_only_in_the_list_of_old_bodies_is_found():
    read = read_customer(sample("customers_create__legacy-2020"), SHOP)
    assert (read.address.city, read.phone) == ("Kraków", "145-112211")


def test_address_country_as_a_code_instead_of_a_name_is_read():
    assert customer(default_address={"country": "DE"}).address.country == "DE"
    assert customer(default_address={"country": "Germany"}).address.country == "Germany"
    assert customer(default_address={"country": "Germany", "country_code": "DE"}).address.country == "DE"


def test_name_parts_left_empty_are_not_said():
    read = customer(first_name="", last_name=None)
    assert (read.name, read.first_name, read.last_name) == (None, None, None)
    assert customer(first_name="Ann", last_name="").name == "Ann"


def test_email_of_a_customer_can_be_null():
    assert customer(email=None).email is None


@pytest.mark.parametrize("unusable", [{}, {"id": None}, {"id": ""}, {"id": {}}, {"id": 0}])
def test_a_customer_without_a_usable_id_is_refused(unusable):
    with pytest.raises(PayloadInvalid, match=r"id: Missing or empty\."):
        read_customer(unusable, SHOP)


def test_order_email_comes_before_the_customers():
    read = read_order(sample("orders_create__three-lines-2025"), SHOP).customer
    assert (read.id, read.email) == ("8100000000001", "Hanna@example.com")


@pytest.mark.parametrize(
    ("keys", "email"),
    [
        ({"email": "o@example.com", "contact_email": "c@example.com"}, "o@example.com"),
        ({"email": "", "contact_email": "c@example.com", "customer": {"email": "k@example.com"}}, "c@example.com"),
        ({"email": "", "contact_email": None, "customer": {"email": "k@example.com"}}, "k@example.com"),
        ({"customer": {"email": "k@example.com"}}, "k@example.com"),
        ({"email": "", "contact_email": None, "customer": {"id": 5}}, None),
    ],
)
def test_email_is_taken_from_where_there_is_one(keys, email):
    assert buyer(**keys).email == email


@pytest.mark.parametrize("keys", [{}, {"customer": None}, {"customer": {}, "email": "", "billing_address": None}])
def test_customer_null_or_absent_on_an_order_is_nobody(keys):
    assert buyer(**keys) is None
    assert buyer(**keys, customer_locale="de-DE") is None


def test_point_of_sale_order_names_nobody():
    assert read_order(sample("orders_fulfilled__pos-nobody-2025"), SHOP).customer is None


def test_guest_without_a_name_is_named_by_the_billing_address():
    read = read_order(sample("orders_create__guest-multi-currency-2026"), SHOP).customer
    assert (read.name, read.first_name, read.last_name) == ("Jordan Reyes", "Jordan", "Reyes")
    assert (read.address.country, read.address.province, read.phone) == ("US", "Oregon", "(555) 010-0199")


def test_restricted_body_without_personal_keys_keeps_what_is_there():
    read = read_order(sample("orders_create__restricted-2025"), SHOP).customer
    assert (read.id, read.email, read.name, read.phone) == ("8100000000005", None, None, None)
    assert read.address == Address(province="England", country="GB")


def test_phone_of_the_order_comes_before_those_of_customer_and_addresses():
    address = {"phone": "3"}
    assert buyer(phone="1", customer={"phone": "2"}, billing_address=address).phone == "1"
    assert buyer(phone=None, customer={"phone": "2"}, billing_address=address).phone == "2"
    assert buyer(phone="", customer={"phone": None}, billing_address=address).phone == "3"


def test_phone_is_given_as_it_came():
    assert buyer(phone="555-555-SHIP").phone == "555-555-SHIP"


def test_address_of_the_customer_comes_before_those_of_the_order():
    at_home, billing, shipping = {"city": "Home"}, {"city": "Billing"}, {"city": "Shipping"}
    everything = {"billing_address": billing, "shipping_address": shipping}
    assert buyer(**everything, customer={"default_address": at_home}).address.city == "Home"
    assert buyer(**everything).address.city == "Billing"
    assert buyer(shipping_address=shipping).address.city == "Shipping"


def test_checkbox_of_the_checkout_is_not_the_customers_consent():
    assert buyer(email="a@example.com", buyer_accepts_marketing=True).consent == Consent()


def test_language_is_that_of_the_sale():
    assert read_order(sample("orders_create__three-lines-2025"), SHOP).customer.language == "sv"


def test_company_id_of_a_business_order_is_not_taken_for_its_name():
    assert read_order(sample("orders_paid__b2b-2025"), SHOP).customer.company == "Företag AB"
    assert buyer(email="a@example.com", company={"id": 41000001, "location_id": 42000001}).company is None


def test_dates_of_a_nested_customer_may_be_null():
    read = read_order(sample("orders_create__guest-multi-currency-2026"), SHOP).customer
    assert (read.created_at, read.updated_at) == (None, None)
