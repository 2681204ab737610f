"""The built-in demo: its shops, its secrets, and what it tells a person to do next."""

from __future__ import annotations

import shlex
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from relay import jsontext
from relay.configuration import load_directory
from relay.demo import demo_accounts, document, next_steps
from relay.errors import ConfigurationError
from relay.platforms import Platform
from relay.settings import load_settings

PLATFORMS = {
    name: Platform(name=name, verify=lambda *_: None, identify=lambda *_: None, topics={}, purchase_when=when)
    for name, when in (("shopify", "placed"), ("woocommerce", "paid"))
}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return load_settings({"RELAY_SANDBOX_BIND": "127.0.0.1:9001"})


def test_the_demo_is_a_configuration_like_any_other(settings):
    directory = load_directory(settings, PLATFORMS)
    group = directory.groups["demo"]
    assert group.endpoint == group.catalog.endpoint == "http://127.0.0.1:9001"
    assert group.products == frozenset({"feed", "catalog"})
    assert {key: shop.location for key, shop in directory.shops.items()} == {
        "demo-shopify": "demo_shopify",
        "demo-woocommerce": "demo_woocommerce",
    }
    assert {shop.currency for shop in directory.shops.values()} == {"EUR", "PLN"}
    assert {shop.on_customer_delete for shop in directory.shops.values()} == {"delete"}
    assert {shop.cart_after for shop in directory.shops.values()} == {timedelta(0)}


def test_secrets_are_made_once_and_readable_by_the_owner_alone(settings):
    first = document(settings)
    assert document(settings) == first
    assert stat.S_IMODE((settings.data / "demo.json").stat().st_mode) == 0o600
    shops = first["shops"].values()
    assert len({secret for shop in shops for secret in shop["secrets"]}) == 2


def test_two_installations_have_different_secrets(settings, tmp_path):
    other = load_settings({"RELAY_DATA": str(tmp_path / "other")})
    assert demo_accounts(settings)[0].api_secret != demo_accounts(other)[0].api_secret


def test_processes_that_start_together_agree_on_the_secrets(settings):
    with ThreadPoolExecutor(8) as pool:
        documents = list(pool.map(lambda _: document(settings), range(32)))
    assert all(each == documents[0] for each in documents)
    assert [path.name for path in settings.data.iterdir()] == ["demo.json"]


def test_the_simulator_is_told_what_the_group_signs_with(settings):
    group = load_directory(settings, PLATFORMS).groups["demo"]
    (account,) = demo_accounts(settings)
    assert (account.client_id, account.owner, account.api_secret) == (group.client_id, group.owner, group.api_secret)
    assert account.v3_key == group.catalog.api_key
    assert account.api_secret not in repr(account)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"api_key": "x"}'])
def test_a_damaged_secrets_file_is_told_with_what_to_do(settings, content):
    settings.data.mkdir()
    (settings.data / "demo.json").write_text(content)
    with pytest.raises(ConfigurationError, match=r"demo\.json: is damaged; delete it"):
        document(settings)


def test_the_next_step_repeats_the_settings_it_needs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings(
        {
            "RELAY_DATA": str(tmp_path / "my data"),
            "RELAY_DATABASE_URL": "postgresql://relay:hush@db.example/relay",
            "HOME": "elsewhere",
        }
    )
    command = next_steps(settings)[-1]
    words = shlex.split(command)
    assert words[0] == f"RELAY_DATA={tmp_path / 'my data'}"
    assert words[-4:] == ["--app", "app", "samples", "send"]
    assert "hush" not in command
    assert "HOME" not in command


def test_with_a_configuration_the_next_step_is_to_look_at_deliveries(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relay.toml").write_text("")
    lines = next_steps(load_settings({"RELAY_BIND": "127.0.0.1:9000"}))
    assert "http://127.0.0.1:9000" in lines[0]
    assert lines[-1].endswith("deliveries list")


def test_the_secrets_file_holds_json_without_personal_data(settings):
    document(settings)
    known = jsontext.loads((settings.data / "demo.json").read_bytes())
    assert all(len(secret) >= 32 and "@" not in secret for secret in known.values())
