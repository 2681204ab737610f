from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox import SandboxClient


def test_insert_adds_a_contact(client: SandboxClient) -> None:
    reply = client.v2("contact/insert", contact={"email": "anna@example.com", "name": "Anna"})
    assert reply.body["contactId"] == client.card()["id"]


def test_insert_of_a_known_contact_is_refused(client: SandboxClient) -> None:
    client.contact(contact={"name": "Anna"})
    reply = client.v2("contact/insert", contact={"email": "ANNA@example.com", "name": "Other"})
    assert reply.body["success"] is False
    assert client.card()["name"] == "Anna"


@pytest.mark.parametrize("by", ["contactId", "email", "contact.email"])
def test_update_finds_the_contact_by_id_or_address(client: SandboxClient, by: str) -> None:
    contact_id = client.contact(contact={"name": "Anna"})
    addresses: dict[str, dict[str, Any]] = {
        "contactId": {"contactId": contact_id, "contact": {"name": "Anna Changed"}},
        "email": {"email": "anna@example.com", "contact": {"name": "Anna Changed"}},
        "contact.email": {"contact": {"email": "anna@example.com", "name": "Anna Changed"}},
    }
    reply = client.v2("contact/update", **addresses[by])
    assert reply.body["contactId"] == contact_id
    assert client.card()["name"] == "Anna Changed"


@pytest.mark.parametrize("address", [{"contactId": "unheard"}, {"email": "nobody@example.com"}])
def test_update_of_an_unknown_contact_is_refused(client: SandboxClient, address: dict[str, Any]) -> None:
    reply = client.v2("contact/update", **address, contact={"name": "Nobody"})
    assert reply.body == {"success": False, "message": ["Contact not found"]}
    assert not client.state.holdings["sandbox-client"].contacts


def test_delete_removes_the_card_with_its_events(client: SandboxClient) -> None:
    client.contact()
    client.event()
    reply = client.v2("contact/delete", email="Anna@example.com", permanently=True)
    assert (reply.status, reply.body) == (200, {"success": True, "message": [], "result": None})
    assert client.card() is None
    holdings = client.state.holdings["sandbox-client"]
    assert not holdings.events
    assert [(gone["email"], gone["permanently"]) for gone in holdings.deleted] == [("anna@example.com", True)]


def test_contact_after_a_delete_is_a_new_card(client: SandboxClient) -> None:
    before = client.contact()
    client.v2("contact/delete", email="anna@example.com")
    assert client.contact() != before


@pytest.mark.parametrize(
    ("email", "message"), [("nobody@example.com", "Contact not found"), (None, "No email specified")]
)
def test_delete_of_nobody_is_refused(client: SandboxClient, email: str | None, message: str) -> None:
    assert client.v2("contact/delete", email=email).body == {"success": False, "message": [message]}


def test_batch_delete_takes_addresses_ids_and_tags(client: SandboxClient) -> None:
    client.contact("a@example.com")
    by_id = client.contact("b@example.com")
    client.contact("c@example.com", tags=["old client"])
    stays = client.contact("d@example.com")
    reply = client.v2(
        "contact/batchDelete",
        contacts=[
            {"addresseeType": "EMAIL", "value": "a@example.com"},
            {"addresseeType": "CONTACT_ID", "value": by_id},
            {"addresseeType": "TAG", "value": "Old client"},
            {"addresseeType": "EMAIL", "value": "nobody@example.com"},
        ],
    )
    assert reply.body == {"success": True, "message": [], "result": "deleted"}
    assert list(client.state.holdings["sandbox-client"].contacts) == [stays]


def test_has_contact_gives_the_id_or_nothing(client: SandboxClient) -> None:
    contact_id = client.contact()
    known = client.v2("contact/hasContact", email="ANNA@example.com").body
    unknown = client.v2("contact/hasContact", email="nobody@example.com").body
    assert known == {"success": True, "message": [], "result": True, "contactId": contact_id}
    assert unknown == {"success": True, "message": [], "result": False, "contactId": None}


def test_has_contact_without_address_is_refused(client: SandboxClient) -> None:
    assert client.v2("contact/hasContact").body == {"success": False, "message": ["No email specified"]}


def test_users_are_the_account_s_owners(client: SandboxClient) -> None:
    reply = client.v2("user/listByClient")
    assert reply.body["users"] == ["owner@example.com", "second@example.com"]
