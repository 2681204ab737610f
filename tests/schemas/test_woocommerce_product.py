from datetime import UTC, datetime
from decimal import Decimal

import pytest

from relay.errors import PayloadInvalid
from schemas.woocommerce import read_product
from tests.support.woocommerce import a_shop, sample

SHOP = a_shop()
TERM = {"name": "A &amp; B"}


def product(**keys):
    return read_product({"id": 1, "status": "publish", "price": "5.00"} | keys, SHOP)


def variant(**keys):
    return product(variations=[{"id": 2} | keys]).variants[0]


def test_a_product_is_read_whole():
    read = read_product(sample("product_created__simple-on-sale-v3"), SHOP)
    assert (read.id, read.parent_id, read.sku) == ("2010", None, "ZIEL-LIPA-100")
    assert (read.name, read.handle) == ("Herbata lipowa & miód 100 g", "herbata-lipowa-miod-100-g")
    assert read.url == "https://zielnik.example/produkt/herbata-lipowa-miod-100-g/"
    assert (read.type, read.vendor) == ("simple", "Łąka & Spółka")
    assert (read.categories, read.tags) == (("Herbaty & napary", "Nowości"), ("lipa",))
    assert [image.rpartition("/")[2] for image in read.images] == ["lipa.jpg", "lipa-tyl.jpg"]
    assert read.attributes == {"pochodzenie": "Podlasie, Warmia & Mazury"}
    assert (read.price, read.regular_price) == (Decimal("19.90"), Decimal("24.90"))
    assert (read.stock, read.available, read.published) == (40, True, True)
    assert read.created_at == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 5, 1, 5, 30, tzinfo=UTC)


def test_description_is_the_short_one_as_plain_text_else_the_long_one():
    body = sample("product_created__simple-on-sale-v3")
    assert read_product(body, SHOP).description == "Lipa i miód – 100 g."
    body["short_description"] = "<p> </p>"
    assert read_product(body, SHOP).description == "Napar z kwiatów lipy. 100 g bez cukru"


@pytest.mark.parametrize(
    ("word", "shared"), [("parent", True), (True, False), (False, False), (None, False), ("yes", False)]
)
def test_variation_says_that_its_parent_counts_its_stock(word, shared):
    read = product(type="variation", parent_id=9, manage_stock=word, stock_quantity=4)
    assert (read.shares_stock, read.stock) == (shared, None if word is False else 4)


@pytest.mark.parametrize(
    ("price", "regular", "read_as"),
    [
        ("19.90", "24.90", "24.90"),
        ("24.90", "24.90", None),
        ("24.90", "19.90", None),
        ("24.90", "", None),
        ("", "24.90", None),
        (Decimal("19.9"), 24, "24"),
    ],
)
def test_regular_price_is_told_only_above_the_price_whatever_on_sale_says(price, regular, read_as):
    for on_sale, sale_price in ((True, ""), (False, "1.00")):
        read = product(price=price, regular_price=regular, on_sale=on_sale, sale_price=sale_price)
        assert read.regular_price == (None if read_as is None else Decimal(read_as))


@pytest.mark.parametrize(
    ("given", "read_as"), [("", None), ("0", Decimal(0)), (12, Decimal(12)), ("5.5", Decimal("5.5"))]
)
def test_price_is_text_or_number_and_empty_when_unset(given, read_as):
    assert product(price=given).price == read_as


def test_an_unreadable_price_is_refused_with_its_name():
    with pytest.raises(PayloadInvalid, match=r"price: Not a readable amount\."):
        product(price="12,50")


def test_variable_product_has_the_price_of_its_cheapest_variation_and_no_regular_one():
    read = read_product(sample("product_updated__variable-v3"), SHOP)
    assert (read.type, read.price, read.regular_price) == ("variable", Decimal("15.00"), None)
    assert read.attributes["zapach"] == "Lawenda, Rumianek, Nagietek"


def test_variations_as_ids_alone_are_no_variants():
    assert read_product(sample("product_updated__variable-v3"), SHOP).variants == ()


@pytest.mark.parametrize("ids", [[10, 12], {"1": 10, "3": 12}, [], {}, None, ""])
def test_ids_of_variations_may_be_a_list_or_an_object_with_gaps(ids):
    assert product(variations=ids).variants == ()


def test_variation_arrives_as_a_product_that_names_its_parent():
    read = read_product(sample("product_updated__variation-v3"), SHOP)
    assert (read.id, read.parent_id, read.type) == ("2102", "2100", "variation")
    assert (read.name, read.attributes) == ("Mydło ziołowe - Rumianek", {"zapach": "Rumianek"})
    assert read.url == "https://zielnik.example/produkt/mydlo-ziolowe/?attribute_pa_zapach=rumianek"
    assert (read.categories, read.variants) == ((), ())


def test_stock_counted_by_the_parent_is_told_with_the_variation():
    assert read_product(sample("product_updated__variation-v3"), SHOP).stock == 25


