"""The hard cases of products, from the body a shop sends to what feed and catalogue hold.

Which items there are, and when they come and go, is the matter of ``tests/relay/translation/rules/test_products.py``.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest

from handlers.feed_xml import feed_xml
from tests.support import shopify, woocommerce
from tests.support.lives import after, woo_time
from tests.support.world import World

CUP = {"id": 1, "title": "Default Title", "option1": "Default Title", "sku": "CUP", "price": "20.00"}


def mug(minutes: float = 0, *variants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give a Shopify product as it was some minutes after START."""
    body = {
        "id": 700,
        "title": "Mug",
        "handle": "mug",
        "status": "active",
        "published_at": after(0).isoformat(),
        "updated_at": after(minutes).isoformat(),
        "variants": list(variants) or [CUP],
    }
    return body | changes


def tea(minutes: float = 0, **changes: Any) -> dict[str, Any]:
    """Give a WooCommerce product as it was some minutes after START."""
    body = {
        "id": 2010,
        "name": "Herbata",
        "type": "simple",
        "status": "publish",
        "catalog_visibility": "visible",
        "post_password": "",
        "price": "20.00",
        "date_modified_gmt": woo_time(after(minutes)),
    }
    return body | changes


def soap(minutes: float = 0, number: int = 2102, **changes: Any) -> dict[str, Any]:
    """Give a variation that arrives as a product; its parent is 2100."""
    own = {"id": number, "name": "Mydło - Rumianek", "type": "variation", "parent_id": 2100, "categories": []}
    return tea(minutes, **own | changes)


def soaps(minutes: float = 0, **changes: Any) -> dict[str, Any]:
    """Give the parent of the variations."""
    return tea(minutes, **{"id": 2100, "name": "Mydło", "type": "variable", "variations": [2102, 2103]} | changes)


def woo(*bodies: dict[str, Any], **settings: Any) -> World:
    world = World(woocommerce.a_shop(**settings))
    for body in bodies:
        world.deliver("product.updated", body)
    return world


def shop(*bodies: dict[str, Any], **settings: Any) -> World:
    world = World(shopify.a_shop(**settings))
    for body in bodies:
        world.deliver("products/update", body)
    return world


def feed(world: World) -> dict[str, dict[str, str | None]]:
    """Give the products of the feed by id, each as its elements."""
    xml = "".join(feed_xml([item for item in world.catalog.values() if item.active]))
    products = [{field.tag: field.text for field in product} for product in ElementTree.fromstring(xml)]
    return {str(product["id"]): product for product in products}


def both(world: World, product_id: str) -> tuple[Mapping[str, Any], Mapping[str, str | None]]:
    """Give a product as the catalogue has it and as the feed has it."""
    return world.products[product_id], feed(world)[product_id]


# Prices


@pytest.mark.parametrize(
    ("price", "compare_at", "expected"),
    [
        ("20.00", "25.00", ("25.00", "20.00")),
        ("20.00", None, ("20.00", None)),
        ("20.00", "", ("20.00", None)),
        ("20.00", "20.00", ("20.00", None)),
        ("20.00", "15.00", ("20.00", None)),
        ("0.00", None, ("0.00", None)),
        ("0.00", "25.00", ("25.00", "0.00")),
        ("1200", "1500", ("1500.00", "1200.00")),
        ("1.005", None, ("1.01", None)),
    ],
)
def test_compare_at_price_makes_a_sale_only_above_the_price(price, compare_at, expected):
    catalog, item = both(shop(mug(0, CUP | {"price": price, "compare_at_price": compare_at})), "700")
    assert (item["price"], item.get("special_price")) == expected
    assert tuple(None if amount is None else str(amount) for amount in _amounts(catalog)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": "20.00", "regular_price": "25.00", "sale_price": "20.00", "on_sale": True}, ("25.00", "20.00")),
        ({"price": "20.00", "regular_price": "20.00", "sale_price": ""}, ("20.00", None)),
        # The window has not opened yet, or is over: what is paid now counts, whatever else is entered.
        ({"price": "25.00", "regular_price": "25.00", "sale_price": "20.00", "on_sale": False}, ("25.00", None)),
        ({"price": "20.00", "regular_price": "", "on_sale": True}, ("20.00", None)),  # the cheapest variation's
        ({"price": 20, "regular_price": 25}, ("25.00", "20.00")),  # numbers, as some plugins send
        ({"price": "20.333", "regular_price": "20.336"}, ("20.34", "20.33")),
        ({"price": "0", "regular_price": "25.00"}, ("25.00", "0.00")),
    ],
)
def test_price_of_a_woocommerce_product_is_what_is_paid_now(changes, expected):
    _, item = both(woo(tea(0, **changes)), "2010")
    assert (item["price"], item.get("special_price")) == expected


