"""How every command tells that something is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.errors import ConfigurationError, Fault, StoreUnavailable
from relay.store import Store
from tests.support.cli import a_cli

FAULTS = ConfigurationError(
    [Fault("shops.acme.group", "is missing"), Fault("mappings/acme.toml:3 contact.name", "bad")]
)
NEEDING_ALL = [
    ("prepare",),
    ("worker",),
    ("deliveries", "list"),
    ("deliveries", "show", "1"),
    ("deliveries", "replay", "1"),
    ("commands", "list"),
    ("commands", "show", "1"),
    ("commands", "requeue", "1"),
    ("commands", "drop", "1"),
    ("dead",),
    ("dead", "list"),
    ("groups", "list"),
    ("groups", "resume", "main"),
    ("mappings", "explain", "acme", "x"),
    ("samples", "send", "acme"),
]


@pytest.mark.parametrize("words", NEEDING_ALL)
def test_faults_of_the_configuration_are_all_listed(cli, words):
    cli.joint.error = FAULTS
    assert cli.error(*words) == (
        "This has to be mended first:\n  shops.acme.group: is missing\n  mappings/acme.toml:3 contact.name: bad"
    )


@pytest.mark.parametrize("words", [*NEEDING_ALL, ("settings",), ("sandbox",)])
def test_faults_of_the_settings_are_listed(cli, words):
    cli.joint.settings_error = ConfigurationError([Fault("RELAY_BIND", '"x" is no address')])
    assert '\n  RELAY_BIND: "x" is no address' in cli.error(*words)


@pytest.mark.parametrize("words", [("deliveries", "list"), ("dead",), ("worker",), ("samples", "send", "acme")])
def test_store_that_was_never_prepared_is_told_with_the_way_out(tmp_path, clock, words):
    with a_cli(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path, clock) as cli:
        assert "run `flask --app app prepare`" in cli.error(*words)


@pytest.mark.parametrize("words", [("deliveries", "list"), ("commands", "requeue", "1"), ("prepare",)])
def test_trouble_with_the_store_is_told_in_its_words(cli, monkeypatch, words):
    def fail(self):
        raise StoreUnavailable("The store cannot be used right now: disk full")

    monkeypatch.setattr(Store, "is_current", fail)
    monkeypatch.setattr(Store, "migrate", fail)
    assert cli.error(*words) == "The store cannot be used right now: disk full"


def test_everything_is_closed_whatever_happens(cli):
    cli.run("deliveries", "list")
    assert cli.joint.closed == 1
    cli.error("deliveries", "show", 1)
    assert cli.joint.closed == 2


def test_folder_that_cannot_be_made_is_told(sqlite_url, tmp_path, clock):
    (tmp_path / "file").write_text("")
    with a_cli(sqlite_url, tmp_path, clock) as cli:
        cli.joint.given = replace(cli.joint.given, data=tmp_path / "file" / "data")
        assert "Set RELAY_DATA to one that can." in cli.error("deliveries", "list")
