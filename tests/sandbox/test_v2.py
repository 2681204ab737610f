from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, SandboxClient, signed

NOT_AUTHENTICATED = {"success": False, "message": ["Not authenticated"]}


def test_sha_is_the_sha1_of_api_key_client_id_and_secret() -> None:
    # sha1("any-stringsandbox-clientinvented-secret"), computed with sha1sum.
    assert ACCOUNT.sign("any-string") == "583522e86c4025150035e7c885712cf1118386c1"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"clientId": "nobody"},
        {"clientId": None},
        {"clientId": ["sandbox-client"]},
        {"sha": "0" * 40},
        {"sha": ACCOUNT.sign("any-string").upper()},
        {"sha": None},
        {"apiKey": "another-string"},
        {"apiKey": ""},
        {"apiKey": 7},
        {"requestTime": None},
        {"requestTime": "soon"},
        {"requestTime": True},
    ],
)
def test_wrong_credentials_are_refused_in_a_200(client: SandboxClient, spoilt: dict[str, Any]) -> None:
    reply = client.send("POST", "/api/contact/hasContact", signed(email="anna@example.com") | spoilt)
    assert (reply.status, reply.body) == (200, NOT_AUTHENTICATED)


def test_seconds_and_milliseconds_both_do_as_request_time(client: SandboxClient) -> None:
    assert client.v2("contact/hasContact", email="a@example.com", requestTime=1790000000).body["success"]
    assert client.v2("contact/hasContact", email="a@example.com", requestTime=1790000000123).body["success"]


def test_api_key_may_be_any_string_as_long_as_it_is_signed(client: SandboxClient) -> None:
    reply = client.v2("contact/hasContact", apiKey="x", sha=ACCOUNT.sign("x"), email="a@example.com")
    assert reply.body["success"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"clientId": NaN}'])
def test_body_that_is_no_json_object_answers_400_without_body(client: SandboxClient, text: str) -> None:
    reply = client.send("POST", "/api/contact/upsert", text)
    assert (reply.status, reply.text) == (400, "")


@pytest.mark.parametrize(
    "own",
    [
        {"contact": "anna@example.com"},
        {"contact": {"email": ["anna@example.com"]}},
        {"contact": {"email": "anna@example.com", "state": "customer"}},
        {"contact": {"email": "anna@example.com", "address": "Street 1"}},
        {"contact": {"email": "anna@example.com"}, "forceOptIn": "yes"},
        {"contact": {"email": "anna@example.com"}, "tags": "VIP"},
        {"contact": {"email": "anna@example.com"}, "properties": [{"name": "a", "value": "b"}]},
    ],
)
def test_value_of_a_wrong_type_answers_400_and_changes_nothing(client: SandboxClient, own: dict[str, Any]) -> None:
    reply = client.v2("contact/upsert", **own)
    assert (reply.status, reply.text) == (400, "")
    assert client.card() is None


@pytest.mark.parametrize("owner", [None, "", "stranger@example.com"])
def test_owner_has_to_be_a_user_of_the_account(client: SandboxClient, owner: str | None) -> None:
    reply = client.v2("contact/upsert", owner=owner, contact={"email": "anna@example.com"})
    assert (reply.status, reply.body) == (200, {"success": False, "message": ["User cannot be empty"]})


def test_accounts_do_not_see_each_other(client: SandboxClient) -> None:
    client.contact("anna@example.com")
    assert client.v2("contact/hasContact", OTHER_ACCOUNT, email="anna@example.com").body["result"] is False


def test_only_post_is_answered(client: SandboxClient) -> None:
    assert client.send("GET", "/api/contact/upsert").status == 405
    assert client.send("POST", "/api/contact/unheard", signed()).status == 404