def test_sale_that_is_over_is_over_in_the_catalogue_too():
    world = woo(tea(0, regular_price="25.00"), tea(5, price="25.00", regular_price="25.00"))
    catalog, item = both(world, "2010")
    assert "discountPrice" not in catalog
    assert "discountPrice" in catalog["setAsNull"]
    assert "special_price" not in item


def test_product_costs_what_its_cheapest_variant_costs_and_a_variant_what_it_costs_itself():
    variants = [CUP | {"id": 1, "price": "9.00"}, CUP | {"id": 2, "price": "7.00", "compare_at_price": "8.00"}]
    assert feed(shop(mug(0, *variants)))["700"]["price"] == "8.00"
    as_variants = feed(shop(mug(0, *variants), product_id="variant"))
    assert [as_variants[key]["price"] for key in ("1", "2")] == ["9.00", "8.00"]
    assert as_variants["2"]["special_price"] == "7.00"


def test_product_without_a_price_is_in_neither():
    for world in (shop(mug(0, CUP | {"price": None})), woo(tea(0, price=""))):
        assert (world.products, feed(world)) == ({}, {})


def _amounts(catalog: Mapping[str, Any]) -> tuple[Any, Any]:
    return catalog["price"], catalog.get("discountPrice")


# What is said of a product


def test_category_and_sub_category():
    shirts = {"full_name": "Apparel & Accessories > Clothing > Shirts", "name": "Shirts"}
    catalog, item = both(shop(mug(0, category=shirts)), "700")
    assert (item["category"], item["sub_category"]) == ("Apparel & Accessories", "Clothing")
    assert (catalog["mainCategory"], catalog["categories"]) == (
        "Apparel & Accessories",
        ["Apparel & Accessories", "Clothing"],
    )
    assert feed(shop(mug(0, product_type="Mugs")))["700"]["category"] == "Mugs"
    _, item = both(woo(tea(0, categories=[{"name": "Zioła &amp; napary"}, {"name": "Nowości"}])), "2010")
    assert (item["category"], item["sub_category"]) == ("Zioła & napary", "Nowości")


def test_product_without_a_category_has_one_where_the_catalogue_insists():
    catalog, item = both(woo(tea(0, categories=[])), "2010")
    assert (catalog["mainCategory"], "category" in item) == ("Uncategorized", False)


def test_images_first_of_the_variant_then_of_the_product():
    images = [{"id": 1, "src": "https://cdn.example/1.jpg"}, {"id": 2, "src": "https://cdn.example/2 b.jpg"}]
    blue = CUP | {"id": 5, "image_id": 2}
    item = feed(shop(mug(0, CUP, images=images)))["700"]
    assert (item["image_url"], item["image2_url"]) == ("https://cdn.example/1.jpg", "https://cdn.example/2%20b.jpg")
    item = feed(shop(mug(0, blue, images=images), product_id="variant"))["5"]
    assert (item["image_url"], item["image2_url"]) == ("https://cdn.example/2%20b.jpg", "https://cdn.example/1.jpg")
    placeholder = {"id": 0, "src": "https://shop.example/placeholder.png"}
    assert "image_url" not in feed(woo(tea(0, images=[placeholder])))["2010"]
    assert "image_url" not in feed(shop(mug(0, images=[], image=None)))["700"]


def test_image_of_a_variation_is_its_own_else_its_products():
    own = [{"id": 7, "src": "https://shop.example/own.jpg"}]
    whole = soaps(0, images=[{"id": 8, "src": "https://shop.example/whole.jpg"}])
    world = woo(whole, soap(1, images=own), soap(1, 2103, images=[]), product_id="variant")
    items = feed(world)
    assert [items[key]["image_url"] for key in ("2102", "2103")] == [own[0]["src"], "https://shop.example/whole.jpg"]


