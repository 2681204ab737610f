from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.support.sandbox import ACCOUNT, API_KEY, OTHER_ACCOUNT, SandboxClient

ASYNC: dict[str, Any] = {"async": False}  # a word of Python's own


def test_state_holds_everything_that_was_sent(client: SandboxClient) -> None:
    contact_id = client.contact(contact={"name": "Anna"}, tags=["vip"])
    event_id = client.event(value=Decimal("59.90"), externalId="order-9")
    catalog_id = client.catalog()
    product = {"productId": "71", "name": "Mug", "mainCategory": "Kitchen", "price": Decimal("14.90")}
    client.v3("upsert", {"catalogId": catalog_id, "products": [product]})
    client.contact("gone@example.com")
    client.v2("contact/delete", email="gone@example.com", permanently=True)
    held = client.send("GET", "/_sandbox/state").body["accounts"][ACCOUNT.client_id]
    (contact,) = held["contacts"]
    (event,) = contact["events"]
    assert (contact["contact_id"], contact["email"], contact["fields"]["name"]) == (
        contact_id,
        "anna@example.com",
        "Anna",
    )
    assert (event["event_id"], str(event["value"]), event["externalId"]) == (event_id, "59.90", "order-9")
    assert held["catalogs"][0]["location"] == "example_shop"
    assert held["catalogs"][0]["products"] == [product]
    assert [(gone["email"], gone["permanently"]) for gone in held["deleted"]] == [("gone@example.com", True)]


def test_state_of_one_account_alone(client: SandboxClient) -> None:
    reply = client.send("GET", f"/_sandbox/state?account={OTHER_ACCOUNT.client_id}")
    assert list(reply.body["accounts"]) == [OTHER_ACCOUNT.client_id]
    assert client.send("GET", "/_sandbox/state?account=nobody").status == 404


def test_calls_are_written_down_with_what_they_were_answered(client: SandboxClient) -> None:
    client.v2("contact/upsert", contact={"email": "anna@example.com"}, **ASYNC)
    client.v2("contact/delete", email="nobody@example.com")
    client.v2("contact/upsert", contact="anna")
    client.v3("catalogList")
    client.v3("catalogList", key="wrong")
    journal = client.send("GET", "/_sandbox/calls").body
    assert journal["total"] == 5
    assert [(call["path"], call["status"], call["success"], call["account"]) for call in journal["calls"]] == [
        ("/api/contact/upsert", 200, True, ACCOUNT.client_id),
        ("/api/contact/delete", 200, False, ACCOUNT.client_id),
        ("/api/contact/upsert", 400, False, ACCOUNT.client_id),
        ("/v3/product/catalogList", 200, True, ACCOUNT.client_id),
        ("/v3/product/catalogList", 400, False, None),
    ]
    assert journal["calls"][0]["body"]["contact"] == {"email": "anna@example.com"}
    assert journal["calls"][0]["body"]["async"] is False
    assert journal["calls"][1]["answer"]["message"] == ["Contact not found"]
    assert {"path": "/api/contact/upsert", "status": 400, "success": False, "count": 1} in journal["counts"]


def test_calls_and_state_hold_no_credentials(client: SandboxClient) -> None:
    client.contact()
    client.catalog()
    shown = "".join(client.send("GET", path).text for path in ("/_sandbox/calls", "/_sandbox/state", "/"))
    for secret in (ACCOUNT.api_secret, ACCOUNT.v3_key, ACCOUNT.sign(API_KEY), API_KEY):
        assert secret not in shown
    assert ACCOUNT.api_secret not in repr(ACCOUNT) and ACCOUNT.v3_key not in repr(ACCOUNT)


def test_fault_and_missing_answer_are_written_down(client: SandboxClient) -> None:
    client.fault("throttle")
    client.v2("contact/hasContact", email="a@example.com")
    (call,) = client.send("GET", "/_sandbox/calls").body["calls"]
    assert (call["fault"], call["status"]) == ("throttle", 429)


def test_only_the_last_calls_are_kept_but_all_are_counted(client: SandboxClient) -> None:
    for _ in range(1005):
        client.v3("catalogList")
    journal = client.send("GET", "/_sandbox/calls").body
    assert (journal["total"], len(journal["calls"]), journal["calls"][0]["number"]) == (1005, 1000, 6)
    assert journal["counts"][0]["count"] == 1005


def test_reset_forgets_everything_but_the_accounts(client: SandboxClient) -> None:
    client.contact()
    client.fault("fail", times=None)
    client.turn(bad_product="accept_good")
    client.send("POST", "/_sandbox/reset")
    assert client.send("GET", "/_sandbox/calls").body["total"] == 0
    assert client.send("GET", "/_sandbox/faults").body["faults"] == []
    assert client.state.switches.changed() == {}
    assert client.card() is None


def test_switches_are_listed_with_basis_and_turned(client: SandboxClient) -> None:
    behaviours = client.send("POST", "/_sandbox/switches", {"delete_unknown_contact": "accept"}).body["behaviours"]
    by_name = {behaviour["name"]: behaviour for behaviour in behaviours}
    assert by_name["delete_unknown_contact"]["on"] == "accept"
    assert by_name["delete_unknown_contact"]["basis"] == "inferred"
    assert (by_name["sha"]["basis"], by_name["sha"]["options"], by_name["sha"]["on"]) == ("documented", [], None)
    assert client.v2("contact/delete", email="nobody@example.com").body["success"] is True
    assert client.send("GET", "/_sandbox/switches").body["behaviours"] == behaviours


def test_mistaken_switch_is_explained(client: SandboxClient) -> None:
    bodies: list[Any] = [{"unheard": "on"}, {"bad_product": ["accept_good"]}, "{", []]
    for body in bodies:
        reply = client.send("POST", "/_sandbox/switches", body)
        assert (reply.status, bool(reply.body["message"])) == (400, True)
    assert client.state.switches.changed() == {}
