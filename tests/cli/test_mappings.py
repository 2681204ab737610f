from __future__ import annotations

from decimal import Decimal

import pytest

from relay.commands import Command, CommandKind, ContactSubject
from relay.deliveries import DeliveryState, Translation
from relay.errors import ConfigurationError, Fault, PayloadInvalid
from relay.translation.mapping import Source
from relay.translation.translator import ExplainedCommand, ExplainedField
from tests.support.cli import a_cli

LINE = Source("mappings/acme.toml", "contact.name", 3, "{{ customer.name }}")


class Explaining:
    """Stands for the translator: notes what it is asked and explains everything alike."""

    def __init__(self, error=None):
        self.asked = []
        self.error = error

    def explain(self, delivery, now):
        self.asked.append((delivery, now))
        if self.error is not None:
            raise self.error
        event = Command(
            CommandKind.EVENT_PUT, ContactSubject("a@b.example"), {"contactEvent": EVENT}, warnings=("Cut.",)
        )
        contact = Command(CommandKind.CONTACT_UPSERT, ContactSubject("a@b.example"), {"contact": {}})
        fields = (
            ExplainedField("contact.name", "Ann\x1b[1m Example", LINE),
            ExplainedField("tags", ["A", "B"], LINE),
            ExplainedField("value", Decimal("9.50"), LINE),
            ExplainedField("description", "x" * 100, None),
        )
        explained = (ExplainedCommand(contact, "the buyer", fields), ExplainedCommand(event, "the order stands", ()))
        return Translation(DeliveryState.TRANSLATED, warnings=("Odd.",)), explained


EVENT = {"contactExtEventType": "PURCHASE"}


@pytest.fixture
def explaining(cli):
    cli.joint.translation = Explaining()
    return cli


@pytest.fixture
def folder(tmp_path):
    """An empty folder for mapping files."""
    made = tmp_path / "maps"
    made.mkdir()
    return made


def test_check_counts_the_mappings_that_are_fine(sqlite_url, tmp_path, clock, folder):
    (folder / "default.toml").write_text('[contact]\nname = "{{ customer.name }}"\n')
    with a_cli(sqlite_url, tmp_path, clock, RELAY_MAPPINGS=str(folder)) as cli:
        assert cli.lines("mappings", "check") == ["1 mapping is fine."]
        (folder / "acme.toml").write_text('extends = "default"\n')
        assert cli.lines("mappings", "check") == ["2 mappings are fine."]


def test_check_tells_every_fault_with_file_and_key(sqlite_url, tmp_path, clock, folder):
    (folder / "default.toml").write_text('[contact]\nnmae = "x"\n')
    (folder / "unused.toml").write_text('[event]\nvalue = "{{ ordr.total }}"\n')
    with a_cli(sqlite_url, tmp_path, clock, RELAY_MAPPINGS=str(folder)) as cli:
        told = cli.error("mappings", "check")
    assert "maps/default.toml:2 contact.nmae" in told
    assert "maps/unused.toml:2 event.value" in told


def test_check_works_when_the_rest_of_the_configuration_is_broken(cli, monkeypatch, folder):
    cli.joint.error = ConfigurationError([Fault("shops.acme", "broken")])
    assert cli.lines("mappings", "check") == ["1 mapping is fine."]
    cli.joint.settings_error = ConfigurationError([Fault("RELAY_BIND", "broken")])
    monkeypatch.setenv("RELAY_BIND", "broken")
    monkeypatch.setenv("RELAY_MAPPINGS", str(folder))
    assert f'there is no mapping "default" in {folder}' in cli.error("mappings", "check")