@pytest.mark.parametrize(
    ("keys", "brand"),
    [
        ({"brands": [{"name": "Łąka &amp; Spółka"}]}, "Łąka & Spółka"),
        ({"attributes": [{"name": "Brand", "options": ["Zielnik"]}]}, "Zielnik"),
        ({"attributes": [{"name": "Manufacturer", "options": ["Zielnik"]}]}, "Zielnik"),
        ({"brands": [{"name": "A"}], "attributes": [{"name": "Brand", "options": ["B"]}]}, "A"),
        ({"brands": []}, None),
    ],
)
def test_brand_is_the_shops_own_else_an_attribute(keys, brand):
    catalog, item = both(woo(tea(0, **keys)), "2010")
    assert (item.get("brand"), catalog.get("systemDetails", {}).get("brand")) == (brand, brand)


def test_vendor_is_the_brand():
    assert feed(shop(mug(0, vendor="Nordljus")))["700"]["brand"] == "Nordljus"


def test_colour_season_and_sex_come_from_options_of_the_variant():
    options = [{"name": "Colour", "values": ["Red", "Blue"]}, {"name": "Season", "values": ["Summer", "Winter"]}]
    options.append({"name": "Gender", "values": ["Women", "Men"]})
    red = CUP | {"id": 1, "title": "Red / Summer / Women", "option1": "Red", "option2": "Summer", "option3": "Women"}
    blue = CUP | {"id": 2, "title": "Blue / Winter / Men", "option1": "Blue", "option2": "Winter", "option3": "Men"}
    items = feed(shop(mug(0, red, blue, options=options), product_id="variant"))
    assert [(items[key]["color"], items[key]["season"], items[key]["sex"]) for key in ("1", "2")] == [
        ("Red", "Summer", "0"),
        ("Blue", "Winter", "1"),
    ]
    whole = feed(shop(mug(0, red, blue, options=options)))["700"]
    assert (whole["color"], whole["season"], "sex" in whole) == ("Red, Blue", "Summer, Winter", False)


def test_colour_season_and_sex_come_from_attributes_of_a_variation_else_of_its_product():
    whole = soaps(
        0,
        attributes=[
            {"name": "Kolor", "options": ["Zielony", "Biały"]},
            {"name": "Sezon", "options": ["Lato"]},
            {"name": "Płeć", "options": ["Unisex"]},
        ],
    )
    world = woo(whole, soap(1, attributes=[{"name": "Kolor", "option": "Biały"}]), product_id="variant")
    item = feed(world)["2102"]
    assert (item["color"], item["season"], item["sex"]) == ("Biały", "Lato", "4")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Cool &amp; light.</p><ul><li>one<li>two</ul>", "Cool & light. one two"),
        ("<style>p{}</style><script>x()</script>Only this", "Only this"),
        ("5 &lt; 6 &#8211; really", "5 < 6 – really"),
        ("<p>&nbsp;</p>", None),
        ("", None),
        (None, None),
    ],
)
def test_description_is_plain_text(markup, text):
    for catalog, item in (
        both(shop(mug(0, body_html=markup)), "700"),
        both(woo(tea(0, description=markup, short_description="")), "2010"),
    ):
        assert (catalog.get("description"), item.get("description")) == (text, text)


def test_description_and_brand_of_a_variation_come_from_its_product_whichever_arrives_first():
    whole = soaps(
        0, description="<b>Ręcznie</b> robione", brands=[{"name": "Zielnik"}], categories=[{"name": "Kąpiel"}]
    )
    for bodies in itertools.permutations([whole, soap(1)]):
        item = feed(woo(*bodies, product_id="variant"))["2102"]
        assert (item["description"], item["brand"], item["category"]) == ("Ręcznie robione", "Zielnik", "Kąpiel")


# Stock


