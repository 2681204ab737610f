from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox import REQUEST_TIME, SandboxClient


@pytest.mark.parametrize("path", ["contact/basic", "contact/basicById"])
def test_basic_card_has_no_events_and_names_the_id_contact_id(client: SandboxClient, path: str) -> None:
    contact_id = client.contact(birthday="0514")
    wanted: dict[str, Any] = {"email": ["anna@example.com"]} if path == "contact/basic" else {"id": [contact_id]}
    (card,) = client.v2(path, **wanted).body["contacts"]
    assert card["contactId"] == contact_id
    assert "id" not in card and "contactExtEvents" not in card
    assert (card["birthdayYear"], card["birthdayMonth"], card["birthdayDay"]) == (None, "05", "14")
    assert (card["address"], card["name"], card["optedOut"]) == (None, None, True)


@pytest.mark.parametrize("path", ["contact/list", "contact/listById", "contact/listAll", "contact/listAllById"])
def test_full_card_has_events_and_names_the_id_id(client: SandboxClient, path: str) -> None:
    contact_id = client.contact(tags=["vip"])
    event_id = client.event(products="5,6", detail1="Mug,Cup")
    wanted: dict[str, Any] = {"contactId": [contact_id]} if path.endswith("ById") else {"email": ["ANNA@example.com"]}
    (card,) = client.v2(path, **wanted).body["contacts"]
    assert card["id"] == contact_id
    assert card["contactTags"][0]["tagName"] == "VIP"
    assert card["contactExtEvents"] == [
        {
            "eventId": event_id,
            "date": REQUEST_TIME,
            "contactExtEventType": "PURCHASE",
            "value": 10,
            "products": "5,6",
            "detail1": "Mug,Cup",
        }
    ]
    assert card["emailMessages"] == []


def test_unknown_addresses_are_left_out_of_a_successful_answer(client: SandboxClient) -> None:
    client.contact()
    reply = client.v2("contact/list", email=["nobody@example.com", "anna@example.com"])
    assert reply.body["success"] is True
    assert [card["email"] for card in reply.body["contacts"]] == ["anna@example.com"]


def test_list_gives_the_owner_s_contacts_only_and_list_all_everybody_s(client: SandboxClient) -> None:
    client.contact(owner="second@example.com")
    assert client.v2("contact/list", email=["anna@example.com"]).body["contacts"] == []
    assert len(client.v2("contact/listAll", email=["anna@example.com"]).body["contacts"]) == 1


def test_more_than_50_contacts_are_refused(client: SandboxClient) -> None:
    addresses = [f"a{number}@example.com" for number in range(51)]
    assert client.v2("contact/list", email=addresses[:50]).body["success"] is True
    assert client.v2("contact/list", email=addresses).body["success"] is False
