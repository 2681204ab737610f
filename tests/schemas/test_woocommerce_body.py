from datetime import UTC, datetime
from decimal import Decimal

import pytest

from relay.commerce import Customer, Deletion, Order, PlatformError, Product, ResourceKind
from relay.errors import PayloadInvalid
from schemas.woocommerce import (
    read_customer,
    read_customer_deletion,
    read_order,
    read_order_deletion,
    read_product,
    read_product_deletion,
)
from tests.support.woocommerce import a_shop, sample

SHOP = a_shop()
WHOLE = [read_order, read_customer, read_product]
DELETED = {
    read_order_deletion: ResourceKind.ORDER,
    read_customer_deletion: ResourceKind.CUSTOMER,
    read_product_deletion: ResourceKind.PRODUCT,
}
READERS = [*WHOLE, *DELETED]


def error(code="rest_no_route", status=404, **keys):
    return {"code": code, "message": "Nie znaleziono.", "data": {"status": status}} | keys


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("order_updated__error-401", PlatformError("woocommerce_rest_cannot_view", 401)),
        ("product_created__error-404", PlatformError("woocommerce_rest_product_invalid_id", 404)),
    ],
)
@pytest.mark.parametrize("read", READERS)
def test_a_rest_error_in_place_of_the_resource_is_told_as_one_under_every_topic(read, name, read_as):
    assert read(sample(name), SHOP) == read_as


@pytest.mark.parametrize(
    ("given", "status"), [(403, 403), ("404", 404), (Decimal("404"), 404), ("gone", None), (Decimal("4.5"), None)]
)
def test_status_of_an_error_is_a_number_where_it_is_one(given, status):
    assert read_order(error(status=given), SHOP) == PlatformError("rest_no_route", status)


@pytest.mark.parametrize("extra", [{"data": {"status": 404, "params": {"id": 5}}}, {"additional_errors": []}])
def test_what_a_plugin_adds_to_an_error_does_not_hide_it(extra):
    assert read_customer(error("woocommerce_rest_invalid_id", **extra), SHOP).code == "woocommerce_rest_invalid_id"


@pytest.mark.parametrize("read", WHOLE)
def test_a_resource_with_keys_like_an_errors_is_no_error(read):
    assert read(error(id=7), SHOP).id == "7"


@pytest.mark.parametrize(
    "body", [{}, {"code": "lato10"}, {"code": "", "data": {"status": 404}}, {"code": "x", "data": None}, {"data": []}]
)
@pytest.mark.parametrize("read", READERS)
def test_a_body_that_is_neither_a_resource_nor_an_error_is_refused(read, body):
    with pytest.raises(PayloadInvalid, match=r"id: Missing or empty\."):
        read(body, SHOP)


@pytest.mark.parametrize("body", [[], None, "", "webhook_id=5", 5])
@pytest.mark.parametrize("read", READERS)
def test_a_body_that_is_no_object_is_refused_such_as_the_empty_list_of_a_custom_resource(read, body):
    with pytest.raises(PayloadInvalid, match="not a JSON object"):
        read(body, SHOP)


@pytest.mark.parametrize("given", [16, "16", Decimal("16")])
@pytest.mark.parametrize(("read", "kind"), DELETED.items())
def test_a_deletion_is_an_id_and_may_be_a_text_of_digits(read, kind, given):
    assert read({"id": given}, SHOP) == Deletion(kind, "16")


@pytest.mark.parametrize("unusable", [0, "", None, [], {}])
@pytest.mark.parametrize("read", READERS)
def test_an_unusable_id_is_refused(read, unusable):
    with pytest.raises(PayloadInvalid, match=r"id: Missing or empty\."):
        read({"id": unusable}, SHOP)


@pytest.mark.parametrize(
    ("name", "read", "id"),
    [
        ("order_deleted__id", read_order_deletion, "1540"),
        ("customer_deleted__id", read_customer_deletion, "41"),
        ("product_deleted__variation-id", read_product_deletion, "2103"),
    ],
)
def test_the_samples_of_deletions_are_read(name, read, id):
    assert read(sample(name), SHOP).id == id


