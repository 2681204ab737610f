from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox import SandboxClient

FULL: dict[str, Any] = {
    "contact": {
        "name": "Anna Example",
        "phone": "+48500000001",
        "fax": "+48220000001",
        "company": "Example Works",
        "externalId": "cust-7",
        "state": "PARTNER",
        "address": {"streetAddress": "Side Street 3", "zipCode": "11-111", "city": "Gdynia", "country": "PL"},
    },
    "tags": ["new client"],
    "properties": {"size": "M"},
    "birthday": "19790514",
    "province": "Pomorskie",
    "lang": "PL",
    "loyaltyProgram": "INVENTED_CLUB",
    "async": False,
}


def test_every_field_sent_is_on_the_card(client: SandboxClient) -> None:
    contact_id = client.contact(**FULL)
    card = client.card()
    assert card["id"] == contact_id
    assert {name: card[name] for name in ("name", "phone", "fax", "company", "externalId", "state")} == {
        name: FULL["contact"][name] for name in ("name", "phone", "fax", "company", "externalId", "state")
    }
    assert card["address"] == FULL["contact"]["address"]
    assert (card["birthdayYear"], card["birthdayMonth"], card["birthdayDay"]) == ("1979", "05", "14")
    assert card["province"] == "Pomorskie"
    assert card["properties"] == [{"name": "size", "value": "M"}]
    assert card["mainContactOwner"] == "owner@example.com"


def test_upsert_answers_contact_id_and_external_id(client: SandboxClient) -> None:
    reply = client.v2("contact/upsert", contact={"email": "anna@example.com", "externalId": "cust-7"})
    contact_id = client.card()["id"]
    assert reply.body == {"success": True, "message": [], "contactId": contact_id, "externalId": "cust-7"}


def test_address_in_another_case_is_the_same_card(client: SandboxClient) -> None:
    assert client.contact("anna@example.com") == client.contact("Anna@Example.com", contact={"name": "Anna"})
    assert client.card()["name"] == "Anna"
    assert len(client.state.as_dict()["accounts"]["sandbox-client"]["contacts"]) == 1


@pytest.mark.parametrize(
    "own",
    [{}, {"contact": {"name": "", "phone": None, "address": {"city": ""}}, "properties": {"size": ""}, "province": ""}],
)
def test_absent_and_empty_fields_change_nothing(client: SandboxClient, own: dict[str, Any]) -> None:
    client.contact(**FULL)
    before = client.card()
    client.contact(**own)
    after = client.card()
    assert after | {"modifiedOn": 0} == before | {"modifiedOn": 0}


def test_one_field_of_the_address_changes_alone(client: SandboxClient) -> None:
    client.contact(**FULL)
    client.contact(contact={"address": {"city": "Sopot"}})
    assert client.card()["address"] == FULL["contact"]["address"] | {"city": "Sopot"}


def test_new_email_moves_the_card_with_its_events(client: SandboxClient) -> None:
    contact_id = client.contact("old@example.com")
    event_id = client.event("old@example.com")
    reply = client.v2("contact/upsert", contact={"email": "old@example.com"}, newEmail="fresh@example.com")
    assert reply.body["contactId"] == contact_id
    assert client.card("old@example.com") is None
    card = client.card("fresh@example.com")
    assert (card["id"], [event["eventId"] for event in card["contactExtEvents"]]) == (contact_id, [event_id])


def test_old_address_is_free_after_a_move(client: SandboxClient) -> None:
    moved = client.contact("old@example.com")
    client.contact("old@example.com", newEmail="fresh@example.com")
    assert client.contact("old@example.com") != moved


def test_new_email_in_another_case_only_respells_the_address(client: SandboxClient) -> None:
    contact_id = client.contact("anna@example.com")
    assert client.contact("anna@example.com", newEmail="Anna@example.com") == contact_id
    assert client.card()["email"] == "Anna@example.com"


def test_unknown_address_with_new_email_becomes_a_card_at_the_new_one(client: SandboxClient) -> None:
    client.contact("old@example.com", newEmail="fresh@example.com")
    assert client.card("old@example.com") is None
    assert client.card("fresh@example.com")["email"] == "fresh@example.com"


def test_tags_are_upper_case_without_blanks_and_come_once(client: SandboxClient) -> None:
    client.contact(tags=["new client", "NEW_CLIENT", "vip"])
    assert [tag["tag"] for tag in client.card()["contactTags"]] == ["NEW_CLIENT", "VIP"]


def test_remove_tags_removes_however_it_is_spelt(client: SandboxClient) -> None:
    client.contact(tags=["new client", "vip"])
    client.contact(removeTags=["New Client", "unheard"])
    assert [tag["tag"] for tag in client.card()["contactTags"]] == ["VIP"]


