from datetime import UTC, datetime

import pytest

from relay.commerce import Address, Consent
from schemas.woocommerce import read_customer, read_order
from tests.support.woocommerce import a_shop, sample

SHOP = a_shop()


def customer(**keys):
    return read_customer({"id": 1, "email": "a@example.com"} | keys, SHOP)


def buyer(**keys):
    return read_order({"id": 1} | keys, SHOP).customer


def test_a_customer_is_read_whole():
    read = read_customer(sample("customer_updated__new-email-v3"), SHOP)
    assert (read.id, read.email, read.role) == ("31", "ewa.nowa@example.com", "customer")
    assert (read.name, read.first_name, read.last_name) == ("Ewa Malina", "Ewa", "Malina")
    assert (read.phone, read.company) == ("+48 500 000 102", "Pracownia Malina")
    assert read.address == Address(
        name="Ewa Malina",
        company="Pracownia Malina",
        street="Rynek 4",
        zip_code="24-120",
        city="Kazimierz",
        country="PL",
        phone="+48 500 000 102",
    )
    assert read.created_at == datetime(2026, 1, 5, 11, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 7, 12, 6, tzinfo=UTC)


def test_customer_right_after_registration_has_an_email_and_nothing_else():
    read = read_customer(sample("customer_created__empty-names-v3"), SHOP)
    assert (read.id, read.email) == ("41", "olga.szalwia@example.com")
    assert (read.name, read.first_name, read.last_name, read.phone, read.company) == (None, None, None, None, None)
    assert read.address is None


def test_customer_never_changed_is_dated_by_its_creation():
    read = read_customer(sample("customer_created__empty-names-v3"), SHOP)
    assert read.updated_at == read.created_at == datetime(2026, 5, 10, 17, tzinfo=UTC)


def test_email_of_the_account_comes_before_that_of_its_billing_address():
    billing = {"email": "billing@example.com"}
    assert customer(billing=billing).email == "a@example.com"
    assert customer(email="", billing=billing).email == "billing@example.com"


def test_email_is_kept_as_it_was_typed():
    assert customer(email=" Ann@Example.com ").email == "Ann@Example.com"


@pytest.mark.parametrize(
    ("own", "billing", "shipping", "name"),
    [
        ("Own", "Billing", "Shipping", "Own"),
        ("", "Billing", "Shipping", "Billing"),
        ("", "", "Shipping", "Shipping"),
        ("", "", "", None),
    ],
)
def test_name_is_the_accounts_else_that_of_an_address(own, billing, shipping, name):
    read = customer(first_name=own, billing={"first_name": billing}, shipping={"first_name": shipping})
    assert (read.name, read.first_name) == (name, name)


def test_names_of_two_places_are_not_mixed():
    read = customer(first_name="", last_name="Own", billing={"first_name": "Billing", "last_name": "Else"})
    assert (read.name, read.first_name, read.last_name) == ("Own", None, "Own")


def test_role_of_staff_is_told_since_customer_topics_fire_for_any_user():
    read = read_customer(sample("customer_updated__administrator-v3"), SHOP)
    assert (read.role, read.email) == ("administrator", "anna@zielnik.example")


def test_consent_is_never_said_whatever_a_plugin_left_in_the_meta():
    assert read_customer(sample("customer_updated__new-email-v3"), SHOP).consent == Consent()
    assert customer(meta_data=[{"key": "newsletter", "value": "yes"}], is_paying_customer=True).consent == Consent()


@pytest.mark.parametrize("meta", [None, [], {}, "text", [{"key": "k", "value": {"a": [1]}}], {"3": {"key": "k"}}, [5]])
def test_meta_of_any_shape_is_no_hindrance(meta):
    assert customer(meta_data=meta).email == "a@example.com"


@pytest.mark.parametrize("address", [None, [], "", {}, {"country": "PL", "state": "MZ"}])
def test_an_empty_address_is_none_even_where_the_shops_own_country_stands_in_it(address):
    assert customer(billing=address, shipping=address).address is None


def test_phone_and_company_are_found_in_either_address():
    shipping = {"phone": "2", "company": "Shipping"}
    assert customer(billing={"phone": "1"}, shipping=shipping).phone == "1"
    assert customer(billing={"phone": ""}, shipping=shipping).phone == "2"
    assert customer(billing=None, shipping=shipping).company == "Shipping"


def test_address_lines_are_one_street_and_the_country_a_code():
    read = customer(billing={"address_1": "Lipowa 7", "address_2": "m. 3", "country": "pl", "state": "PD"}).address
    assert (read.street, read.country, read.province) == ("Lipowa 7 m. 3", "PL", "PD")


