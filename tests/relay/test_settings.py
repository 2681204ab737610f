"""Settings: every RELAY_* variable described, read, checked and shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from relay.errors import ConfigurationError
from relay.settings import HOME, SETTINGS, Settings, load_settings, view


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faults_of(environ):
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ)
    return {fault.where: fault.problem for fault in caught.value.faults}


def test_every_setting_is_described_and_has_a_field():
    described = {setting.field for setting in SETTINGS}
    assert described == {each.name for each in dataclasses.fields(Settings)} - {"environment"}
    for setting in SETTINGS:
        assert setting.description.endswith("."), setting.name
        assert setting.default, setting.name
        assert setting.section, setting.name


def test_without_variables_and_file_the_demo_runs_with_defaults(tmp_path):
    settings = load_settings({})
    assert settings.demo
    assert str(settings.bind) == "127.0.0.1:8000"
    assert settings.data == tmp_path / "var"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/relay.sqlite3"
    assert settings.mappings == HOME / "mappings"
    assert settings.max_body_bytes == 5 * 1024 * 1024
    assert settings.worker is True
    assert settings.test_orders is False
    assert settings.trusted_proxies == 0


def test_values_come_from_the_environment():
    settings = load_settings(
        {
            "RELAY_BIND": "[::1]:9000",
            "RELAY_DATA": "elsewhere",
            "RELAY_WORKER": "off",
            "RELAY_API_WAIT_S": "0.5",
            "RELAY_LOG_LEVEL": "DEBUG",
        }
    )
    assert settings.bind.host == "::1"
    assert settings.bind.url == "http://[::1]:9000"
    assert settings.data == Path.cwd() / "elsewhere"
    assert settings.database_url.endswith("elsewhere/relay.sqlite3")
    assert settings.worker is False
    assert settings.api_wait_s == 0.5
    assert settings.log_level == "debug"


def test_an_empty_variable_counts_as_not_set():
    assert load_settings({"RELAY_BIND": "", "RELAY_CONFIG": ""}).bind.port == 8000


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_urls_name_the_driver_that_ships(scheme):
    settings = load_settings({"RELAY_DATABASE_URL": f"{scheme}://relay:pw@db.example/relay"})
    assert settings.database_url == "postgresql+psycopg://relay:pw@db.example/relay"


@pytest.mark.parametrize("url", ["mysql://db.example/relay", "sqlite://", "sqlite:///", "postgresql://db.example", "x"])
def test_other_database_urls_are_refused_without_repeating_them(url):
    problem = faults_of({"RELAY_DATABASE_URL": url})["RELAY_DATABASE_URL"]
    assert "sqlite:///" in problem
    assert "db.example" not in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("RELAY_BIND", "8000"),
        ("RELAY_BIND", "127.0.0.1:0"),
        ("RELAY_BIND", "127.0.0.1:65536"),
        ("RELAY_WORKER", "yes"),
        ("RELAY_MAX_BODY_BYTES", "5MB"),
        ("RELAY_MAX_BODY_BYTES", "3"),
        ("RELAY_API_WAIT_S", "-1"),
        ("RELAY_API_WAIT_S", "nan"),
        ("RELAY_WEB_THREADS", "0"),
        ("RELAY_LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_does_not_fit_is_a_fault_that_says_what_would(name, text):
    assert "it must be" in faults_of({name: text})[name]


def test_all_faults_are_told_at_once():
    faults = faults_of({"RELAY_WORKER": "maybe", "RELAY_METRICS": "maybe", "RELAY_WORKERS": "on"})
    assert set(faults) == {"RELAY_WORKER", "RELAY_METRICS", "RELAY_WORKERS"}


def test_a_misspelt_name_is_a_fault_with_the_nearest_one():
    assert 'did you mean "RELAY_WORKER"?' in faults_of({"RELAY_WORKR": "off"})["RELAY_WORKR"]


def test_a_variable_the_configuration_file_refers_to_is_no_misspelt_setting(tmp_path):
    (tmp_path / "relay.toml").write_text('api_keys = ["{{ env.RELAY_API_KEY }}"]')
    assert load_settings({"RELAY_API_KEY": "k"}).config == tmp_path / "relay.toml"
    assert "RELAY_OTHER_KEY" in faults_of({"RELAY_OTHER_KEY": "k"})


def test_what_kubernetes_tells_about_a_service_named_relay_is_left_alone():
    links = {
        "RELAY_SERVICE_HOST": "10.0.0.1",
        "RELAY_SERVICE_PORT_HTTP": "8000",
        "RELAY_PORT": "tcp://10.0.0.1:8000",
        "RELAY_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert load_settings(links).bind.port == 8000
    assert "RELAY_PORT" in faults_of({"RELAY_PORT": "9000"})


def test_a_configuration_file_that_is_named_and_missing_is_a_fault():
    assert "there is no file" in faults_of({"RELAY_CONFIG": "nowhere.toml"})["RELAY_CONFIG"]


def test_the_demo_refuses_to_listen_to_the_network(tmp_path):
    faults = faults_of({"RELAY_BIND": "0.0.0.0:8000", "RELAY_SANDBOX_BIND": "10.1.2.3:8001"})
    assert set(faults) == {"RELAY_BIND", "RELAY_SANDBOX_BIND"}
    assert "RELAY_CONFIG" in faults["RELAY_BIND"]
    (tmp_path / "relay.toml").write_text("")
    assert not load_settings({"RELAY_BIND": "0.0.0.0:8000"}).demo


def test_a_lease_shorter_than_a_call_is_a_fault():
    assert "RELAY_SEND_TIMEOUT_S" in faults_of({"RELAY_LEASE_S": "39"})["RELAY_LEASE_S"]
    assert load_settings({"RELAY_LEASE_S": "39", "RELAY_SEND_TIMEOUT_S": "29"}).lease_s == 39


def test_the_view_tells_value_and_source_and_hides_passwords():
    settings = load_settings(
        {"RELAY_DATABASE_URL": "postgresql://relay:p/a@ss@db.example/relay?sslpassword=alsosecret&sslmode=require"}
    )
    shown = {each.setting.name: (each.value, each.source) for each in view(settings)}
    assert shown["RELAY_DATABASE_URL"][0].startswith("postgresql+psycopg://relay:***")
    assert "ss@" not in shown["RELAY_DATABASE_URL"][0]
    assert "alsosecret" not in shown["RELAY_DATABASE_URL"][0]
    assert shown["RELAY_DATABASE_URL"][1] == "environment"
    assert shown["RELAY_WORKER"] == ("on", "default")
    assert shown["RELAY_API_WAIT_S"] == ("5", "default")
    assert shown["RELAY_CONFIG"] == ("built-in demo", "default")
    assert len(shown) == len(SETTINGS)


def test_secrets_of_the_environment_stay_out_of_the_representation():
    assert "hush" not in repr(load_settings({"ACME_SECRET": "hush"}))


def test_a_database_password_stays_out_of_the_representation():
    assert "hush" not in repr(load_settings({"RELAY_DATABASE_URL": "postgresql://relay:hush@db.example/relay"}))
