from __future__ import annotations

from relay.errors import ConfigurationError, Fault
from relay.settings import SETTINGS, load_settings
from tests.support.cli import a_cli


def test_every_setting_is_listed_under_its_section(cli):
    lines = cli.lines("settings")
    names = [line.split()[0] for line in lines if line.startswith("RELAY_")]
    assert names == [setting.name for setting in SETTINGS]
    assert [line for line in lines[1:] if line and not line.startswith("RELAY_")] == list(
        dict.fromkeys(setting.section for setting in SETTINGS)
    )
    (poll,) = (line for line in lines if line.startswith("RELAY_POLL_S"))
    assert poll.split()[1:4] == ["1", "default", "1"]
    assert poll.endswith("How often an idle worker looks for work it was not woken for.")


def test_json_tells_value_source_default_and_meaning(sqlite_url, tmp_path, clock):
    with a_cli(sqlite_url, tmp_path, clock, RELAY_POLL_S="2.5") as cli:
        (poll,) = (each for each in cli.json("settings") if each["name"] == "RELAY_POLL_S")
    assert poll == {
        "section": "Worker",
        "name": "RELAY_POLL_S",
        "value": "2.5",
        "source": "environment",
        "default": "1",
        "description": "How often an idle worker looks for work it was not woken for.",
    }


def test_passwords_are_not_shown(cli):
    cli.joint.given = load_settings({"RELAY_DATABASE_URL": "postgresql://relay:hush@db.example/relay"})
    output = cli.run("settings").output + cli.run("settings", "--json").output
    assert "relay:***@db.example" in output
    assert "hush" not in output


def test_it_needs_no_configuration_file(cli):
    cli.joint.error = ConfigurationError([Fault("shops", "broken")])
    assert cli.lines("settings")
