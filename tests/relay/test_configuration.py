"""The configuration file: what it may hold, and every way in which it may be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from relay.commerce import OrderStatus
from relay.configuration import load_directory
from relay.errors import ConfigurationError
from relay.platforms import Platform
from relay.settings import HOME, load_settings


def _platform(name, purchase_when, *statuses):
    return Platform(
        name=name,
        verify=lambda body, headers, secrets: None,
        identify=lambda body, headers, shop: None,
        topics={},
        statuses=dict.fromkeys(statuses, OrderStatus.PAID),
        purchase_when=purchase_when,
    )


PLATFORMS = {
    "shopify": _platform("shopify", "placed"),
    "woocommerce": _platform("woocommerce", "paid", "completed", "processing"),
}

GROUP = """
[groups.main]
endpoint   = "https://app2.salesmanago.example"
client_id  = "client"
api_key    = "key"
api_secret = "{{ env.SM_SECRET }}"
owner      = "owner@example.com"
location   = "acme_shop"
mapping    = "acme"
currency   = "EUR"
"""
SHOP = """
[shops.acme]
platform = "shopify"
group    = "main"
secrets  = ["s3cret"]
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load(text, **environment):
        path = tmp_path / "relay.toml"
        path.write_text(text, encoding="utf-8")
        environ = {"RELAY_CONFIG": str(path), "SM_SECRET": "hush"} | environment
        return load_directory(load_settings(environ), PLATFORMS)

    return load


@pytest.fixture
def faults_of(load):
    def faults_of(text, **environment):
        with pytest.raises(ConfigurationError) as caught:
            load(text, **environment)
        return {fault.where: fault.problem for fault in caught.value.faults}

    return faults_of


def test_a_small_configuration_takes_its_defaults_from_group_and_platform(load):
    directory = load(GROUP + SHOP)
    group, shop = directory.groups["main"], directory.shops["acme"]
    assert group.api_secret == "hush"
    assert (group.products, group.catalog, group.requests_per_minute) == (frozenset(), None, None)
    assert directory.group_of(shop) is group
    assert (shop.location, shop.mapping, shop.purchase_when) == ("acme_shop", "acme", "placed")
    assert (shop.product_id, shop.on_customer_delete, shop.on_shop_redact) == ("product", "ignore", "keep")
    assert (shop.cart_after, shop.timezone) == (timedelta(minutes=30), ZoneInfo("UTC"))


def test_purchase_when_defaults_to_the_platforms_own(load):
    assert load(GROUP + SHOP.replace("shopify", "woocommerce")).shops["acme"].purchase_when == "paid"


def test_every_shop_key_is_read(load):
    shop = load(
        GROUP
        + """
[shops.acme]
platform = "woocommerce"
group    = "main"
domain   = ["A.example", "b.example"]
url      = "https://acme.example/"
currency = "PLN"
timezone = "Europe/Warsaw"
secrets  = ["{{ env.NEW }}", "{{ env.OLD | optional }}"]
location = "acme_two"
mapping  = "own"
purchase_when = "placed"
product_id    = "variant"
statuses      = { "shipped" = "completed" }
cart_after    = "2h"
on_customer_delete = "opt_out"
on_shop_redact     = "delete"
ignore_orders_before = 2026-01-01T01:00:00+01:00
dry_run       = true
""",
        NEW="n",
    ).shops["acme"]
    assert shop.domains == ("a.example", "b.example")
    assert shop.url == "https://acme.example"
    assert shop.secrets == ("n",)
    assert (shop.location, shop.mapping, shop.currency) == ("acme_two", "own", "PLN")
    assert (shop.purchase_when, shop.product_id) == ("placed", "variant")
    assert shop.statuses == {"shipped": "completed"}
    assert shop.cart_after == timedelta(hours=2)
    assert (shop.on_customer_delete, shop.on_shop_redact, shop.dry_run) == ("opt_out", "delete", True)
    assert shop.ignore_orders_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert shop.timezone == ZoneInfo("Europe/Warsaw")


def test_one_domain_may_stand_alone(load):
    assert load(GROUP + SHOP + 'domain = "acme.example"').shops["acme"].domains == ("acme.example",)


