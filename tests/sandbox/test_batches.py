from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox import ACCOUNT, SandboxClient, signed

DETAILS = [{"contact": {"email": "a@example.com"}, "tags": ["import"]}, {"contact": {"email": "b@example.com"}}]
PURCHASE = {"contactExtEventType": "PURCHASE", "date": 1790000000000, "value": 5, "externalId": "order-9"}


def part(**own: Any) -> dict[str, Any]:
    return {"clientId": ACCOUNT.client_id, "owner": "owner@example.com"} | own


def integrate(client: SandboxClient, **parts: Any) -> Any:
    body = signed(**parts)
    del body["owner"]
    return client.send("POST", "/api/integration/upsert", body)


def test_batch_upsert_answers_an_id_per_address(client: SandboxClient) -> None:
    reply = client.v2("contact/batchupsert", upsertDetails=DETAILS, useApiDoubleOptIn=False)
    assert reply.body["contactIds"] == {
        address: client.card(address)["id"] for address in ("a@example.com", "b@example.com")
    }
    assert client.card("a@example.com")["contactTags"][0]["tag"] == "IMPORT"


@pytest.mark.parametrize(("own", "mails"), [({}, 1), ({"useApiDoubleOptIn": False}, 0)])
def test_batch_upsert_sends_confirmation_mails_unless_told_not_to(
    client: SandboxClient, own: dict[str, Any], mails: int
) -> None:
    client.v2("contact/batchupsert", upsertDetails=DETAILS[:1], **own)
    (contact,) = client.state.holdings["sandbox-client"].contacts.values()
    assert contact.confirmation_mails == mails


def test_later_batch_upsert_answers_a_job_whose_state_can_be_asked(client: SandboxClient) -> None:
    reply = client.v2("contact/batchupsertv2", upsertDetails=DETAILS, fireEvents=False, useApiDoubleOptIn=False)
    assert client.card("a@example.com") is not None
    assert client.v2("job/status", requestId=reply.body["requestId"]).body == {"success": True, "message": []}


@pytest.mark.parametrize("request_id", [1, "unheard", None])
def test_unknown_job_is_refused(client: SandboxClient, request_id: Any) -> None:
    assert client.v2("job/status", requestId=request_id).body == {"success": False, "message": ["Job not found"]}


def test_integration_upsert_puts_contact_and_event_in_one_call(client: SandboxClient) -> None:
    reply = integrate(
        client,
        contactUpsertRequest=part(contact={"email": "anna@example.com"}, tags=["buyer"], **{"async": True}),
        addContactExtEventRequest=part(email="anna@example.com", contactEvent=PURCHASE),
    )
    card = client.card()
    (event,) = card["contactExtEvents"]
    assert reply.body == {"success": True, "message": [], "contactId": card["id"], "eventId": event["eventId"]}


@pytest.mark.parametrize("key", ["contactUpsertRequest", "addContactExtEventRequest"])
def test_either_part_may_come_alone(client: SandboxClient, key: str) -> None:
    client.contact()
    own = {"contact": {"email": "anna@example.com"}, "email": "anna@example.com", "contactEvent": PURCHASE}
    reply = integrate(client, **{key: part(**own)})
    assert reply.body.keys() == {"success", "message", "contactId" if key == "contactUpsertRequest" else "eventId"}


def test_event_part_with_event_id_changes_that_event(client: SandboxClient) -> None:
    contact_id = client.contact()
    event_id = client.event(contactExtEventType="CART", products="7")
    changed = PURCHASE | {"eventId": event_id}
    reply = integrate(client, addContactExtEventRequest=part(contactId=contact_id, contactEvent=changed))
    assert reply.body["eventId"] == event_id
    assert client.card()["contactExtEvents"] == [changed]


def test_refused_integration_upsert_explains_fields_in_values(client: SandboxClient) -> None:
    reply = integrate(client, contactUpsertRequest=part(contact={"email": "broken@"}))
    assert reply.body["success"] is False
    assert reply.body["values"] == {"email": ["not a valid e-mail address"]}


BAD_EVENTS = [
    ({"email": "nobody@example.com"}, PURCHASE, "Contact not found"),
    ({"contactId": "unheard"}, PURCHASE, "Contact not found"),
    ({}, PURCHASE, "No email specified"),
    ({"email": "anna@example.com"}, PURCHASE | {"eventId": "unheard"}, "Event not found"),
    ({"email": "anna@example.com"}, PURCHASE | {"detail1": "x" * 256}, "Value of field detail1 is too long"),
]


@pytest.mark.parametrize(("addressee", "event", "words"), BAD_EVENTS)
@pytest.mark.parametrize(("done", "names"), [("nothing", []), ("contact", ["Anna"])])
def test_refused_event_refuses_the_whole_call(
    client: SandboxClient, addressee: Any, event: Any, words: str, done: str, names: list[str]
) -> None:
    client.turn(integration_refused_event=done)
    reply = integrate(
        client,
        contactUpsertRequest=part(contact={"email": "anna@example.com", "name": "Anna"}),
        addContactExtEventRequest=part(contactEvent=event, **addressee),
    )
    assert reply.body["success"] is False
    assert reply.body["message"][0].startswith(words)
    held = client.state.holdings[ACCOUNT.client_id]
    assert [contact.fields["name"] for contact in held.contacts.values()] == names
    assert not held.events


def test_refused_contact_keeps_its_event_out(client: SandboxClient) -> None:
    client.contact()
    reply = integrate(
        client,
        contactUpsertRequest=part(contact={"email": "anna@example.com"}, birthday="tomorrow"),
        addContactExtEventRequest=part(email="anna@example.com", contactEvent=PURCHASE),
    )
    assert reply.body["values"] == {"birthday": ["must be yyyyMMdd or MMdd"]}
    assert client.card()["contactExtEvents"] == []


def test_integration_upsert_of_both_is_one_journal_entry(client: SandboxClient) -> None:
    parts = {
        "contactUpsertRequest": part(contact={"email": "anna@example.com"}),
        "addContactExtEventRequest": part(email="anna@example.com", contactEvent=PURCHASE),
    }
    integrate(client, **parts)
    [entry] = client.state.journal.last()
    assert (entry.path, entry.status, entry.success) == ("/api/integration/upsert", 200, True)
    assert {name: entry.body[name] for name in parts} == parts


def test_each_part_needs_an_owner(client: SandboxClient) -> None:
    reply = integrate(client, contactUpsertRequest=part(contact={"email": "anna@example.com"}, owner=""))
    assert reply.body["message"] == ["User cannot be empty"]


def test_integration_upsert_of_nothing_is_refused(client: SandboxClient) -> None:
    assert integrate(client).body == {"success": False, "message": ["No data specified"]}
