"""``flask people``: what it shows, hands out and asks for."""

from __future__ import annotations

import pytest

from relay import jsontext
from relay.commands import Verdict
from relay.memory import Resource
from relay.privacy import ERASE_TOPIC, RELAY_PLATFORM
from tests.support.privacy import erasure
from tests.support.stored import contact_delete, end, finish_all, new_delivery, put, translated, upsert

ANN, BO = "ann@example.com", "bo@example.com"


@pytest.fixture
def known(cli):
    """Ann has bought something; somebody else is known too."""
    sale = Resource("acme", "order", "1001", None, ANN, "orders/create", b'{"email":"ann@example.com"}', account="7")
    new = new_delivery(body=b'{"email":"ann@example.com","phone":"555 100 2000"}')
    cli.store.deliveries.record(new, translated(upsert(ANN), put(ANN), resources=(sale,)))
    cli.store.deliveries.record(new_delivery(body=b'{"email":"bo@example.com"}'), translated(upsert(BO)))
    finish_all(cli.store)
    return cli


def rows(lines):
    return dict(line.split() for line in lines)


@pytest.mark.parametrize("named", [
    ("--shop", "acme", "--email", "Ann@Example.com"),
    ("--group", "main", "--email", ANN),
    ("--shop", "woo", "--email", ANN),
])  # fmt: skip
def test_what_is_stored_about_a_person_is_counted(known, named):
    counts = {"contacts": "1", "memory": "1", "deliveries": "1", "commands": "2", "events": "1"}
    assert rows(known.lines("people", "show", *named)) == counts | {"mentions": "0"}
    assert known.json("people", "show", *named)["deliveries"] == 1


def test_person_may_be_named_by_the_shops_id_or_a_phone(known):
    assert known.json("people", "show", "--shop", "acme", "--customer", 7)["memory"] == 1
    assert known.json("people", "show", "--group", "main", "--phone", "+1 555-100-2000")["deliveries"] == 1


def test_somebody_unknown_is_said_to_be_unknown(known):
    assert known.lines("people", "show", "--shop", "acme", "--email", "carl@example.com") == [
        "Nothing is stored about this person."
    ]


def test_all_that_is_stored_is_given_as_a_document(known):
    document = jsontext.loads("\n".join(known.lines("people", "export", "--shop", "acme", "--email", ANN)))

    assert document["deliveries"][0]["body"]["email"] == ANN
    assert BO not in jsontext.dumps(document)
    assert document["made_at"] == "2026-11-24T12:00:00Z"


def test_document_goes_to_a_new_file_for_its_owner_alone(known, tmp_path):
    file = tmp_path / "ann.json"
    assert known.lines("people", "export", "--shop", "acme", "--email", ANN, "--out", str(file)) == []
    assert jsontext.loads(file.read_bytes())["addresses"] == [ANN]
    assert file.stat().st_mode & 0o777 == 0o600

    assert "cannot be written" in known.error("people", "export", "--shop", "acme", "--email", BO, "--out", str(file))
    assert jsontext.loads(file.read_bytes())["addresses"] == [ANN]


def test_erasure_is_stored_as_a_delivery_of_the_relays_own(known):
    told = known.json("people", "erase", "--shop", "acme", "--email", ANN, "--customer", 7, "--yes")
    view = known.store.reading.delivery(told["delivery"])

    assert (view.platform, view.topic, view.shop, view.group) == (RELAY_PLATFORM, ERASE_TOPIC, "acme", "main")
    assert jsontext.loads(view.body) == {"email": ANN, "customer_id": "7"}
    assert known.joint.woken == 1


def test_same_person_can_be_erased_again(known):
    first, second = (known.json("people", "erase", "--group", "main", "--email", ANN, "--yes") for _ in range(2))

    assert first["delivery"] != second["delivery"]


@pytest.mark.parametrize(("answer", "stored"), [("y\n", 1), ("n\n", 0)])
def test_erasure_is_asked_about_first(known, answer, stored):
    before = len(known.store.reading.deliveries())
    arguments = ["people", "erase", "--group", "main", "--email", ANN]
    result = known.app.test_cli_runner().invoke(args=arguments, input=answer)

    assert "cannot be taken back" in result.output
    assert len(known.store.reading.deliveries()) - before == stored


@pytest.mark.parametrize(("arguments", "words"), [
    (("--shop", "acme"), "Say who"),
    (("--customer", "7", "--group", "main"), "add --shop"),
    (("--email", ANN), "Say where"),
    (("--email", ANN, "--group", "nowhere"), "one of"),
    (("--email", ANN, "--shop", "nowhere"), "no shop nowhere"),
    (("--email", ANN, "--shop", "acme", "--group", "second"), "of group main"),
])  # fmt: skip
def test_what_is_missing_is_told(cli, arguments, words):
    assert words in cli.error("people", "show", *arguments)


def test_tasks_are_listed_with_what_they_wait_for_and_without_names(cli):
    assert cli.lines("people", "list") == ["Nobody has asked for anything."]
    meaning = translated(contact_delete(ANN), privacy=(erasure(ANN),))
    delivery_id = cli.store.deliveries.record(new_delivery(body=b"x"), meaning).id
    end(cli.store, Verdict.DEAD)
    [command] = cli.store.commands.of_delivery(delivery_id)

    [row] = cli.rows("people", "list")
    assert row[:3] == ["1", "erase-person", "2026-11-24T12:00:00Z"]
    assert row[4:6] == [str(delivery_id), str(command.id)]
    [task] = cli.json("people", "list")
    assert task["waits_for"] == [command.id]
    assert ANN not in jsontext.dumps(task)


def test_file_can_be_scrubbed(cli):
    assert cli.lines("people", "scrub") == ["Nothing that was erased is left in the database's files."]