@pytest.mark.parametrize(
    ("changes", "stock", "available"),
    [
        ({"manage_stock": True, "stock_quantity": 4, "stock_status": "instock"}, "4", True),
        ({"manage_stock": True, "stock_quantity": 0, "stock_status": "outofstock"}, "0", False),
        ({"manage_stock": True, "stock_quantity": -3, "stock_status": "onbackorder", "backorders": "yes"}, "0", True),
        ({"manage_stock": True, "stock_quantity": "2.5", "stock_status": "instock"}, "2", True),
        ({"manage_stock": False, "stock_quantity": None, "stock_status": "instock"}, None, True),
        ({"manage_stock": False, "stock_quantity": 9, "stock_status": "outofstock"}, None, False),
        ({"manage_stock": True, "stock_quantity": 3, "stock_status": "a-plugins-word"}, "3", True),
        ({"manage_stock": True, "stock_quantity": -1, "stock_status": "", "backorders": "notify"}, "0", True),
        ({"manage_stock": True, "stock_quantity": 7, "in_stock": False}, "7", False),  # v1 and v2
    ],
)
def test_stock_of_a_woocommerce_product(changes, stock, available):
    catalog, item = both(woo(tea(0, **changes)), "2010")
    assert item.get("stock_available") == stock
    assert (catalog.get("quantity"), catalog["available"]) == (None if stock is None else int(stock), available)


@pytest.mark.parametrize(
    ("changes", "stock", "available"),
    [
        ({"inventory_quantity": 4}, "4", True),
        ({"inventory_quantity": 0, "inventory_policy": "deny"}, "0", False),
        ({"inventory_quantity": -2, "inventory_policy": "continue"}, "0", True),
        ({"inventory_quantity": -2, "inventory_management": None}, None, True),  # not counted, before 2024-07
        ({}, None, True),
    ],
)
def test_stock_of_a_shopify_variant(changes, stock, available):
    catalog, item = both(shop(mug(0, CUP | changes), product_id="variant"), "1")
    assert (item.get("stock_available"), catalog["available"]) == (stock, available)


def test_stock_that_is_counted_with_the_parent_is_the_parents_also_when_only_that_is_told():
    counted = {"manage_stock": True, "stock_status": "instock"}
    variation = soap(1, manage_stock="parent", stock_quantity=5, stock_status="instock")
    life = [soaps(0, stock_quantity=5, **counted), variation, soaps(5, stock_quantity=3, **counted)]
    for bodies in itertools.permutations(life):
        catalog, item = both(woo(*bodies, product_id="variant"), "2102")
        assert (item["stock_available"], catalog["available"]) == ("3", True)
    sold_out = woo(
        *life, soaps(9, manage_stock=True, stock_quantity=0, stock_status="outofstock"), product_id="variant"
    )
    catalog, item = both(sold_out, "2102")
    assert (item["stock_available"], catalog["available"]) == ("0", False)


def test_stock_of_a_variation_whose_parent_was_never_told_is_its_own():
    _, item = both(
        woo(soap(1, manage_stock="parent", stock_quantity=5, stock_status="instock"), product_id="variant"), "2102"
    )
    assert item["stock_available"] == "5"


# For sale or not


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "draft"},
        {"status": "archived"},
        {"status": "unlisted"},
        {"published_at": None},
    ],
)
def test_shopify_product_that_the_store_does_not_show_leaves_both(changes):
    world = shop(mug(0), mug(5, **changes))
    assert feed(world) == {}
    assert (world.products["700"]["active"], world.products["700"]["available"]) == (False, False)
    world.deliver("products/update", mug(9))
    assert (list(feed(world)), world.products["700"]["active"]) == (["700"], True)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "draft"},
        {"status": "private"},
        {"status": "pending"},
        {"status": "future"},
        {"status": "trash"},
        {"catalog_visibility": "hidden"},
        {"post_password": "open sesame"},
        {"type": "grouped", "price": ""},
        {"price": ""},
    ],
)
def test_woocommerce_product_that_nobody_can_buy_leaves_both(changes):
    world = woo(tea(0), tea(5, **changes))
    assert feed(world) == {}
    assert (world.products["2010"]["active"], world.products["2010"]["available"]) == (False, False)
    world.deliver("product.updated", tea(9))
    assert (list(feed(world)), world.products["2010"]["active"]) == (["2010"], True)


@pytest.mark.parametrize("visibility", ["visible", "catalog", "search"])
def test_product_that_can_be_found_somehow_is_for_sale(visibility):
    assert list(feed(woo(tea(0, catalog_visibility=visibility)))) == ["2010"]


