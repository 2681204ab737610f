"""Every option of every switch is shown to make its difference; a switch without a scenario here fails the suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from sandbox.behaviours import BEHAVIOURS, Basis, Switches
from tests.support.sandbox import ACCOUNT, REQUEST_TIME, SandboxClient

PURCHASE: Mapping[str, Any] = {"date": REQUEST_TIME, "contactExtEventType": "PURCHASE", "value": 10, "products": "71"}
PRODUCT: Mapping[str, Any] = {"productId": "71", "name": "Mug", "mainCategory": "Kitchen"}
NOBODY = "nobody@example.com"


def verdict(reply: Any) -> str:
    """Name a v2 answer in one word."""
    if reply.status == 400 and not reply.text:
        return "malformed"
    return "done" if reply.body["success"] else "refused"


def asked(client: SandboxClient, path: str, **own: Any) -> str:
    return verdict(client.v2(path, **own))


def add(client: SandboxClient, email: str = "anna@example.com", forced: bool = False, **own: Any) -> Any:
    event = {**PURCHASE, **own}
    return client.v2("v2/contact/addContactExtEvent", email=email, forceOptIn=forced, contactEvent=event)


def kept_event(client: SandboxClient) -> Any:
    (event,) = client.card()["contactExtEvents"]
    return event


def known_then(client: SandboxClient, **own: Any) -> SandboxClient:
    client.contact(**own)
    return client


def refused_credentials(client: SandboxClient) -> Any:
    return client.v2("contact/hasContact", sha="0")


def request_times(client: SandboxClient) -> list[str]:
    times: list[Any] = [1790000000, 1790000000000, "1790000000000"]
    return [asked(client, "contact/hasContact", email=NOBODY, requestTime=time) for time in times]


def unknown_key(client: SandboxClient) -> str:
    return asked(client, "contact/upsert", contact={"email": "anna@example.com", "nickname": "An"})


def long_detail(client: SandboxClient) -> Any:
    client.contact()
    reply = add(client, detail1="x" * 300)
    return len(kept_event(client)["detail1"]) if reply.body["success"] else "refused"


def third_decimal(client: SandboxClient) -> Any:
    client.contact()
    reply = add(client, value=Decimal("1.005"))
    return str(kept_event(client)["value"]) if reply.body["success"] else "refused"


def empty_name(client: SandboxClient) -> Any:
    client.contact(contact={"name": "Anna"})
    client.contact(contact={"name": ""})
    return client.card()["name"]


def insert_known(client: SandboxClient) -> str:
    return asked(known_then(client), "contact/insert", contact={"email": "anna@example.com"})


def update_unknown(client: SandboxClient) -> tuple[str, bool]:
    answer = asked(client, "contact/update", contact={"email": NOBODY})
    return answer, client.card(NOBODY) is not None


def move_to_a_taken_address(client: SandboxClient) -> tuple[str, list[str]]:
    client.contact("old@example.com")
    client.contact("fresh@example.com")
    answer = asked(client, "contact/upsert", contact={"email": "old@example.com"}, newEmail="fresh@example.com")
    return answer, [contact.email for contact in client.state.holdings[ACCOUNT.client_id].contacts.values()]


def move_twice(client: SandboxClient) -> list[str]:
    for _ in range(2):
        client.contact("old@example.com", newEmail="fresh@example.com")
    return [contact.email for contact in client.state.holdings[ACCOUNT.client_id].contacts.values()]


def delete_known(client: SandboxClient) -> Any:
    reply = known_then(client).v2("contact/delete", email="anna@example.com")
    return reply.body and reply.body["result"], reply.text == ""


def batch_with_a_bad_item(client: SandboxClient) -> tuple[str, int]:
    details = [{"contact": {"email": "anna@example.com"}}, {"contact": {"email": "broken@"}}]
    answer = asked(client, "contact/batchupsert", upsertDetails=details)
    return answer, len(client.state.holdings[ACCOUNT.client_id].contacts)


def batch_of_1001(client: SandboxClient) -> str:
    return asked(client, "contact/batchupsert", upsertDetails=[{"contact": {"email": "anna@example.com"}}] * 1001)


def job_id(client: SandboxClient) -> type:
    return type(client.v2("contact/batchupsertv2", upsertDetails=[]).body["requestId"])


def job_states(client: SandboxClient) -> list[str]:
    request_id = client.v2("contact/batchupsertv2", upsertDetails=[]).body["requestId"]
    return [asked(client, "job/status", requestId=request_id) for _ in range(2)]


def partial_update(client: SandboxClient) -> bool:
    client.contact()
    changed = {"eventId": client.event(products="71"), "contactExtEventType": "CART"}
    client.v2("v2/contact/updateContactExtEvent", contactEvent=changed)
    return "products" in kept_event(client)


def event_for_nobody(client: SandboxClient) -> list[tuple[str, bool]]:
    plain = verdict(add(client, NOBODY)), client.card(NOBODY) is not None
    return [plain, (verdict(add(client, NOBODY, forced=True)), client.card(NOBODY) is not None)]


def update_of_no_event(client: SandboxClient) -> str:
    return asked(client, "v2/contact/updateContactExtEvent", contactEvent={**PURCHASE, "eventId": "unheard"})


def update_by_external_id(client: SandboxClient) -> str:
    client.contact()
    client.event(externalId="order-9")
    return asked(client, "v2/contact/updateContactExtEvent", contactEvent={**PURCHASE, "externalId": "order-9"})


def delete_by_external_id(client: SandboxClient) -> str:
    client.contact()
    client.event(externalId="order-9")
    return asked(client, "v2/contact/deleteContactExtEvent", externalId="order-9")


def both_ids(client: SandboxClient) -> str:
    contact_id = client.contact()
    own = {"email": "anna@example.com", "contactId": contact_id, "contactEvent": PURCHASE}
    return asked(client, "v2/contact/addContactExtEvent", **own)


def event_variant(**own: Any) -> Callable[[SandboxClient], str]:
    return lambda client: verdict(add(known_then(client), **own))


def good_contact_and_bad_event(client: SandboxClient) -> tuple[str, bool]:
    parts = {
        "contactUpsertRequest": {"owner": ACCOUNT.owners[0], "contact": {"email": "anna@example.com"}},
        "addContactExtEventRequest": {"owner": ACCOUNT.owners[0], "email": NOBODY, "contactEvent": PURCHASE},
    }
    return asked(client, "integration/upsert", **parts), client.card() is not None


def event_key(client: SandboxClient) -> Any:
    client.contact()
    client.event()
    return {"eventId", "id"} & kept_event(client).keys()


def status_of_an_unknown_catalogue(client: SandboxClient) -> int:
    return client.v3("catalogDelete", {"catalogId": "unheard"}).status


def upsert(client: SandboxClient, *products: Any) -> Any:
    catalog_id = client.catalog()
    reply = client.v3("upsert", {"catalogId": catalog_id, "products": products})
    return reply, client.state.holdings[ACCOUNT.client_id].catalogs[catalog_id].products


def good_and_bad_product(client: SandboxClient) -> tuple[int, list[str]]:
    reply, held = upsert(client, PRODUCT, {"productId": "72"})
    return reply.status, list(held)


def long_description(client: SandboxClient) -> int:
    return int(upsert(client, {**PRODUCT, "description": "d" * 16385})[0].status)


def long_product_id(client: SandboxClient) -> int:
    return int(upsert(client, {**PRODUCT, "productId": "7" * 33})[0].status)


def product_sent_again(client: SandboxClient) -> bool:
    catalog_id = client.catalog()
    for product in ({**PRODUCT, "price": 5}, PRODUCT):
        client.v3("upsert", {"catalogId": catalog_id, "products": [product]})
    return "price" in client.state.holdings[ACCOUNT.client_id].catalogs[catalog_id].products["71"]


def quantity_of_an_unknown_product(client: SandboxClient) -> int:
    products = [{"productId": "9", "quantity": 1}]
    return client.v3("updateQuantity", {"catalogId": client.catalog(), "products": products}).status


def same_location_twice(client: SandboxClient) -> int:
    client.catalog()
    return client.v3("catalogUpsert", {"name": "B", "currency": "EUR", "location": "example_shop"}).status


SCENARIOS: Mapping[str, tuple[Callable[[SandboxClient], Any], Mapping[str, Any]]] = {
    "auth_status": (lambda c: refused_credentials(c).status, {"200": 200, "401": 401, "403": 403}),
    "auth_text": (
        lambda c: refused_credentials(c).body["message"],
        {"Not authenticated": ["Not authenticated"], "User not authenticated": ["User not authenticated"]},
    ),
    "request_time": (
        request_times,
        {
            "integer": ["done", "done", "refused"],
            "milliseconds": ["refused", "done", "refused"],
            "digits": ["done", "done", "done"],
        },
    ),
    "missing_owner": (
        lambda c: asked(c, "contact/hasContact", owner="", email=NOBODY),
        {"refuse": "refused", "accept": "done"},
    ),
    "unknown_owner": (
        lambda c: asked(c, "contact/hasContact", owner=NOBODY, email=NOBODY),
        {"refuse": "refused", "accept": "done"},
    ),
    "unknown_fields": (unknown_key, {"ignore": "done", "malformed": "malformed"}),
    "over_limit": (long_detail, {"refuse": "refused", "cut": 255, "store": 300}),
    "over_precise_amount": (third_decimal, {"refuse": "refused", "round": "1.01"}),
    "empty_field": (empty_name, {"unchanged": "Anna", "clears": None}),
    "insert_existing": (insert_known, {"refuse": "refused", "update": "done"}),
    "update_missing": (update_unknown, {"refuse": ("refused", False), "create": ("done", True)}),
    "email_change_taken": (
        move_to_a_taken_address,
        {
            "refuse": ("refused", ["old@example.com", "fresh@example.com"]),
            "keep_both": ("done", ["old@example.com", "fresh@example.com"]),
        },
    ),
    "email_change_repeated": (
        move_twice,
        {"update": ["fresh@example.com"], "create_old": ["fresh@example.com", "old@example.com"]},
    ),
    "delete_unknown_contact": (
        lambda c: asked(c, "contact/delete", email=NOBODY),
        {"refuse": "refused", "accept": "done"},
    ),
    "delete_result": (
        delete_known,
        {"null": (None, False), "text": ("Contact deleted", False), "empty_body": (None, True)},
    ),
    "batch_upsert_bad_item": (batch_with_a_bad_item, {"skip": ("done", 1), "refuse_all": ("refused", 0)}),
    "batch_upsert_size": (batch_of_1001, {"refuse": "refused", "accept": "done"}),
    "job_request_id": (job_id, {"number": int, "text": str}),
    "job_status": (job_states, {"done": ["done", "done"], "running_once": ["refused", "done"]}),
    "integration_refused_event": (
        good_contact_and_bad_event,
        {"nothing": ("refused", False), "contact": ("refused", True)},
    ),
    "event_update": (partial_update, {"replace": False, "merge": True}),
    "event_unknown_contact": (
        event_for_nobody,
        {
            "refuse": [("refused", False), ("refused", False)],
            "silent": [("done", False), ("done", False)],
            "create_when_forced": [("refused", False), ("done", True)],
        },
    ),
    "event_update_unknown": (update_of_no_event, {"refuse": "refused", "silent": "done"}),
    "event_update_by_external_id": (update_by_external_id, {"refuse": "refused", "accept": "done"}),
    "event_delete_unknown": (
        lambda c: asked(c, "v2/contact/deleteContactExtEvent", eventId="unheard"),
        {"refuse": "refused", "accept": "done"},
    ),
    "event_delete_by_external_id": (delete_by_external_id, {"accept": "done", "refuse": "refused"}),
    "event_both_ids": (both_ids, {"contact_id_wins": "done", "refuse": "refused"}),
    "event_wrong_type": (
        event_variant(contactExtEventType="Purchase"),
        {"malformed": "malformed", "refuse": "refused"},
    ),
    "event_empty": (event_variant(value=None, products=None), {"accept": "done", "refuse": "refused"}),
    "event_location_form": (event_variant(location="Main Street 1"), {"refuse": "refused", "accept": "done"}),
    "event_iso_date": (event_variant(date="2026-09-21T13:33:20Z"), {"malformed": "malformed", "accept": "done"}),
    "card_event_key": (event_key, {"eventId": {"eventId"}, "id": {"id"}, "absent": set()}),
    "v3_refusal_status": (status_of_an_unknown_catalogue, {"400": 400, "404": 404, "422": 422}),
    "bad_product": (good_and_bad_product, {"refuse_all": (400, []), "accept_good": (200, ["71"])}),
    "over_long_product_text": (long_description, {"trim": 200, "refuse": 400}),
    "disputed_product_limits": (long_product_id, {"wide": 200, "narrow": 400}),
    "absent_product_field": (product_sent_again, {"unchanged": True, "cleared": False}),
    "unknown_product": (quantity_of_an_unknown_product, {"refuse": 400, "ignore": 200}),
    "catalog_location_twice": (same_location_twice, {"refuse": 400, "accept": 200}),
}


def cases() -> Iterator[Any]:
    for name, (scenario, outcomes) in SCENARIOS.items():
        for option, outcome in outcomes.items():
            yield pytest.param(name, option, scenario, outcome, id=f"{name}={option}")


@pytest.mark.parametrize(("name", "option", "scenario", "outcome"), list(cases()))
def test_option_makes_its_difference(
    client: SandboxClient, name: str, option: str, scenario: Callable[[SandboxClient], Any], outcome: Any
) -> None:
    client.turn(**{name: option})
    assert scenario(client) == outcome


def test_every_option_of_every_switch_has_a_scenario() -> None:
    assert {name: set(outcomes) for name, (_, outcomes) in SCENARIOS.items()} == {
        behaviour.name: set(behaviour.options) for behaviour in BEHAVIOURS if behaviour.options
    }


def test_only_what_is_not_documented_can_be_switched_and_all_of_it_can() -> None:
    for behaviour in BEHAVIOURS:
        if behaviour.basis is Basis.INFERRED:
            assert len(behaviour.options) > 1, behaviour.name
        if behaviour.basis is Basis.DOCUMENTED:
            assert not behaviour.options, behaviour.name


def test_names_are_unique() -> None:
    assert len({behaviour.name for behaviour in BEHAVIOURS}) == len(BEHAVIOURS)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"bad_product": "accept_good", "unheard": "on"}, "there is no switch unheard"),
        (
            {"bad_product": "accept_good", "auth_status": "999"},
            "auth_status has no option 999; choose 200 or 401 or 403",
        ),
    ],
)
def test_mistaken_turn_is_explained_and_turns_nothing(wanted: dict[str, str], message: str) -> None:
    switches = Switches()
    with pytest.raises(ValueError, match=message):
        switches.turn(wanted)
    assert switches.changed() == {}


def test_clear_turns_everything_back() -> None:
    switches = Switches()
    switches.turn({"bad_product": "accept_good"})
    assert switches.changed() == {"bad_product": "accept_good"}
    switches.clear()
    assert switches.changed() == {}
    assert switches["bad_product"] == "refuse_all"