def test_the_catalogue_is_read(load):
    extra = 'products = ["catalog"]\ncatalog = { endpoint = "https://api.example", api_key = "v3" }\n'
    group = load(GROUP + extra).groups["main"]
    assert group.products == frozenset({"catalog"})
    assert (group.catalog.endpoint, group.catalog.api_key, group.catalog.id) == ("https://api.example", "v3", None)


def test_secrets_stay_out_of_the_representation(load):
    shown = repr(load(GROUP + SHOP))
    assert "hush" not in shown
    assert "s3cret" not in shown


def test_all_faults_are_told_at_once(faults_of):
    faults = faults_of(
        GROUP.replace('"client"', '"{{ env.SM_CLIENT }}"').replace("currency", "curency")
        + SHOP.replace("shopify", "magento").replace('"main"', '"mian"')
        + 'timezone = "Mars/Olympus"\n[shop.acme]\n',
    )
    assert set(faults) == {
        "shop",
        "groups.main.client_id",
        "groups.main.curency",
        "shops.acme.timezone",
        "shops.acme.platform",
        "shops.acme.group",
    }
    assert 'did you mean "shops"?' in faults["shop"]
    assert 'did you mean "currency"?' in faults["groups.main.curency"]
    assert "SM_CLIENT is not set" in faults["groups.main.client_id"]


def test_unknown_platform_and_group_list_those_there_are(faults_of):
    faults = faults_of(GROUP + SHOP.replace("shopify", "magento").replace('"main"', '"mian"'))
    assert "there are: shopify, woocommerce" in faults["shops.acme.platform"]
    assert "there are: main" in faults["shops.acme.group"]


def test_a_group_with_a_fault_is_not_reported_missing_by_its_shops(faults_of):
    assert set(faults_of(GROUP + 'requests_per_minute = "x"\n' + SHOP)) == {"groups.main.requests_per_minute"}


def test_a_missing_variable_is_told_once(faults_of):
    assert set(faults_of(GROUP + SHOP.replace('"s3cret"', '"{{ env.A }}"'))) == {"shops.acme.secrets[0]"}
    assert set(faults_of(GROUP + SHOP, SM_SECRET="")) == {"groups.main.api_secret"}


@pytest.mark.parametrize("secrets", ['[""]', "[]", '["{{ env.OLD | optional }}"]'])
def test_a_shop_without_a_secret_is_refused(faults_of, secrets):
    (where,) = faults_of(GROUP + SHOP.replace('["s3cret"]', secrets))
    assert where.startswith("shops.acme.secrets")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('cart_after = "soon"', "duration"),
        ("cart_after = 30", "duration"),
        ('timezone = "Warsaw"', "time zone"),
        ('timezone = "../etc/passwd"', "time zone"),
        ('currency = "euro"', "ISO 4217"),
        ('url = "acme.example"', "URL"),
        ('url = "ftp://acme.example"', "https://"),
        ('location = "a-b"', "3 to 36"),
        ('location = "1abc"', "3 to 36"),
        ('location = "ab"', "3 to 36"),
        ('mapping = "../x"', "mappings folder"),
        ('purchase_when = "shipped"', "placed, paid"),
        ('product_id = "ean"', "product, variant, sku"),
        ('on_customer_delete = "drop"', "ignore, opt_out, delete"),
        ("ignore_orders_before = 2026-01-01", "with a zone"),
        ("ignore_orders_before = 2026-01-01T00:00:00", "with a zone"),
        ("domain = 5", "list of texts"),
        ('dry_run = "perhaps"', "boolean"),
    ],
)
def test_a_shop_value_that_does_not_fit_says_what_would(faults_of, line, word):
    assert word in faults_of(GROUP + SHOP + line)[f"shops.acme.{line.split(' ')[0]}"]


@pytest.mark.parametrize("duration", [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), ("0s", 0)])
def test_durations_are_a_number_and_a_unit(load, duration):
    text, seconds = duration
    assert load(GROUP + SHOP + f'cart_after = "{text}"').shops["acme"].cart_after.total_seconds() == seconds


def test_a_status_must_amount_to_a_word_of_the_platform(faults_of):
    faults = faults_of(GROUP + SHOP.replace("shopify", "woocommerce") + 'statuses = { "shipped" = "complete" }')
    assert "there are: completed, processing" in faults["shops.acme.statuses.shipped"]


