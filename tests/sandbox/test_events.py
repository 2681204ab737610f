from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.events import EVENT_TYPES
from tests.support.sandbox import REQUEST_TIME, SandboxClient

ADD_PATHS = ["v2/contact/addContactExtEvent", "contact/addContactExtEvent"]
UPDATE_PATHS = ["v2/contact/updateContactExtEvent", "contact/updateContactExtEvent"]
DELETE_PATHS = ["v2/contact/deleteContactExtEvent", "contact/deleteContactExtEvent"]
BATCH_PATHS = ["v2/contact/addBatchContactExtEvent", "contact/batchAddContactExtEvent"]
PURCHASE: dict[str, Any] = {
    "date": REQUEST_TIME,
    "contactExtEventType": "PURCHASE",
    "description": "transfer",
    "products": "71,72",
    "location": "example_shop",
    "value": Decimal("59.90"),
    "externalId": "order-9",
    "shopDomain": "https://shop.example",
    "detail1": "Mug,Cup",
    "detail20": "last",
}


def events(client: SandboxClient, email: str = "anna@example.com") -> list[dict[str, Any]]:
    return list(client.card(email)["contactExtEvents"])


@pytest.mark.parametrize("path", ADD_PATHS)
@pytest.mark.parametrize("by", ["email", "contactId"])
def test_added_event_is_on_the_card_digit_for_digit(client: SandboxClient, path: str, by: str) -> None:
    contact_id = client.contact()
    address: dict[str, Any] = {"email": "ANNA@example.com"} if by == "email" else {"contactId": contact_id}
    reply = client.v2(path, **address, forceOptIn=False, contactEvent=PURCHASE)
    assert events(client) == [{"eventId": reply.body["eventId"]} | PURCHASE]
    assert str(events(client)[0]["value"]) == "59.90"


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_documented_type_is_taken(client: SandboxClient, event_type: str) -> None:
    client.contact()
    client.event(contactExtEventType=event_type)
    assert events(client)[0]["contactExtEventType"] == event_type


@pytest.mark.parametrize("path", ADD_PATHS)
@pytest.mark.parametrize("event_type", ["Purchase", "PACKED", "", None])
def test_other_types_answer_400_without_body(client: SandboxClient, path: str, event_type: str | None) -> None:
    client.contact()
    event = PURCHASE | {"contactExtEventType": event_type}
    reply = client.v2(path, email="anna@example.com", contactEvent=event)
    assert (reply.status, reply.text) == (400, "")
    assert events(client) == []


@pytest.mark.parametrize("address", [{"email": "nobody@example.com"}, {"contactId": "unheard"}])
def test_event_never_creates_a_contact(client: SandboxClient, address: dict[str, Any]) -> None:
    reply = client.v2(ADD_PATHS[0], **address, forceOptIn=True, contactEvent=PURCHASE)
    assert (reply.status, reply.body) == (200, {"success": False, "message": ["Contact not found"]})
    assert not client.state.holdings["sandbox-client"].contacts


def test_event_about_nobody_is_refused(client: SandboxClient) -> None:
    assert client.v2(ADD_PATHS[0], contactEvent=PURCHASE).body["message"] == ["No email specified"]


def test_contact_id_wins_over_the_address(client: SandboxClient) -> None:
    client.contact("anna@example.com")
    other = client.contact("bob@example.com")
    client.v2(ADD_PATHS[0], email="anna@example.com", contactId=other, contactEvent=PURCHASE)
    assert (len(events(client)), len(events(client, "bob@example.com"))) == (0, 1)


def test_two_adds_with_one_external_id_are_two_events(client: SandboxClient) -> None:
    client.contact()
    first, second = client.event(externalId="order-9"), client.event(externalId="order-9")
    assert first != second
    assert [event["eventId"] for event in events(client)] == [first, second]


def test_empty_fields_of_an_event_are_not_kept(client: SandboxClient) -> None:
    client.contact()
    client.event(description="", detail2=None, products="71")
    assert events(client)[0].keys() == {"eventId", "date", "contactExtEventType", "value", "products"}


def test_event_without_date_happens_now(client: SandboxClient) -> None:
    client.contact()
    client.event(date=None)
    assert events(client)[0]["date"] >= client.card()["createdOn"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1790000000000", 1790000000000),
        ("2026-09-21T13:33:20Z", 1789997600000),
        ("2026-09-21T15:33:20+02:00", 1789997600000),
        ("2026-09-21T13:33:20", 1789997600000),
    ],
)
def test_older_path_takes_iso_dates(client: SandboxClient, sent: str, kept: int) -> None:
    client.contact()
    client.v2(ADD_PATHS[1], email="anna@example.com", contactEvent=PURCHASE | {"date": sent})
    assert events(client)[0]["date"] == kept


@pytest.mark.parametrize("path", ADD_PATHS)
@pytest.mark.parametrize(
    "spoilt", [{"date": "yesterday"}, {"date": [1]}, {"value": "much"}, {"value": True}, {"detail1": {"a": 1}}]
)
def test_field_of_a_wrong_type_answers_400(client: SandboxClient, path: str, spoilt: dict[str, Any]) -> None:
    client.contact()
    reply = client.v2(path, email="anna@example.com", contactEvent=PURCHASE | spoilt)
    assert (reply.status, reply.text) == (400, "")


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("description", 2048),
        ("products", 512),
        ("location", 36),
        ("externalId", 255),
        ("shopDomain", 255),
        ("detail1", 255),
        ("detail20", 255),
    ],
)
def test_text_is_taken_up_to_its_limit(client: SandboxClient, field: str, limit: int) -> None:
    client.contact()
    client.event(**{field: "x" * limit})
    reply = client.v2(ADD_PATHS[0], email="anna@example.com", contactEvent=PURCHASE | {field: "x" * (limit + 1)})
    assert (reply.body["success"], len(events(client))) == (False, 1)
    assert field in reply.body["message"][0]