def test_deleted_product_leaves_the_feed_and_is_inactive_in_the_catalogue():
    for world, topic, number in ((shop(mug(0)), "products/delete", 700), (woo(tea(0)), "product.deleted", 2010)):
        world.deliver(topic, {"id": number}, after(5))
        assert feed(world) == {}
        assert world.products[str(number)]["active"] is False


def test_page_that_is_deleted_is_no_product():
    """Trashing any WordPress page sends product.deleted with the page's id."""
    world = woo(tea(0))
    assert world.deliver("product.deleted", {"id": 99}, after(5)).reason == "unknown-product"
    assert list(feed(world)) == ["2010"]


# More than a hundred variants: the others are only named, and which is which changes


def many(minutes: float, described: range, *, of: int, **changes: Any) -> dict[str, Any]:
    """Give a product of ``of`` variants, of which some are described and all are named."""
    variants = [
        CUP | {"id": number, "title": f"No. {number}", "sku": f"CUP-{number}"} | changes for number in described
    ]
    gids = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{number}"} for number in range(1, of + 1)]
    return mug(minutes, *variants, variant_gids=gids)


@pytest.mark.parametrize(("mode", "prefix"), [("variant", ""), ("sku", "CUP-")])
def test_variants_that_are_only_named_stay_for_sale(mode, prefix):
    life = [many(0, range(1, 101), of=100), many(5, range(51, 151), of=150)]
    for bodies in itertools.permutations(life):
        world = shop(*bodies, product_id=mode)
        assert set(feed(world)) == {f"{prefix}{number}" for number in range(1, 151)}
        assert all(product["active"] for product in world.products.values())


def test_variant_that_is_not_even_named_is_gone():
    life = [many(0, range(1, 101), of=120), many(5, range(21, 121), of=120), many(9, range(41, 121), of=120)]
    life[2]["variant_gids"] = [
        each for each in life[2]["variant_gids"] if not each["admin_graphql_api_id"].endswith("/7")
    ]
    for bodies in itertools.permutations(life):
        world = shop(*bodies, product_id="variant")
        assert set(feed(world)) == {str(number) for number in range(1, 121)} - {"7"}
        assert world.products.get("7", {"active": False})["active"] is False


def test_variant_is_as_the_newest_body_that_describes_it_says():
    life = [
        many(0, range(1, 101), of=150),
        many(5, range(1, 101), of=150, price="30.00"),
        many(9, range(51, 151), of=150),
    ]
    for bodies in itertools.permutations(life):
        items = feed(shop(*bodies, product_id="variant"))
        assert [items[key]["price"] for key in ("1", "100", "150")] == ["30.00", "20.00", "20.00"]


def test_count_of_a_named_variant_is_compared_with_the_body_that_described_it():
    counts = {"inventory_quantity": 9, "inventory_policy": "deny"}
    life: list[tuple[str, dict[str, Any]]] = [
        ("products/update", many(0, range(1, 101), of=150, inventory_item_id=77, **counts)),
        (
            "inventory_levels/update",
            {"inventory_item_id": 77, "location_id": 1, "available": 4, "updated_at": after(5).isoformat()},
        ),
        ("products/update", many(9, range(51, 151), of=150, inventory_item_id=78, **counts)),
    ]
    for deliveries in itertools.permutations(life):
        world = World(shopify.a_shop(product_id="variant"))
        for topic, body in deliveries:
            world.deliver(topic, body, after(10))
        items = feed(world)
        assert [items[key]["stock_available"] for key in ("1", "51", "150")] == ["4", "9", "9"]


def test_older_bodies_name_variants_by_bare_ids():
    body = many(5, range(51, 151), of=150)
    body["variant_ids"] = [{"id": number} for number in range(1, 151)]
    del body["variant_gids"]
    assert set(feed(shop(many(0, range(1, 101), of=100), body, product_id="variant"))) == set(map(str, range(1, 151)))


def test_deleted_product_takes_its_named_variants_along():
    world = shop(many(0, range(1, 101), of=100), many(5, range(51, 151), of=150), product_id="variant")
    world.deliver("products/delete", {"id": 700}, after(9))
    assert (feed(world), {product["active"] for product in world.products.values()}) == ({}, {False})