def test_variations_as_objects_under_numbered_keys_are_variants():
    read = read_product(sample("product_updated__variations-with-gaps-v1"), SHOP)
    lavender, sage = read.variants
    assert (lavender.id, lavender.sku, lavender.title) == ("2201", "OLEJ-2201", "Lawenda")
    assert (lavender.price, lavender.regular_price) == (Decimal("22.00"), Decimal("28.00"))
    assert (lavender.stock, lavender.available, lavender.options) == (4, True, {"zapach": "Lawenda"})
    assert lavender.url.endswith("?attribute_pa_zapach=lawenda")
    assert lavender.image.endswith("olejek-2201.jpg")
    assert (sage.id, sage.regular_price, sage.stock, sage.available) == ("2203", None, 0, False)


def test_placeholder_of_old_versions_is_no_picture():
    read = read_product(sample("product_updated__variations-with-gaps-v1"), SHOP)
    assert (read.images, read.variants[1].image) == ((), None)


def test_picture_without_an_address_is_left_out():
    assert product(images=[{"id": 5, "src": ""}, {"id": 6, "src": "https://zielnik.example/6.jpg"}]).images == (
        "https://zielnik.example/6.jpg",
    )


def test_product_of_v1_is_dated_in_the_shops_wall_time():
    read = read_product(sample("product_updated__variations-with-gaps-v1"), SHOP)
    assert read.created_at == datetime(2026, 2, 1, 8, 12, tzinfo=UTC)
    assert read.updated_at == datetime(2026, 5, 2, 8, tzinfo=UTC)


def test_variation_hidden_in_its_product_is_not_available():
    assert variant(visible=False, in_stock=True).available is False
    assert variant(in_stock=True).available is True


def test_variation_is_titled_by_what_was_chosen():
    attributes = [{"name": "Kolor", "option": "Szary"}, {"name": "Rozmiar", "option": "XL"}]
    assert variant(attributes=attributes).title == "Szary / XL"
    assert variant(attributes=attributes).options == {"kolor": "Szary", "rozmiar": "XL"}
    assert variant().title is None


def test_variation_may_have_one_picture_instead_of_a_list():
    assert variant(image={"id": 7, "src": "https://zielnik.example/7.jpg"}).image == "https://zielnik.example/7.jpg"


def test_product_of_legacy_v3_is_read_under_its_other_names():
    body = {
        "title": "Maść &amp; olej",
        "id": 2500,
        "created_at": "2026-02-01T09:00:00Z",
        "updated_at": "2026-02-02T09:00:00Z",
        "type": "variable",
        "status": "publish",
        "permalink": "https://zielnik.example/produkt/masc/",
        "price": "9.00",
        "regular_price": None,
        "managing_stock": True,
        "stock_quantity": 3,
        "in_stock": True,
        "catalog_visibility": "visible",
        "categories": ["Maści", "Oleje &amp; maści"],
        "tags": [],
        "images": [
            {"id": 9, "created_at": "2026-02-01T09:00:00Z", "src": "https://zielnik.example/9.jpg", "title": ""}
        ],
        "attributes": [{"name": "Waga", "slug": "waga", "position": "0", "visible": True, "options": ["50 g", "99 g"]}],
        "variations": [{"id": 2501, "price": "9.00", "managing_stock": False, "stock_quantity": 0, "in_stock": False}],
    }
    read = read_product({"product": body}, SHOP)
    assert (read.id, read.name, read.price) == ("2500", "Maść & olej", Decimal("9.00"))
    assert (read.categories, read.attributes) == (("Maści", "Oleje & maści"), {"waga": "50 g, 99 g"})
    assert (read.images, read.stock, read.available) == (("https://zielnik.example/9.jpg",), 3, True)
    assert [(one.id, one.stock, one.available) for one in read.variants] == [("2501", None, False)]
    assert read.updated_at == datetime(2026, 2, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keys", "stock"),
    [
        ({"manage_stock": True, "stock_quantity": 7}, 7),
        ({"manage_stock": True, "stock_quantity": -2}, -2),
        ({"manage_stock": True, "stock_quantity": "7"}, 7),
        ({"manage_stock": True, "stock_quantity": "2.5"}, 2),
        ({"manage_stock": True, "stock_quantity": None}, None),
        ({"manage_stock": False, "stock_quantity": 7}, None),
        ({"manage_stock": "parent", "stock_quantity": 7}, 7),
        ({"stock_quantity": 7}, 7),
    ],
)
def test_stock_is_told_unless_the_shop_does_not_count(keys, stock):
    assert product(**keys).stock == stock


