from __future__ import annotations

import pytest

from relay.commands import Verdict
from relay.deliveries import DeliveryState, Translation
from tests.support.stored import NOW, after, ask, end, new_delivery, put, upsert

PERSON = b'{"id": 1001, "email": "ann@example.com"}'


def test_list_shows_the_newest_first_without_anything_about_people(cli):
    cli.store.deliveries.record(new_delivery(body=PERSON))
    dead = Translation(DeliveryState.DEAD, reason="total: not a number", resource_kind="order", resource_id="1001")
    cli.store.deliveries.record(new_delivery(body=PERSON, topic="orders/paid", received_at=after(60)), dead)

    newest, oldest = cli.rows("deliveries", "list")
    assert newest[:7] == ["2", "2026-11-24T12:01:00Z", "dead", "main", "acme", "orders/paid", "order:1001"]
    assert newest[7:] == ["total:", "not", "a", "number"]
    assert oldest == ["1", "2026-11-24T12:00:00Z", "received", "main", "acme", "orders/create", "-", "-"]
    assert "ann@" not in cli.run("deliveries", "list").output + cli.run("deliveries", "list", "--json").output


def test_list_as_json_has_iso_times_and_neither_headers_nor_body(cli):
    cli.store.deliveries.record(new_delivery(received_at=NOW))
    (record,) = cli.json("deliveries", "list")
    assert (record["id"], record["state"], record["received_at"]) == (1, "received", "2026-11-24T12:00:00Z")
    assert {"headers", "body"}.isdisjoint(record)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), [4, 3, 2, 1]),
        (("--state", "dead"), [2]),
        (("--shop", "other"), [3]),
        (("--group", "second"), [4]),
        (("--topic", "orders/paid"), [1]),
        (("--resource", "order:7:8"), [2]),
        (("--limit", "2"), [4, 3]),
        (("--before", "3"), [2, 1]),
        (("--shop", "acme", "--state", "received", "--limit", "1"), [4]),
    ],
)
def test_list_can_be_narrowed_down(cli, options, found):
    cli.store.deliveries.record(new_delivery(topic="orders/paid"))
    dead = Translation(DeliveryState.DEAD, reason="bad", resource_kind="order", resource_id="7:8")
    cli.store.deliveries.record(new_delivery(), dead)
    cli.store.deliveries.record(new_delivery(shop="other"))
    cli.store.deliveries.record(new_delivery(group="second"))
    assert [record["id"] for record in cli.json("deliveries", "list", *options)] == found


def test_full_page_says_how_to_go_on_and_keeps_that_out_of_stdout(cli):
    for _ in range(3):
        cli.store.deliveries.record(new_delivery())
    result = cli.run("deliveries", "list", "--limit", 2)
    assert result.stderr == "Older ones: --before 2\n"
    assert "--before" not in result.stdout
    assert cli.run("deliveries", "list", "--limit", 4).stderr == ""


def test_empty_list_says_so_to_people_and_is_empty_for_programs(cli):
    assert cli.lines("deliveries", "list") == ["There are no such deliveries."]
    assert cli.json("deliveries", "list") == []


@pytest.mark.parametrize("resource", ["order", "order:", ":7"])
def test_resource_has_to_name_kind_and_id(cli, resource):
    result = cli.run("deliveries", "list", "--resource", resource)
    assert result.exit_code == 2
    assert "order:1001" in result.stderr


def test_held_delivery_tells_until_when(cli):
    held = Translation(DeliveryState.HELD, reason="waits for its cart", due_at=after(30))
    cli.store.deliveries.record(new_delivery(), held)
    assert "held until 2026-11-24T12:00:30Z" in cli.lines("deliveries", "list")[1]


def test_show_tells_what_became_of_a_delivery(cli):
    ask(cli.store, upsert(), put(value=5), warnings=("note: cut from 300 to 255 characters.",))
    end(cli.store, Verdict.RETRY, status=503, message="Busy", duration_ms=42, due_at=after(10))
    text = "\n".join(cli.lines("deliveries", "show", 1))
    assert "state        translated" in text
    assert "warning: note: cut from 300 to 255 characters." in text
    assert text.index("contact.upsert") < text.index("attempt 1") < text.index("event.put")
    assert "retry  42 ms  503  Busy" in text
    assert "ann@example.com" not in text


def test_show_as_json_has_the_commands_with_their_attempts(cli):
    ask(cli.store, upsert())
    end(cli.store, Verdict.DEAD, message="Invalid email")
    record = cli.json("deliveries", "show", 1)
    (command,) = record["commands"]
    assert (command["state"], command["attempts"][0]["message"]) == ("dead", "Invalid email")
    assert {"headers", "body"}.isdisjoint(record)
    assert "payload" not in command


def test_headers_and_body_are_shown_when_they_are_asked_for(cli):
    cli.store.deliveries.record(new_delivery(body=PERSON))
    text = "\n".join(cli.lines("deliveries", "show", 1, "--headers", "--body"))
    assert "x-shopify-topic  orders/create" in text
    assert PERSON.decode() in text
    record = cli.json("deliveries", "show", 1, "--headers", "--body")
    assert record["headers"] == {"x-shopify-topic": "orders/create"}
    assert record["body"] == PERSON.decode()


def test_body_cannot_steer_the_terminal(cli):
    cli.store.deliveries.record(new_delivery(body=b"\x1b[2Jgone\xff\nnext"))
    lines = cli.lines("deliveries", "show", 1, "--body")
    assert lines[-2:] == [" [2Jgone\\xff", "next"]


def test_delivery_without_commands_says_so(cli):
    cli.store.deliveries.record(new_delivery())
    assert cli.lines("deliveries", "show", 1)[-1] == "It asked for no command."


def test_id_beyond_what_a_store_can_hold_is_refused(cli):
    assert cli.run("deliveries", "show", 2**63).exit_code == 2
    assert cli.error("deliveries", "show", 2**63 - 1).startswith("There is no delivery")


def test_unknown_delivery_is_told(cli):
    assert cli.error("deliveries", "show", 7) == "There is no delivery 7."


def test_replay_puts_deliveries_back_and_wakes_a_worker(cli):
    for _ in range(2):
        cli.store.deliveries.record(new_delivery(), Translation(DeliveryState.DEAD, reason="bad"))
    told = ["Delivery 2 is translated anew.", "Delivery 1 is translated anew."]
    assert cli.lines("deliveries", "replay", 2, 1) == told
    assert {view.state for view in cli.store.reading.deliveries()} == {DeliveryState.RECEIVED}
    assert cli.joint.woken == 1


def test_replay_does_what_it_can_and_tells_the_rest(cli):
    cli.store.deliveries.record(new_delivery(), Translation(DeliveryState.DEAD, reason="bad"))
    result = cli.run("deliveries", "replay", 9, 1)
    assert result.exit_code == 1
    assert result.stdout == "Delivery 1 is translated anew.\n"
    assert result.stderr == "Error: There is no delivery 9.\n"
    assert cli.joint.woken == 1


def test_replay_as_json_names_what_was_done_and_what_was_not(cli):
    cli.store.deliveries.record(new_delivery())
    result = cli.run("deliveries", "replay", 1, 9, "--json")
    assert result.exit_code == 1
    assert result.stdout == '{"done":[1],"problems":[{"id":9,"problem":"There is no delivery 9."}]}\n'


def test_replay_of_nothing_that_exists_wakes_nobody(cli):
    assert cli.run("deliveries", "replay", 9).exit_code == 1
    assert cli.joint.woken == 0