@pytest.mark.parametrize(("read", "wrapper"), [(read_order, "order"), (read_customer, "customer")])
def test_a_wrapper_of_legacy_v3_is_taken_off(read, wrapper):
    assert read({wrapper: {"id": 5, "status": "processing"}}, SHOP).id == "5"


@pytest.mark.parametrize(("read", "wrapper"), [(read_order, "product"), (read_product, "order")])
def test_the_wrapper_of_another_resource_is_not_taken_off(read, wrapper):
    with pytest.raises(PayloadInvalid, match=r"id: Missing"):
        read({wrapper: {"id": 5}}, SHOP)


def test_a_body_with_an_id_of_its_own_is_no_wrapper():
    assert read_order({"id": 1, "order": {"id": 2}}, SHOP).id == "1"


def test_names_of_legacy_v3_are_only_renamed_inside_its_wrapper():
    read = read_product({"id": 1, "name": "Lipa", "title": "Another plugin's title"}, SHOP)
    assert read.name == "Lipa"


@pytest.mark.parametrize("read", WHOLE)
def test_the_gmt_date_counts_and_its_local_twin_is_not_even_looked_at(read):
    body = {"id": 1, "date_created": "not a date", "date_created_gmt": "2026-07-01T10:00:00"}
    assert read(body, SHOP).created_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("local", "hour"), [("2026-07-01T12:00:00", 10), ("2026-01-01T12:00:00", 11), ("2026-01-01 12:00:00", 11)]
)
@pytest.mark.parametrize("gmt", [{}, {"date_created_gmt": None}, {"date_created_gmt": ""}])
@pytest.mark.parametrize("read", WHOLE)
def test_a_date_without_a_gmt_twin_is_the_shops_wall_time_summer_and_winter(read, gmt, local, hour):
    read_at = read({"id": 1, "date_created": local} | gmt, SHOP).created_at
    assert (read_at.hour, read_at.tzinfo) == (hour, UTC)


def test_wall_time_follows_the_shops_own_zone():
    body = {"id": 1, "date_created": "2026-07-01T12:00:00"}
    assert read_order(body, a_shop(timezone=UTC)).created_at == datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("nothing", [None, "", "0000-00-00 00:00:00"])
@pytest.mark.parametrize("read", WHOLE)
def test_an_empty_date_is_no_date(read, nothing):
    dates = dict.fromkeys(("date_created", "date_created_gmt", "date_modified", "date_modified_gmt"), nothing)
    read_as = read({"id": 1} | dates, SHOP)
    assert (read_as.created_at, read_as.updated_at) == (None, None)


@pytest.mark.parametrize("read", WHOLE)
def test_what_was_never_changed_is_as_new_as_its_creation(read):
    body = {"id": 1, "date_created_gmt": "2026-07-01T10:00:00", "date_modified": None, "date_modified_gmt": None}
    assert read(body, SHOP).updated_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("key", ["date_created", "date_created_gmt"])
@pytest.mark.parametrize("read", WHOLE)
def test_an_unreadable_date_is_refused_with_its_name(read, key):
    with pytest.raises(PayloadInvalid, match=rf"{key}: Not a readable time\."):
        read({"id": 1, key: "01.07.2026"}, SHOP)


@pytest.mark.parametrize(("read", "record"), [(read_order, Order), (read_customer, Customer), (read_product, Product)])
def test_an_id_alone_is_enough_and_all_else_is_not_said(read, record):
    read_as = read({"id": 12345678901234567890}, SHOP)
    assert isinstance(read_as, record)
    assert (read_as.id, read_as.updated_at) == ("12345678901234567890", None)


@pytest.mark.parametrize("read", WHOLE)
def test_keys_of_plugins_are_left_alone(read):
    assert read({"id": 1, "_links": {}, "gift_cards": [{"id": 2}], "loyalty": None, "": 0}, SHOP).id == "1"