@pytest.mark.parametrize(
    ("keys", "available"),
    [
        ({"stock_status": "instock"}, True),
        ({"stock_status": "instock", "manage_stock": True, "stock_quantity": 0}, True),
        ({"stock_status": "onbackorder"}, True),
        ({"stock_status": "outofstock", "stock_quantity": 5}, False),
        ({"in_stock": True}, True),
        ({"in_stock": False}, False),
        ({"stock_status": "a-plugins-word", "manage_stock": True, "stock_quantity": 3}, True),
        ({"stock_status": "a-plugins-word", "manage_stock": True, "stock_quantity": 0}, False),
        ({"stock_status": "a-plugins-word", "manage_stock": True, "stock_quantity": -1, "backorders": "notify"}, True),
        ({"stock_status": "a-plugins-word", "manage_stock": True, "stock_quantity": 0, "backorders": "yes"}, True),
        ({"stock_status": "a-plugins-word", "manage_stock": True, "stock_quantity": 0, "backorders": "no"}, False),
        ({"stock_status": "a-plugins-word"}, None),
        ({}, None),
    ],
)
def test_availability_is_the_stock_word_else_the_old_flag_else_the_stock(keys, available):
    assert product(**keys).available is available


@pytest.mark.parametrize(
    ("keys", "published"),
    [
        ({}, True),
        ({"status": None}, True),
        ({"catalog_visibility": "visible"}, True),
        ({"catalog_visibility": "catalog"}, True),
        ({"catalog_visibility": "search"}, True),
        ({"catalog_visibility": "hidden"}, False),
        ({"status": "draft"}, False),
        ({"status": "pending"}, False),
        ({"status": "private"}, False),
        ({"status": "future"}, False),
        ({"status": "trash"}, False),
        ({"post_password": ""}, True),
        ({"post_password": "hush"}, False),
        ({"price": ""}, False),
        ({"price": "0"}, True),
        ({"type": "grouped"}, False),
        ({"type": "external", "external_url": "https://other.example/"}, True),
        ({"type": "subscription_variation"}, True),
    ],
)
def test_only_what_a_visitor_can_see_and_buy_is_published(keys, published):
    assert product(**keys).published is published


def test_draft_has_an_address_by_its_id_and_is_not_published():
    read = read_product(sample("product_created__draft-v3"), SHOP)
    assert (read.url, read.handle) == ("https://zielnik.example/?post_type=product&p=2400", None)
    assert (read.price, read.published) == (Decimal("35.00"), False)


def test_brand_is_cores_own_else_what_an_attribute_says():
    assert read_product(sample("product_updated__variable-v3"), SHOP).vendor == "Zielarnia"
    attributes = [{"name": "Manufacturer", "options": ["Fabryka"]}]
    assert product(brands=[{"name": "A"}, {"name": "B"}], attributes=attributes).vendor == "A"
    assert product(brands=[], attributes=attributes).vendor == "Fabryka"
    assert product(attributes=[*attributes, {"name": "Brands", "options": ["Marka"]}]).vendor == "Marka"
    assert product().vendor is None


@pytest.mark.parametrize("terms", [[TERM, {"name": ""}], {"4": TERM}, {"id": 9} | TERM, ["A &amp; B"]])
@pytest.mark.parametrize("key", ["categories", "tags"])
def test_terms_are_names_without_entities_in_any_kind_of_list(key, terms):
    assert getattr(product(**{key: terms}), key) == ("A & B",)


@pytest.mark.parametrize("nothing", [None, [], {}, "", False])
def test_lists_that_are_empty_in_any_spelling_are_empty(nothing):
    read = product(**dict.fromkeys(("categories", "tags", "brands", "images", "attributes", "variations"), nothing))
    assert (read.categories, read.tags, read.images, read.variants, read.attributes) == ((), (), (), (), {})
    assert read.vendor is None


@pytest.mark.parametrize("nothing", [None, [], {}, "", False])
def test_attribute_without_any_option_is_left_out(nothing):
    assert product(attributes=[{"name": "Rozmiar", "options": nothing}]).attributes == {}


@pytest.mark.parametrize(
    ("attribute", "read_as"),
    [
        ({"id": 1, "name": "Kolor &amp; wzór", "options": ["Biały", "Szary"]}, {"kolor & wzór": "Biały, Szary"}),
        ({"id": 0, "name": "Rozmiar", "option": "XL"}, {"rozmiar": "XL"}),
        ({"name": "", "options": ["x"]}, {}),
        ({"name": "Rozmiar", "options": {"1": "S", "3": "M"}}, {"rozmiar": "S, M"}),
    ],
)
def test_attributes_have_options_on_products_and_one_option_on_variations(attribute, read_as):
    assert product(attributes=[attribute]).attributes == read_as


@pytest.mark.parametrize(
    "keys", [{"purchasable": "1"}, {"sold_individually": 0}, {"images": [{"id": 5, "alt": False}]}]
)
def test_odd_types_of_keys_nobody_needs_are_no_hindrance(keys):
    assert product(**keys).id == "1"


def test_order_of_related_products_which_is_drawn_anew_each_time_makes_no_difference():
    assert product(related_ids=[1, 2], average_rating="4.5") == product(related_ids=[2, 1], average_rating="4.6")


def test_sku_may_be_empty_or_a_number():
    assert (product(sku="").sku, product(sku=17).sku) == (None, "17")
