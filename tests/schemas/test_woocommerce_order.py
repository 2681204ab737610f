from datetime import UTC, datetime
from decimal import Decimal

import pytest

from relay.errors import PayloadInvalid
from schemas.woocommerce import read_order
from tests.support.woocommerce import a_shop, sample

SHOP = a_shop()


def order(**keys):
    return read_order({"id": 1} | keys, SHOP)


def line(**keys):
    return order(line_items=[keys]).lines[0]


def refunds(*items):
    return [(one.id, one.amount, one.reason) for one in order(refunds=list(items)).refunds]


def test_an_order_is_read_whole():
    read = read_order(sample("order_updated__paid-two-lines-v3"), SHOP)
    assert (read.id, read.number, read.key) == ("1510", "ZIEL/2026/1510", "wc_order_Ziel000001510")
    assert (read.status, read.currency) == ("processing", "PLN")
    assert (read.total, read.shipping_total) == (Decimal("88.38"), Decimal("10.00"))
    assert (read.tax_total, read.discount_total) == (Decimal("16.53"), Decimal("6.32"))
    assert (read.coupons, read.shipping_methods) == (("lato10",), ("Kurier – pod drzwi",))
    assert (read.payment_method, read.payment_title) == ("przelewy24", "Przelewy24")
    assert (read.source, read.note, read.language) == ("checkout", None, "pl")
    assert read.placed_at == read.created_at == datetime(2026, 7, 11, 7, 15, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 7, 11, 7, 16, 10, tzinfo=UTC)
    assert read.paid_at == datetime(2026, 7, 11, 7, 16, 8, tzinfo=UTC)
    assert (read.refunds, read.cancelled_at, read.test) == ((), None, False)
    assert (read.checkout_token, read.cart_token) == (None, None)


def test_total_is_lines_shipping_fees_and_tax_together():
    body = sample("order_updated__paid-two-lines-v3")
    read = read_order(body, SHOP)
    fees = sum(Decimal(fee["total"]) for fee in body["fee_lines"])
    assert sum(one.total for one in read.lines) + read.shipping_total + fees + read.tax_total == read.total


def test_id_and_number_can_differ_and_an_id_keeps_every_digit():
    assert (order(number="FV-0007").id, order(number="FV-0007").number) == ("1", "FV-0007")
    assert read_order({"id": 9007199254740993}, SHOP).id == "9007199254740993"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("order_created__guest-pending-v3", "pending"),
        ("order_updated__guest-processing-v3", "processing"),
        ("order_updated__checkout-draft-v3", "checkout-draft"),
        ("order_updated__cancelled-v3", "cancelled"),
        ("order_updated__failed-v3", "failed"),
        ("order_updated__full-refund-v3", "refunded"),
        ("order_updated__trash-v3", "trash"),
        ("order_updated__custom-status-v3", "gotowe-do-odbioru"),
    ],
)
def test_status_is_the_shops_own_word(name, status):
    assert read_order(sample(name), SHOP).status == status


def test_payment_is_told_by_its_date_and_not_guessed_from_the_status():
    assert read_order(sample("order_created__guest-pending-v3"), SHOP).paid_at is None
    paid_at = read_order(sample("order_updated__guest-processing-v3"), SHOP).paid_at
    assert paid_at == datetime(2026, 3, 2, 17, 41, 30, tzinfo=UTC)
    assert order(status="processing", date_paid=None, date_paid_gmt=None, payment_method="cod").paid_at is None


def test_draft_has_no_payment_and_the_paid_order_made_of_it_keeps_its_id_and_date():
    names = ("order_updated__checkout-draft-v3", "order_created__draft-paid-v3")
    draft, paid = (read_order(sample(name), SHOP) for name in names)
    assert (draft.id, draft.placed_at) == (paid.id, paid.placed_at)
    assert (draft.paid_at, draft.payment_title) == (None, None)
    assert draft.customer == paid.customer
    assert draft.customer.email == "jan.ruminski@example.com"


def test_only_the_iso_code_of_the_currency_counts():
    read = read_order(sample("order_created__odd-plugins-v3"), SHOP)
    assert read.currency == "PLN"
    assert order(currency_symbol="$").currency == "PLN"
    assert order(currency="EUR", currency_symbol="").currency == "EUR"


@pytest.mark.parametrize(
    ("given", "read_as"), [("365", "365"), ("0.00", "0.00"), (Decimal("12.5"), "12.5"), (12, "12"), ("", None)]
)
def test_amounts_have_the_decimals_of_the_shop(given, read_as):
    total = order(total=given).total
    assert (None if total is None else str(total)) == read_as


@pytest.mark.parametrize("key", ["total", "total_tax", "shipping_total", "discount_total"])
def test_an_unreadable_amount_is_refused_with_its_name(key):
    with pytest.raises(PayloadInvalid, match=rf"{key}: Not a readable amount\."):
        order(**{key: "12,50 zł"})