@pytest.mark.parametrize("key", ["Acme", "-acme", "a.b", "a b"])
def test_keys_that_do_not_fit_a_url_are_refused(faults_of, key):
    assert "lower-case letters" in faults_of(GROUP + SHOP.replace("acme", f'"{key}"'))[f"shops.{key}"]


@pytest.mark.parametrize(
    ("endpoint", "fine"),
    [
        ("https://app.example", True),
        ("http://127.0.0.1:8001", True),
        ("http://localhost:8001/", True),
        ("http://[::1]:8001", True),
        ("http://app.example", False),
        ("http://127.0.0.1.example", False),
        ("https://app.example/api", False),
        ("app.example", False),
    ],
)
def test_an_endpoint_off_this_machine_must_be_https(load, faults_of, endpoint, fine):
    text = GROUP.replace("https://app2.salesmanago.example", endpoint)
    if fine:
        assert load(text).groups["main"].endpoint == endpoint.rstrip("/")
    else:
        assert set(faults_of(text)) == {"groups.main.endpoint"}


def test_an_api_key_opens_one_group_and_stays_out_of_the_fault(faults_of):
    key = "k" * 16
    second = GROUP.replace("groups.main", "groups.second")
    text = f'{GROUP}api_keys = ["{key}"]\n{second}api_keys = ["{key}"]\n'
    faults = faults_of(text)
    assert "groups.main" in faults["groups.second.api_keys"]
    assert key not in str(faults)


def test_a_short_api_key_is_refused_without_repeating_it(faults_of):
    faults = faults_of(GROUP + 'api_keys = ["tooshort"]')
    assert faults == {"groups.main.api_keys[0]": "must have at least 16 characters"}


def test_products_need_what_they_are_published_with(faults_of):
    assert set(faults_of(GROUP + 'products = ["feed", "catalog"]')) == {
        "groups.main.catalog",
        "groups.main.feed_token",
    }


def test_unknown_keys_of_the_catalogue_are_told(faults_of):
    faults = faults_of(GROUP + 'catalog = { endpoint = "https://api.example", apikey = "v3" }')
    assert faults["groups.main.catalog.api_key"] == "is missing"
    assert 'did you mean "api_key"?' in faults["groups.main.catalog.apikey"]


FEED = GROUP + 'products = ["feed"]\nfeed_token = "0123456789abcdef"\n'
SECOND = SHOP.replace("acme", "second")


def test_two_shops_of_one_e_shop_must_not_publish_ids_that_can_meet(faults_of, load):
    assert "acme, second" in faults_of(FEED + SHOP + SECOND)["shops.second.location"]
    assert "shops.second.location" in faults_of(FEED + SHOP + 'product_id = "sku"' + SECOND)
    sku = 'product_id = "sku"\n'
    assert len(load(FEED + SHOP + sku + SECOND + sku).shops) == 2
    assert len(load(FEED + SHOP + SECOND + 'location = "second_shop"').shops) == 2
    assert len(load(GROUP + SHOP + SECOND).shops) == 2


@pytest.mark.parametrize("text", ["", "[shops]", "groups = 5", "[groups.main]\nx = ", "\x00"])
def test_a_file_without_groups_or_without_sense_is_refused(faults_of, text):
    assert faults_of(text)


def test_shops_that_are_no_tables_are_refused(faults_of):
    assert faults_of("shops = 5\n" + GROUP) == {"shops": "must be a table"}
    assert faults_of("shops = { acme = 5 }\n" + GROUP) == {"shops.acme": "must be a table"}


def test_the_example_is_a_configuration_that_works(load):
    names = ("SM_CLIENT_ID", "SM_API_KEY", "SM_V3_KEY", "ACME_SECRET", "ACME_WOO_SECRET")
    secrets = dict.fromkeys((*names, "SM_API_SECRET"), "secret")
    keys = {"RELAY_API_KEY": "0123456789abcdef", "FEED_TOKEN": "fedcba9876543210"}
    directory = load((HOME / "relay.example.toml").read_text(encoding="utf-8"), **secrets, **keys)
    assert set(directory.shops) == {"acme", "acme-woo"}
    assert directory.groups["main"].products == frozenset({"feed", "catalog"})
