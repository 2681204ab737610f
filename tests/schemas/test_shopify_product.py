from datetime import UTC, datetime
from decimal import Decimal

import pytest

from relay.errors import PayloadInvalid
from schemas.shopify import read_product
from tests.support.shopify import a_shop, sample

SHOP = a_shop()


def product(shop=SHOP, **keys):
    return read_product({"id": 1, "handle": "x", "published_at": "2025-01-01T00:00:00Z"} | keys, shop)


def variant(**keys):
    return product(variants=[keys]).variants[0]


def test_a_product_is_read_whole():
    read = read_product(sample("products_create__variants-2026"), SHOP)
    assert (read.id, read.name, read.handle) == ("7700000000001", "Linen shirt", "linen-shirt")
    assert (read.vendor, read.type) == ("Nordljus", "Shirts")
    assert read.tags == ("linen", "summer", "unisex")
    assert read.images == ("https://cdn.example/linen-front.jpg?v=1", "https://cdn.example/linen-blue.jpg?v=1")
    assert read.attributes == {"size": "M, L", "color": "Blue, White"}
    assert (read.sku, read.price, read.regular_price) == (None, Decimal("49.90"), Decimal("69.90"))
    assert (read.stock, read.available, read.published) == (5, True, True)
    assert read.created_at == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_description_is_plain_text():
    read = read_product(sample("products_create__variants-2026"), SHOP)
    assert read.description == "Linen shirt Cool & light. Washed at 40°. 100 % linen Made in Borås"


@pytest.mark.parametrize("nothing", [None, "", "<p> </p>"])
def test_description_of_nothing_is_not_said(nothing):
    assert product(body_html=nothing).description is None


def test_category_path_is_split_outermost_first():
    read = read_product(sample("products_create__variants-2026"), SHOP)
    assert read.categories == ("Apparel & Accessories", "Clothing", "Clothing Tops", "Shirts")


def test_product_type_stands_in_for_a_missing_category():
    assert product(category=None, product_type="Mugs").categories == ("Mugs",)
    assert product(category=None, product_type="").categories == ()
    assert product(category={"name": "Mugs"}).categories == ("Mugs",)


def test_variants_are_read_whole():
    first, second, third = read_product(sample("products_create__variants-2026"), SHOP).variants
    assert (first.id, first.sku, first.title) == ("4500000000001", "LIN-M-BLU", "M / Blue")
    assert (first.barcode, first.price) == ("7350000000017", Decimal("49.90"))
    assert (first.image, first.options) == ("https://cdn.example/linen-blue.jpg?v=1", {"size": "M", "color": "Blue"})
    assert (second.image, third.options["color"]) == (None, "White")


@pytest.mark.parametrize(
    ("price", "compare_at", "regular"),
    [
        ("49.90", "69.90", "69.90"),
        ("49.90", "49.90", None),
        ("59.90", "39.90", None),
        ("49.90", None, None),
        ("49.90", "", None),
        (None, "69.90", None),
    ],
)
def test_compare_at_price_is_a_regular_price_only_above_the_price(price, compare_at, regular):
    read = variant(price=price, compare_at_price=compare_at).regular_price
    assert read == (None if regular is None else Decimal(regular))


def test_price_of_the_product_is_its_cheapest_variants():
    read = product(variants=[{"price": "9"}, {"price": "7", "compare_at_price": "8"}, {"price": None}])
    assert (read.price, read.regular_price) == (Decimal(7), Decimal(8))
    assert product(variants=[]).price is None


def test_price_with_three_decimals_keeps_them():
    assert str(variant(price="0.000").price) == "0.000"


def test_negative_stock_is_told_as_it_is():
    read = read_product(sample("products_create__variants-2026"), SHOP).variants[1]
    assert (read.stock, read.available) == (-2, False)


def test_policy_continue_sells_without_stock():
    read = read_product(sample("products_create__variants-2026"), SHOP).variants[2]
    assert (read.stock, read.available) == (0, True)


def test_variants_name_what_their_stock_is_counted_under():
    read = read_product(sample("products_create__variants-2026"), SHOP)
    assert [one.inventory_item_id for one in read.variants] == ["4500000000002", "4500000000022", "4500000000023"]
    assert variant().inventory_item_id is None


@pytest.mark.parametrize(("policy", "backorders"), [("continue", True), ("deny", False), (None, None), ("", None)])
def test_policy_tells_whether_a_variant_is_sold_without_stock(policy, backorders):
    assert variant(inventory_policy=policy).backorders is backorders