def test_shipping_address_stands_in_for_a_billing_address_without_a_place():
    assert customer(billing={"country": "PL"}, shipping={"city": "Łódź"}).address.city == "Łódź"


@pytest.mark.parametrize("totals", [{"orders_count": 0, "total_spent": "0.00"}, {"last_order": {"id": 5, "date": ""}}])
def test_totals_of_old_versions_are_no_hindrance(totals):
    assert customer(**totals).id == "1"


def test_customer_of_legacy_v3_is_read_under_its_other_names():
    body = {
        "id": 45,
        "created_at": "2025-12-01T09:00:00Z",
        "last_update": "2026-01-02T09:00:00Z",
        "email": "iga@klos.example",
        "first_name": "Iga",
        "role": "customer",
        "last_order_date": "2026-02-10T11:00:00Z",
        "billing_address": {"city": "Zakopane", "phone": "1"},
        "shipping_address": {"city": "Kraków", "company": "Kłos"},
    }
    read = read_customer({"customer": body}, SHOP)
    assert (read.id, read.email, read.name, read.role) == ("45", "iga@klos.example", "Iga", "customer")
    assert (read.address.city, read.phone, read.company) == ("Zakopane", "1", "Kłos")
    assert read.created_at == datetime(2025, 12, 1, 9, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 1, 2, 9, tzinfo=UTC)


def test_guest_is_known_by_the_billing_email_alone():
    read = read_order(sample("order_created__guest-pending-v3"), SHOP).customer
    assert (read.id, read.email, read.name) == (None, "Agata.Wrzosek@example.com", "Agata Wrzosek")
    assert (read.address.street, read.address.city) == ("ul. Lipowa 7 m. 3", "Białystok")
    assert read.role is None


def test_buyer_with_an_account_has_its_id():
    assert read_order(sample("order_updated__paid-two-lines-v3"), SHOP).customer.id == "31"


def test_buyer_is_who_pays_and_not_who_receives():
    read = read_order(sample("order_updated__paid-two-lines-v3"), SHOP).customer
    assert (read.name, read.phone, read.address.city) == ("Ewa Malina", "+48 500 000 102", "Kazimierz")


def test_nameless_buyer_of_an_admin_order_is_an_email_without_an_address():
    read = read_order(sample("order_created__odd-plugins-v3"), SHOP).customer
    assert (read.id, read.email, read.name, read.address) == ("77", "biuro@hurt.example", None, None)


def test_email_in_plugin_meta_is_not_the_buyers():
    meta = [{"key": "email", "value": "staff@example.com"}]
    assert buyer(meta_data=meta, line_items=[{"id": 1, "meta_data": meta}], billing={"email": ""}) is None


def test_email_a_plugin_put_into_the_shipping_address_is_not_the_buyers():
    assert buyer(billing={"email": ""}, shipping={"first_name": "Jo", "email": "jo@example.com"}).email is None


@pytest.mark.parametrize(
    "keys", [{}, {"customer_id": 0}, {"customer_id": "0", "billing": [], "shipping": {"city": ""}}]
)
def test_order_that_names_nobody_has_no_customer(keys):
    assert buyer(**keys) is None
    assert buyer(**keys, meta_data=[{"key": "wpml_language", "value": "pl"}]) is None


def test_account_without_an_email_is_still_a_customer():
    assert (buyer(customer_id=5).id, buyer(customer_id=5).email) == ("5", None)


def test_email_of_a_legacy_order_is_the_billing_one_and_its_name_the_accounts():
    read = read_order(sample("order_created__legacy-v3"), SHOP).customer
    assert (read.id, read.email, read.name) == ("45", "iga.klos@example.com", "Iga Kłos-Nowa")
    assert read.address.city == "Zakopane"


def test_email_of_a_legacy_account_stands_in_for_a_missing_billing_one():
    body = {"order": {"id": 1, "billing_address": {"email": ""}, "customer": {"email": "account@example.com"}}}
    assert read_order(body, SHOP).customer.email == "account@example.com"


def test_entities_in_names_and_streets_are_decoded():
    billing = {"first_name": "Ewa &amp; Jan", "last_name": "Kos", "address_1": "ul. O&#8217;Hary 3", "city": "Hel"}
    read = customer(billing=billing)
    assert (read.name, read.address.street) == ("Ewa & Jan Kos", "ul. O’Hary 3")