def test_tag_scoring_counts_a_tag_that_comes_again(client: SandboxClient) -> None:
    client.contact(tags=["vip"])
    client.contact(tags=["vip"])
    client.contact(tags=["vip"], tagScoring=True)
    card = client.card()
    assert (card["contactTags"][0]["tagWithScore"], card["score"]) == ("VIP (2)", 2)


def test_properties_are_merged_by_name(client: SandboxClient) -> None:
    client.contact(properties={"size": "M", "colour": "red"})
    client.contact(properties={"size": "L"})
    assert client.card()["properties"] == [{"name": "size", "value": "L"}, {"name": "colour", "value": "red"}]


NO_FLAGS = {"forceOptIn": False, "forceOptOut": False, "forcePhoneOptIn": False, "forcePhoneOptOut": False}


@pytest.mark.parametrize(
    ("known", "flags", "opted_out", "opted_out_phone"),
    [
        # A new contact without force flags is opted out, however they are left out.
        (None, {}, True, True),
        (None, NO_FLAGS, True, True),
        (None, {"forceOptIn": True}, False, True),
        (None, {"forcePhoneOptIn": True}, True, False),
        # A known one keeps its status.
        ({"forceOptIn": True, "forcePhoneOptIn": True}, {}, False, False),
        ({"forceOptIn": True}, NO_FLAGS, False, True),
        ({"forceOptIn": True}, {"forceOptOut": True}, True, True),
        ({"forcePhoneOptIn": True}, {"forcePhoneOptOut": True}, True, True),
        # An opt-in beside an opt-out does not act.
        ({"forceOptIn": True}, {"forceOptIn": True, "forceOptOut": True}, True, True),
    ],
)
def test_subscription_status_follows_the_force_flags(
    client: SandboxClient,
    known: dict[str, Any] | None,
    flags: dict[str, Any],
    opted_out: bool,
    opted_out_phone: bool,
) -> None:
    if known is not None:
        client.contact(**known)
    client.contact(**flags)
    card = client.card()
    assert (card["optedOut"], card["optedOutPhone"]) == (opted_out, opted_out_phone)


@pytest.mark.parametrize(
    ("own", "mails"),
    [
        ({}, 0),
        ({"useApiDoubleOptIn": False}, 0),
        ({"useApiDoubleOptIn": True}, 1),
        ({"useApiDoubleOptIn": True, "forceOptIn": True}, 0),
        ({"useApiDoubleOptIn": True, "forceOptOut": True}, 0),
    ],
)
def test_confirmation_mail_goes_only_where_it_is_asked_for_and_makes_sense(
    client: SandboxClient, own: dict[str, Any], mails: int
) -> None:
    contact_id = client.contact(**own)
    assert client.state.holdings["sandbox-client"].contacts[contact_id].confirmation_mails == mails


def test_consents_and_dictionary_properties_are_kept_by_name(client: SandboxClient) -> None:
    contact_id = client.contact(
        consentDetails=[{"consentName": "TERMS", "consentAccept": True, "agreementDate": 1790000000000}],
        dictionaryProperties=[{"name": "points", "type": "NUMBER", "value": 12}],
    )
    contact = client.state.holdings["sandbox-client"].contacts[contact_id]
    assert contact.consents["TERMS"]["consentAccept"] is True
    assert contact.dictionary_properties["points"]["value"] == 12


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"contact": {"phone": "+48500000001"}}, "No email specified"),
        ({}, "No email specified"),
        ({"contact": {"email": ""}}, "No email specified"),
        ({"contact": {"email": "broken@"}}, "Invalid data"),
        ({"contact": {"email": "two words@example.com"}}, "Invalid data"),
        ({"contact": {"email": "a" * 65 + "@example.com"}}, "Invalid data"),
        ({"contact": {"email": "a@" + "b" * 250 + ".com"}}, "Invalid data"),
        ({"contact": {"email": "anna@example.com"}, "newEmail": "broken@"}, "Invalid data"),
        ({"contact": {"email": "anna@example.com"}, "birthday": "14.05.1979"}, "Invalid data"),
        (
            {"contact": {"email": "anna@example.com"}, "loyaltyProgram": "CLUB"},
            "Specified loyalty program does not exist",
        ),
    ],
)
def test_contact_that_cannot_be_used_is_refused_and_not_kept(
    client: SandboxClient, own: dict[str, Any], message: str
) -> None:
    reply = client.v2("contact/upsert", **own)
    assert (reply.status, reply.body["success"], reply.body["message"]) == (200, False, [message])
    assert not client.state.holdings["sandbox-client"].contacts


def test_address_of_64_characters_before_the_at_is_taken(client: SandboxClient) -> None:
    assert client.contact("a" * 64 + "@example.com")