def test_inventory_management_null_means_not_counted():
    read = variant(inventory_management=None, inventory_quantity=0)
    assert (read.stock, read.available) == (None, True)


def test_inventory_management_absent_means_the_quantity_counts():
    read = variant(inventory_quantity=0)
    assert (read.stock, read.available) == (0, False)


def test_quantity_not_said_leaves_availability_unknown():
    assert (variant().stock, variant().available) == (None, None)


def test_stock_of_the_product_is_unknown_when_one_variant_is_not_counted():
    counted, uncounted = {"inventory_quantity": 3}, {"inventory_management": None}
    assert product(variants=[counted, counted]).stock == 6
    assert product(variants=[counted, uncounted]).stock is None


def test_variants_beyond_the_first_hundred_leave_stock_unknown():
    sold_out = [{"inventory_quantity": 0}] * 100
    read = product(variants=sold_out, variant_gids=[{"admin_graphql_api_id": str(n)} for n in range(150)])
    assert (read.stock, read.available) == (None, None)
    assert product(variants=sold_out, variant_ids=[{"id": 1}] * 100).available is False


@pytest.mark.parametrize(
    "names",
    [
        {"variant_gids": [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{n}"} for n in (1, 2, 3)]},
        {"variant_gids": [{"admin_graphql_api_id": "1"}, {}, {"admin_graphql_api_id": "3"}, {"id": 2}]},
        {"variant_ids": [{"id": 3}, {"id": 2}, {"id": 1}]},
    ],
)
def test_variants_that_the_body_only_names_are_told_by_their_ids(names):
    assert sorted(product(variants=[{"id": 2}], **names).named_variants) == ["1", "3"]
    assert product(variants=[{"id": n} for n in (1, 2, 3)], **names).named_variants == ()
    assert product(variants=[{"id": 2}]).named_variants == ()


def test_only_variant_has_no_title_or_options():
    read = read_product(sample("products_update__single-legacy-2020"), SHOP)
    assert (read.variants[0].title, read.variants[0].options, read.attributes) == (None, {}, {})
    assert (read.sku, read.variants[0].url) == ("KUB", read.url)


def test_options_missing_from_the_body_leave_variants_without_names():
    assert variant(title="Small", option1="Small").options == {}


def test_url_comes_from_the_storefront_and_the_handle():
    read = read_product(sample("products_create__variants-2026"), SHOP)
    assert read.url == "https://nordljus.example/products/linen-shirt"
    assert read.variants[0].url == "https://nordljus.example/products/linen-shirt?variant=4500000000001"


def test_url_falls_back_to_the_shops_domain():
    assert product(a_shop(url=None)).url == "https://nordljus.myshopify.com/products/x"
    assert product(a_shop(url="https://nordljus.example/")).url == "https://nordljus.example/products/x"
    assert product(a_shop(url=None, domains=())).url is None


def test_handle_with_other_letters_is_encoded():
    read = read_product(sample("products_update__single-legacy-2020"), SHOP)
    assert read.url == "https://nordljus.example/products/kubek-du%C5%BCy"


@pytest.mark.parametrize(
    ("keys", "published"),
    [
        ({"status": "active"}, True),
        ({}, True),
        ({"status": "draft"}, False),
        ({"status": "archived"}, False),
        ({"status": "unlisted"}, False),
        ({"status": "active", "published_at": None}, False),
        ({"published_at": None}, False),
    ],
)
def test_only_an_active_product_on_the_store_is_published(keys, published):
    read = product(**keys)
    assert read.published is published
    assert (read.url is not None) is published


def test_publication_not_mentioned_is_not_taken_for_unpublished():
    assert read_product({"id": 1, "status": "active"}, SHOP).published is True


def test_image_alone_stands_in_for_an_empty_list():
    assert product(images=[], image={"src": "https://cdn.example/1.jpg"}).images == ("https://cdn.example/1.jpg",)
    assert product(images=[], image=None).images == ()


def test_title_is_not_taken_for_markup():
    assert product(title="Cable <2 m> & plug").name == "Cable <2 m> & plug"


@pytest.mark.parametrize("unusable", [{}, {"id": None}, {"id": {}}])
def test_a_product_without_a_usable_id_is_refused(unusable):
    with pytest.raises(PayloadInvalid, match=r"id: Missing or empty\."):
        read_product(unusable, SHOP)
