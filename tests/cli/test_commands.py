from __future__ import annotations

import pytest

from relay.commands import CommandState, Verdict
from tests.support.stored import after, ask, claim_one, contact_delete, end, product, put, upsert


def states(cli):
    return [view.state for view in reversed(cli.store.reading.commands())]


def test_list_shows_ids_states_and_errors_without_anything_about_people(cli):
    ask(cli.store, upsert(), put(value=10))
    end(cli.store, Verdict.RETRY, message="Busy", due_at=after(90))
    newest, oldest = cli.rows("commands", "list")
    created = "2026-11-24T12:00:00Z"
    assert newest == ["2", created, "waiting", "main", "event.put", "contact:1", "1", "0", created, "-"]
    assert oldest[:7] == ["1", created, "waiting", "main", "contact.upsert", "contact:1", "1"]
    assert oldest[7:] == ["1", "2026-11-24T12:01:30Z", "Busy"]
    assert "ann@" not in cli.run("commands", "list", "--json").output


def test_command_that_does_not_wait_has_no_next_time(cli):
    ask(cli.store, upsert())
    end(cli.store, Verdict.DONE)
    (row,) = cli.rows("commands", "list")
    assert row[-2:] == ["-", "-"]


def test_list_as_json_has_every_attempt(cli):
    ask(cli.store, upsert())
    end(cli.store, Verdict.RETRY, status=503, message="Busy", due_at=after(1))
    end(cli.store, Verdict.DEAD, at=after(2), status=200, message="No")
    (record,) = cli.json("commands", "list")
    told = [(each["number"], each["verdict"], each["status"], each["message"]) for each in record["attempts"]]
    assert told == [(1, "retry", 503, "Busy"), (2, "dead", 200, "No")]
    assert record["attempts"][0]["started_at"] == "2026-11-24T12:00:00Z"
    assert "payload" not in record


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), [4, 3, 2, 1]),
        (("--state", "dead"), [1]),
        (("--group", "second"), [4]),
        (("--kind", "product.upsert"), [3]),
        (("--subject", "contact:2"), [2]),
        (("--limit", "1"), [4]),
        (("--before", "2"), [1]),
    ],
)
def test_list_can_be_narrowed_down(cli, options, found):
    ask(cli.store, upsert())
    end(cli.store, Verdict.DEAD, message="No")
    ask(cli.store, upsert("bob@example.com"), product())
    ask(cli.store, upsert(), group="second")
    assert [record["id"] for record in cli.json("commands", "list", *options)] == found


def test_empty_list_says_so(cli):
    assert cli.lines("commands", "list") == ["There are no such commands."]


def test_full_page_says_how_to_go_on(cli):
    ask(cli.store, upsert(), put())
    assert cli.run("commands", "list", "--limit", 1).stderr == "Older ones: --before 2\n"


def test_unknown_state_is_refused_with_the_known_ones(cli):
    result = cli.run("commands", "list", "--state", "lost")
    assert result.exit_code == 2
    assert "uncertain" in result.stderr


def test_show_tells_every_attempt_and_its_end(cli):
    ask(cli.store, upsert())
    end(cli.store, Verdict.RETRY, message="Busy", due_at=after(1), duration_ms=7)
    cli.store.commands.begin([claim_one(cli.store, after(2))], after(2))
    lines = cli.lines("commands", "show", 1)
    assert "subject      contact:1" in lines
    assert lines[-2].split() == ["attempt", "1", "2026-11-24T12:00:00Z", "retry", "7", "ms", "-", "Busy"]
    assert lines[-1].split() == ["attempt", "2", "2026-11-24T12:00:02Z", "under", "way", "-", "-", "-"]
    assert "ann@example.com" not in "\n".join(lines)


def test_payload_is_shown_when_it_is_asked_for(cli):
    ask(cli.store, upsert("ann@example.com"))
    assert cli.lines("commands", "show", 1, "--payload")[-1] == '{"contact":{"email":"ann@example.com"}}'
    assert cli.json("commands", "show", 1, "--payload")["payload"] == {"contact": {"email": "ann@example.com"}}
    assert "payload" not in cli.json("commands", "show", 1)


def test_unknown_command_is_told(cli):
    assert cli.error("commands", "show", 5) == "There is no command 5."


def test_requeue_puts_commands_back_and_wakes_a_worker(cli):
    ask(cli.store, upsert())
    end(cli.store, Verdict.DEAD, message="No")
    assert cli.lines("commands", "requeue", 1) == ["Command 1 is put back."]
    assert states(cli) == [CommandState.WAITING]
    assert cli.joint.woken == 1


def test_requeue_tells_why_one_cannot_be_put_back(cli):
    ask(cli.store, upsert())
    end(cli.store, Verdict.DONE)
    assert cli.error("commands", "requeue", 1) == (
        "Command 1 is done; only these can be requeued: dead, uncertain, dropped."
    )
    assert cli.run("commands", "requeue", 1, 2, "--json").stdout.count('"problem":') == 2
    assert cli.joint.woken == 0


def test_drop_gives_commands_up_and_lets_the_next_one_of_the_subject_go(cli):
    ask(cli.store, upsert(), contact_delete())
    assert cli.json("commands", "drop", 1) == {"done": [1], "problems": []}
    assert states(cli) == [CommandState.DROPPED, CommandState.WAITING]
    assert cli.joint.woken == 1


def test_ids_given_twice_are_done_once(cli):
    ask(cli.store, upsert())
    assert cli.lines("commands", "drop", 1, 1) == ["Command 1 is given up."]
