from __future__ import annotations

import pytest

from relay.commands import Verdict
from relay.deliveries import DeliveryState, Translation
from tests.support.stored import ask, end, new_delivery, upsert

BAD = Translation(DeliveryState.DEAD, reason="email: missing")


@pytest.fixture
def troubled(cli):
    """The commands, over a dead delivery, a dead and an uncertain command, and one of another group."""
    cli.store.deliveries.record(new_delivery(), BAD)
    for verdict, group in ((Verdict.DEAD, "main"), (Verdict.UNCERTAIN, "main"), (Verdict.DEAD, "second")):
        ask(cli.store, upsert(), group=group)
        end(cli.store, verdict, message=f"{verdict} words")
    return cli


@pytest.mark.parametrize("words", [("dead",), ("dead", "list")])
def test_it_shows_what_waits_for_somebody_with_the_reason_and_the_next_step(troubled, words):
    text = "\n".join(troubled.lines(*words))
    assert "email: missing" in text
    assert "deliveries replay ID" in text
    assert text.count("dead words") == 2
    assert "uncertain words" in text
    assert "commands requeue ID" in text


def test_a_group_can_be_chosen(troubled):
    document = troubled.json("dead", "list", "--group", "second")
    assert document["deliveries"] == []
    assert [command["last_error"] for command in document["commands"]] == ["dead words"]


def test_json_has_both_kinds(troubled):
    document = troubled.json("dead", "list")
    assert [delivery["reason"] for delivery in document["deliveries"]] == ["email: missing"]
    assert [command["state"] for command in document["commands"]] == ["dead", "uncertain", "dead"]


def test_when_nothing_waits_it_says_so(cli):
    ask(cli.store, upsert())
    assert cli.lines("dead") == ["Nothing waits for you."]