def test_free_order_has_a_total_of_zero_and_no_payment_method():
    read = read_order(sample("order_created__free-coupon-v3"), SHOP)
    assert (read.total, read.discount_total, read.coupons) == (Decimal(0), Decimal("16.18"), ("prezent100",))
    assert (read.payment_method, read.payment_title, read.status) == (None, None, "completed")
    assert read.paid_at is not None
    assert [(one.total, one.unit_price) for one in read.lines] == [(Decimal(0), Decimal(0))]


def test_order_of_v1_is_dated_in_the_shops_wall_time():
    read = read_order(sample("order_created__v1"), SHOP)
    assert read.placed_at == datetime(2026, 1, 15, 7, 30, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 1, 15, 7, 31, tzinfo=UTC)
    assert read.paid_at == datetime(2026, 1, 15, 7, 30, 59, tzinfo=UTC)
    assert (read.total, read.lines[0].total, read.currency) == (Decimal("57.30"), Decimal("36.59"), "PLN")


def test_order_of_legacy_v3_is_read_under_its_other_names():
    read = read_order(sample("order_created__legacy-v3"), SHOP)
    assert (read.id, read.number, read.status) == ("1590", "1590", "processing")
    assert (read.total, read.shipping_total, read.discount_total) == (Decimal("45.00"), Decimal(0), Decimal(0))
    assert (read.payment_method, read.payment_title) == ("cod", "Za pobraniem")
    assert (read.coupons, read.shipping_methods) == (("stary-kod",), ("Odbiór osobisty",))
    assert (read.note, read.paid_at) == ("Odbiorę w piątek.", None)
    assert read.placed_at == datetime(2026, 2, 10, 11, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 2, 10, 11, 0, 5, tzinfo=UTC)
    (soap,) = read.lines
    assert (soap.product_id, soap.quantity, soap.total) == ("2101", Decimal(3), Decimal("36.59"))


def test_payment_title_and_shipping_method_are_plain_text():
    assert read_order(sample("order_updated__failed-v3"), SHOP).payment_title == "Karta Visa"
    assert order(shipping_lines=[{"method_title": "A &amp; B"}, {"method_title": ""}]).shipping_methods == ("A & B",)


@pytest.mark.parametrize("source", ["checkout", "store-api", "admin", "rest-api", "subscription", "a-plugin"])
def test_source_is_told_as_it_is(source):
    assert order(created_via=source).source == source
    assert order(created_via="").source is None


@pytest.mark.parametrize("meta", [{"coupon_info": "[1]"}, [{"key": "coupon_data", "value": {"id": 1}}], None])
def test_coupon_is_its_code_whatever_else_the_version_says_of_it(meta):
    read = order(coupon_lines=[{"code": "A", "meta_data": meta}, {"code": ""}, {"code": "B"}])
    assert read.coupons == ("A", "B")


@pytest.mark.parametrize(
    ("key", "value", "language"),
    [
        ("wpml_language", "pl", "pl"),
        ("trp_language", "de_DE", "de"),
        ("weglot_language", "en", "en"),
        ("wpml_language", "", None),
        ("wpml_language", ["pl"], None),
        ("other", "pl", None),
    ],
)
def test_language_is_what_a_translation_plugin_noted(key, value, language):
    read = order(customer_id=5, meta_data=[{"key": key, "value": value}])
    assert (read.language, read.customer.language) == (language, language)


@pytest.mark.parametrize("meta", [None, [], {}, "x", {"7": {"key": "wpml_language", "value": "pl"}}, [None, 5]])
def test_meta_as_a_list_an_object_with_gaps_or_nothing_is_no_hindrance(meta):
    assert order(meta_data=meta).language == ("pl" if meta and isinstance(meta, dict) else None)


def test_lines_are_read_whole():
    tea, soap = read_order(sample("order_updated__paid-two-lines-v3"), SHOP).lines
    assert (tea.id, tea.product_id, tea.variant_id) == ("11", "2010", None)
    assert (tea.sku, tea.name) == ("ZIEL-LIPA-100", "Herbata lipowa & miód 100 g")
    assert (tea.quantity, tea.total) == (Decimal(3), Decimal("43.68"))
    assert (soap.product_id, soap.variant_id, soap.name) == ("2100", "2102", "Mydło ziołowe - Rumianek")


def test_line_total_is_after_the_coupon_and_without_tax():
    lines = read_order(sample("order_updated__paid-two-lines-v3"), SHOP).lines
    assert [one.total for one in lines] == [Decimal("43.68"), Decimal("13.17")]


def test_float_noise_of_the_price_key_is_never_read():
    read = line(total="21.60", quantity=2, price=Decimal("10.799999999999999"))
    assert str(read.unit_price) == "10.80"
    assert str(line(total="10.00", quantity=3, price="3").unit_price) == "3.333333"


def test_unit_price_of_quantity_zero_is_not_said():
    assert (line(total="0.00", quantity=0, price=0).unit_price, line(total="0.00", quantity=0).quantity) == (None, 0)
    assert line(quantity=2).unit_price is None


def test_quantity_may_be_a_fraction_and_is_one_where_it_is_missing():
    by_weight, uncounted = line(quantity="1.5", total="12.00"), line(total="4")
    assert (by_weight.quantity, by_weight.unit_price) == (Decimal("1.5"), Decimal(8))
    assert (uncounted.quantity, uncounted.unit_price) == (Decimal(1), Decimal(4))