@pytest.mark.parametrize("value", [0, Decimal("-5.5"), Decimal("9999999999999999999.99"), "12.30", Decimal("1.100")])
def test_amount_of_19_digits_and_two_decimals_is_taken(client: SandboxClient, value: Any) -> None:
    client.contact()
    client.event(value=value)
    assert events(client)[0]["value"] == Decimal(str(value))


@pytest.mark.parametrize("value", [Decimal("0.001"), Decimal(10) ** 19, "1e30"])
def test_amount_beyond_that_is_refused(client: SandboxClient, value: Any) -> None:
    client.contact()
    reply = client.v2(ADD_PATHS[0], email="anna@example.com", contactEvent=PURCHASE | {"value": value})
    assert (reply.status, reply.body["success"], events(client)) == (200, False, [])


@pytest.mark.parametrize("path", UPDATE_PATHS)
def test_update_replaces_every_field_and_keeps_the_id(client: SandboxClient, path: str) -> None:
    client.contact()
    first = client.event(**PURCHASE)
    second = client.event(externalId="untouched")
    cart = {"eventId": first, "date": REQUEST_TIME + 5, "contactExtEventType": "CART", "value": 3}
    reply = client.v2(path, contactEvent=cart)
    assert reply.body == {"success": True, "message": [], "eventId": first}
    assert events(client)[0] == cart
    assert [event["eventId"] for event in events(client)] == [first, second]


@pytest.mark.parametrize("event_id", ["00000000-0000-4000-8000-000000000001", None])
def test_update_of_an_unknown_event_creates_none(client: SandboxClient, event_id: str | None) -> None:
    client.contact()
    client.event(externalId="order-9")
    reply = client.v2(UPDATE_PATHS[0], contactEvent=PURCHASE | {"eventId": event_id})
    assert reply.body == {"success": False, "message": ["Event not found"]}
    assert len(events(client)) == 1


@pytest.mark.parametrize("path", DELETE_PATHS)
def test_delete_removes_one_event(client: SandboxClient, path: str) -> None:
    client.contact()
    first, second = client.event(), client.event()
    reply = client.v2(path, eventId=first)
    assert reply.body == {"success": True, "message": [], "result": "deleted"}
    assert [event["eventId"] for event in events(client)] == [second]


def test_delete_by_external_id_takes_the_oldest_such_event(client: SandboxClient) -> None:
    client.contact()
    client.event(externalId="order-9")
    second = client.event(externalId="order-9")
    assert client.v2(DELETE_PATHS[0], externalId="order-9").body["success"] is True
    assert [event["eventId"] for event in events(client)] == [second]


def test_external_id_follows_an_update(client: SandboxClient) -> None:
    client.contact()
    event_id = client.event(externalId="order-9")
    client.v2(UPDATE_PATHS[0], contactEvent=PURCHASE | {"eventId": event_id, "externalId": "order-10"})
    assert client.v2(DELETE_PATHS[0], externalId="order-9").body["success"] is False
    assert client.v2(DELETE_PATHS[0], externalId="order-10").body["success"] is True


@pytest.mark.parametrize(
    ("own", "message"), [({"eventId": "unheard"}, "Event not found"), ({}, "No eventId specified")]
)
def test_delete_of_no_event_is_refused(client: SandboxClient, own: dict[str, Any], message: str) -> None:
    assert client.v2(DELETE_PATHS[0], **own).body == {"success": False, "message": [message]}


@pytest.mark.parametrize("path", BATCH_PATHS)
def test_batch_counts_what_it_kept_and_names_what_failed(client: SandboxClient, path: str) -> None:
    client.contact()
    reply = client.v2(
        path,
        events=[
            {"email": "anna@example.com", "contactEvent": PURCHASE},
            {"contactId": "unheard", "contactEvent": PURCHASE},
            {"email": "nobody@example.com", "contactEvent": PURCHASE},
            {"email": "anna@example.com", "contactEvent": PURCHASE | {"products": "7" * 513}},
        ],
    )
    assert reply.body == {
        "success": True,
        "message": [],
        "failedContacts": ["unheard", "nobody@example.com", "anna@example.com"],
        "createdAmount": 1,
        "failedAmount": 3,
    }
    assert len(events(client)) == 1


@pytest.mark.parametrize("spoilt", [{"contactExtEventType": "Purchase"}, {"date": "soon"}])
def test_event_that_cannot_be_parsed_spoils_the_whole_batch(client: SandboxClient, spoilt: dict[str, str]) -> None:
    client.contact()
    entries = [{"email": "anna@example.com", "contactEvent": PURCHASE | own} for own in ({}, spoilt)]
    reply = client.v2(BATCH_PATHS[0], events=entries)
    assert (reply.status, reply.text, events(client)) == (400, "", [])


@pytest.mark.parametrize("count", [0, 1001])
def test_batch_takes_1_to_1000_events(client: SandboxClient, count: int) -> None:
    client.contact()
    reply = client.v2(BATCH_PATHS[0], events=[{"email": "anna@example.com", "contactEvent": PURCHASE}] * count)
    assert (reply.body["success"], events(client)) == (False, [])


def test_batch_of_1000_events_is_taken(client: SandboxClient) -> None:
    client.contact()
    reply = client.v2(BATCH_PATHS[0], events=[{"email": "anna@example.com", "contactEvent": PURCHASE}] * 1000)
    assert reply.body["createdAmount"] == 1000