@pytest.mark.parametrize(
    ("configuration", "missing"),
    [
        ('[groups.main]\nmapping = "one"\n[shops.acme]\nmapping = "two"\n', {"one", "two"}),
        ("[groups.main]\n[shops.acme]\nsecrets = 3\n", {"default"}),
        ('[groups.main]\nmapping = "{{ env.MAPPING }}"\n', set()),
        ('[groups.main]\nmapping = 7\n[shops]\nacme = "no table"\n', set()),
        ('groups = "none"\n', set()),
        ("no toml", set()),
    ],
)
def test_check_looks_for_what_the_configuration_names(sqlite_url, tmp_path, clock, folder, configuration, missing):
    (folder / "third.toml").write_text("")
    (tmp_path / "relay.toml").write_text(configuration)
    with a_cli(sqlite_url, tmp_path, clock, RELAY_MAPPINGS=str(folder)) as cli:
        result = cli.run("mappings", "check")
    names = {name for name in ("one", "two", "default") if f'there is no mapping "{name}"' in result.stderr}
    assert names == missing
    assert result.exit_code == (1 if missing else 0)


def test_explain_shows_every_field_with_the_line_that_made_it(explaining):
    lines = explaining.lines("mappings", "explain", "acme", "orders_create__three-lines-2025")
    assert lines[:4] == [
        "orders/create of acme: translated, 2 commands",
        "  warning: Odd.",
        "",
        "contact.upsert: the buyer",
    ]
    assert lines[4].split() == ["FIELD", "VALUE", "MADE", "BY"]
    assert lines[5].split("  ")[1:3] == ["contact.name", '"Ann\\u001b[1m Example"']
    assert lines[5].endswith("mappings/acme.toml:3 contact.name")
    assert '["A","B"]' in lines[6]
    assert " 9.50 " in lines[7]
    assert "x…" in lines[8] and lines[8].endswith("(the relay itself)")
    assert len(lines[8]) < 140
    assert lines[10:12] == ["event.put PURCHASE: the order stands", "  warning: Cut."]


def test_explain_translates_the_samples_body_as_a_delivery_of_the_shop(explaining):
    explaining.lines("mappings", "explain", "acme", "orders_create__three-lines-2025.json")
    ((delivery, now),) = explaining.joint.translation.asked
    assert (delivery.platform, delivery.shop, delivery.group, delivery.topic) == (
        "shopify",
        "acme",
        "main",
        "orders/create",
    )
    assert b"hanna" in delivery.body.lower()
    assert delivery.received_at == now


def test_explain_as_json_has_all_of_it(explaining):
    document = explaining.json("mappings", "explain", "woo", "order_created__draft-paid-v3")
    assert (document["shop"], document["topic"], document["state"]) == ("woo", "order.created", "translated")
    contact, event = document["commands"]
    assert contact["fields"][0] == {
        "target": "contact.name",
        "value": "Ann\x1b[1m Example",
        "source": {
            "file": "mappings/acme.toml",
            "key": "contact.name",
            "line": 3,
            "expression": "{{ customer.name }}",
        },
    }
    assert contact["fields"][3]["source"] is None
    assert (event["kind"], event["event_type"], event["rule"]) == ("event.put", "PURCHASE", "the order stands")


def test_explain_takes_a_file_of_ones_own(explaining, tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    assert "mine.json does not begin with a topic; add --topic" in explaining.error(
        "mappings", "explain", "acme", "mine.json"
    )
    explaining.lines("mappings", "explain", "acme", "mine.json", "--topic", "orders/paid")
    ((delivery, _),) = explaining.joint.translation.asked
    assert (delivery.body, delivery.topic) == (b"{}", "orders/paid")


def test_explain_tells_what_is_misspelt(explaining):
    assert explaining.error("mappings", "explain", "amce", "x") == 'There is no shop amce; did you mean "acme"?'
    told = explaining.error("mappings", "explain", "acme", "orders_create__three-lines-2035")
    assert 'did you mean "orders_create__three-lines-2025"?' in told
    assert "samples list" in explaining.error("mappings", "explain", "acme", "qqqq")


def test_explain_tells_why_a_body_cannot_be_translated(cli):
    cli.joint.translation = Explaining(PayloadInvalid("total_price: not a number"))
    assert cli.error("mappings", "explain", "acme", "orders_create__legacy-2020") == "total_price: not a number"