@pytest.mark.parametrize(
    ("given", "read_as"), [("", None), (None, None), (False, None), (5900001, "5900001"), ("0017", "0017")]
)
def test_sku_is_text_whatever_it_looks_like(given, read_as):
    assert line(sku=given).sku == read_as


def test_deleted_product_leaves_its_line_standing():
    read = read_order(sample("order_created__odd-plugins-v3"), SHOP).lines[2]
    assert (read.product_id, read.variant_id, read.sku) == (None, None, None)
    assert (read.name, read.total) == ("Wrotycz (wycofany)", Decimal("9.15"))


def test_bundle_and_its_parts_are_lines_whose_totals_add_up_to_the_order():
    read = read_order(sample("order_created__odd-plugins-v3"), SHOP)
    bundle, part = read.lines[:2]
    assert (bundle.name, bundle.total) == ("Zestaw „Łąka” (3 el.)", Decimal("99.00"))
    assert (part.name, part.quantity, part.total) == ("Świeca", Decimal(3), Decimal(0))
    assert sum(one.total for one in read.lines) == read.total


@pytest.mark.parametrize("image", [{"id": "59"}, {"id": 0, "src": ""}, {"id": "", "src": False}, [], None, ""])
@pytest.mark.parametrize("meta", [[{"key": "a", "value": {"b": 1}}], {}, None, "text"])
def test_pictures_and_meta_of_a_line_of_any_shape_are_no_hindrance(image, meta):
    assert line(total="6.00", quantity=3, image=image, meta_data=meta).total == Decimal("6.00")


def test_the_same_line_id_twice_is_two_lines():
    twice = [{"id": 7, "total": "1.00"}, {"id": 7, "total": "2.00"}]
    assert [one.total for one in order(line_items=twice).lines] == [Decimal(1), Decimal(2)]


def test_lines_with_gaps_in_their_keys_are_all_read():
    gaps = {"0": {"id": 1, "total": "1.00"}, "2": {"id": 3, "total": "3.00"}}
    assert [one.id for one in order(line_items=gaps).lines] == ["1", "3"]


def test_an_unreadable_amount_of_a_line_is_refused_with_its_path():
    with pytest.raises(PayloadInvalid, match=r"line_items\.1\.total: Not a readable amount\."):
        order(line_items=[{"total": "1"}, {"total": "one"}])


def test_partial_refund_leaves_status_and_total_as_they_were():
    read = read_order(sample("order_updated__draft-partial-refund-v3"), SHOP)
    (refund,) = read.refunds
    assert (read.status, read.total) == ("completed", Decimal("62.20"))
    assert (refund.id, refund.amount, refund.reason) == ("1521", Decimal("15.00"), "Jedno mydło pęknięte")
    assert refund.at is None


def test_full_refund_is_the_sum_of_its_parts_oldest_first():
    read = read_order(sample("order_updated__full-refund-v3"), SHOP)
    assert [(one.id, one.amount) for one in read.refunds] == [("1531", Decimal("15.00")), ("1532", Decimal("42.30"))]
    assert sum(one.amount for one in read.refunds) == read.total


def test_status_refunded_without_any_refund_has_none():
    assert order(status="refunded", total="90.00", refunds=[]).refunds == ()


def test_reason_of_a_refund_may_be_called_refund():
    (refund,) = read_order(sample("order_updated__refund-word-v2"), SHOP).refunds
    assert (refund.id, refund.amount, refund.reason) == ("1581", Decimal("12.20"), "Uszkodzone")


@pytest.mark.parametrize("total", ["-0.00", "0", "", None])
def test_refund_that_moved_no_money_is_none(total):
    assert refunds({"id": 0, "reason": "", "total": total}) == []


def test_refund_without_an_id_is_called_by_its_place_which_a_later_one_does_not_move():
    first = {"id": 0, "total": "-1.00"}
    second = {"id": 0, "total": "-2.00"}
    assert refunds(first) == [("#1", Decimal("1.00"), None)]
    assert refunds(second, first) == [("#1", Decimal("1.00"), None), ("#2", Decimal("2.00"), None)]


@pytest.mark.parametrize("amount", ["-10.00", "10.00", Decimal("-10.00"), -10])
def test_amount_of_a_refund_is_positive(amount):
    assert refunds({"id": 5, "total": amount}) == [("5", Decimal(10), None)]


def test_keys_newer_shops_add_and_older_ones_lack_make_no_difference():
    newer = sample("order_updated__guest-processing-v3")
    added = (
        "payment_url",
        "is_editable",
        "needs_payment",
        "needs_processing",
        "currency_symbol",
        "fee_lines",
        "_links",
    )
    older = {key: value for key, value in newer.items() if key not in added}
    assert read_order(older, SHOP) == read_order(newer, SHOP)


def test_subscription_like_body_with_empty_texts_for_dates_is_read():
    read = order(status="active", date_paid="", date_paid_gmt="", next_payment_date_gmt="", billing_period="month")
    assert (read.status, read.paid_at) == ("active", None)
