"""The client as the worker uses it, against an HTTP server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from relay import jsontext
from relay.clock import ManualClock
from relay.commands import CommandKind
from relay.errors import (
    AnswerLost,
    CatalogRefused,
    SettingsRefused,
    TemporaryFailure,
    UnclearRefusal,
)
from relay.salesmanago.client import Client
from relay.salesmanago.replies import Answer
from relay.salesmanago.search import MISSING, UNCLEAR, Search
from relay.shops import Catalog, Group
from tests.support.outgoing import CREDENTIALS, NOW, command, group_at

EVENT = {"date": 1767261600000, "contactExtEventType": "PURCHASE", "value": Decimal("249.90"), "externalId": "1001"}
ADD = "/api/v2/contact/addContactExtEvent"
PRODUCTS = "/v3/product/upsert"


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client(ManualClock(NOW), connect_timeout_s=1, read_timeout_s=0.5)
    yield made
    made.close()


@pytest.fixture
def group(httpserver: HTTPServer) -> Group:
    return group_at(httpserver.url_for(""))


def sent(httpserver: HTTPServer) -> Any:
    """Give the body of the only call."""
    [(request, _)] = httpserver.log
    return jsontext.loads(request.get_data())


def ok(**fields: Any) -> dict[str, Any]:
    return {"success": True, "message": [], **fields}


def test_contact_is_upserted_with_credentials_around_the_payload(
    client: Client, group: Group, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/contact/upsert", method="POST").respond_with_json(ok(contactId="c-1"))
    payload = {"contact": {"email": "anna@example.com"}, "forceOptIn": False, "useApiDoubleOptIn": False}
    answer = client.send(group, [command(CommandKind.CONTACT_UPSERT, payload)])
    assert answer == Answer(status=200, contact_id="c-1")
    assert sent(httpserver) == {**CREDENTIALS, "async": False, **payload}
    headers = httpserver.log[0][0].headers
    assert headers["Accept"] == "application/json, application/json"
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["User-Agent"].startswith("salesmanago-relay")


def test_secret_itself_never_travels(client: Client, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/contact/delete").respond_with_json(ok(result=None))
    client.send(group, [command(CommandKind.CONTACT_DELETE, {"email": "anna@example.com"})])
    assert b"invented-secret" not in httpserver.log[0][0].get_data()


def test_contact_that_is_gone_counts_as_deleted(client: Client, group: Group, httpserver: HTTPServer) -> None:
    refusal = {"success": False, "message": ["Contact not found"]}
    httpserver.expect_request("/api/contact/delete").respond_with_json(refusal)
    answer = client.send(group, [command(CommandKind.CONTACT_DELETE, {"email": "anna@example.com"}, contact_id="c-1")])
    assert answer == Answer(status=200, problems=("There was nothing to delete: Contact not found",))


def test_event_is_added_with_its_value_digit_for_digit(client: Client, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(ADD).respond_with_json(ok(eventId="e-1"))
    answer = client.send(group, [command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, contact_id="c-1")])
    assert (answer.event_id, answer.contact_id, answer.problems) == ("e-1", "c-1", ())
    assert sent(httpserver) == {**CREDENTIALS, "contactId": "c-1", "forceOptIn": False, "contactEvent": EVENT}
    assert b'"value":249.90,' in httpserver.log[0][0].get_data()


def test_event_added_without_an_id_is_done_with_a_note(client: Client, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(ADD).respond_with_json(ok())
    answer = client.send(group, [command(CommandKind.EVENT_PUT, {"contactEvent": EVENT})])
    assert answer.event_id is None
    assert len(answer.problems) == 1


def test_updated_event_keeps_its_id_though_the_answer_is_silent(
    client: Client, group: Group, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/v2/contact/updateContactExtEvent").respond_with_json(ok())
    answer = client.send(group, [command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, event_id="e-1")])
    assert answer == Answer(status=200, event_id="e-1")


def test_deleting_an_event_that_was_never_sent_makes_no_call(
    client: Client, group: Group, httpserver: HTTPServer
) -> None:
    answer = client.send(group, [command(CommandKind.EVENT_DELETE, {})])
    assert answer.status is None
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("kind", "error"), [(CommandKind.EVENT_PUT, AnswerLost), (CommandKind.CONTACT_UPSERT, TemporaryFailure)]
)
def test_bad_gateway_loses_the_answer_only_where_a_repeat_would_harm(
    client: Client, group: Group, httpserver: HTTPServer, kind: CommandKind, error: type[Exception]
) -> None:
    httpserver.expect_request(ADD).respond_with_data("no", status=502)
    httpserver.expect_request("/api/contact/upsert").respond_with_data("no", status=502)
    with pytest.raises(error) as caught:
        client.send(group, [command(kind, {"contactEvent": EVENT})])
    assert type(caught.value) is error


def test_refusal_repeats_nothing_of_the_contact(client: Client, group: Group, httpserver: HTTPServer) -> None:
    words = "Anna Example of Lodz (anna@example.com) was refused by client-77 for odd reasons"
    httpserver.expect_request("/api/contact/upsert").respond_with_json({"success": False, "message": words})
    contact = {"email": "anna@example.com", "name": "Anna Example", "address": {"city": "Lodz"}}
    with pytest.raises(UnclearRefusal) as caught:
        client.send(group, [command(CommandKind.CONTACT_UPSERT, {"contact": contact})])
    assert str(caught.value) == "*** of *** (***) was refused by *** for odd reasons"


def product(number: int, **changes: Any) -> Any:
    payload = {"productId": str(number), "name": "Shirt", "price": Decimal("10.00")}
    return command(CommandKind.PRODUCT_UPSERT, payload, subject=f"product:acme_shop:{number}", email=None, **changes)


def test_products_share_one_call(client: Client, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PRODUCTS, headers={"API-KEY": "V3KEY"}).respond_with_json(
        {"productIds": ["1", "2"], "problems": [{"reasonCode": 12, "message": "products[0].name|max:1|Trimmed"}]}
    )
    answer = client.send(group, [product(1), product(2)])
    assert answer == Answer(status=200, product_ids=("1", "2"), problems=("products[0].name|max:1|Trimmed",))
    assert sent(httpserver) == {
        "catalogId": "cat-1",
        "products": [
            {"productId": "1", "name": "Shirt", "price": Decimal(10)},
            {"productId": "2", "name": "Shirt", "price": Decimal(10)},
        ],
    }


def test_refused_products_are_told_by_their_place(client: Client, group: Group, httpserver: HTTPServer) -> None:
    problems = [{"reasonCode": 11, "message": "products[1].name|min:1|max:255|Field exceeds limit"}]
    httpserver.expect_request(PRODUCTS).respond_with_json({"problems": problems}, status=400)
    with pytest.raises(CatalogRefused) as caught:
        client.send(group, [product(1), product(2)])
    assert caught.value.items == {1: "products[1].name|min:1|max:255|Field exceeds limit"}


UNKNOWN = {"reasonCode": 16, "messages": ["Resource not present"]}


def test_unknown_configured_catalogue_pauses(client: Client, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PRODUCTS).respond_with_json(UNKNOWN, status=400)
    with pytest.raises(SettingsRefused, match=r"catalog\.id of group main"):
        client.send(group, [product(1)])


def test_vanished_catalogue_is_looked_for_again(client: Client, group: Group, httpserver: HTTPServer) -> None:
    group = replace(group, catalog=Catalog(endpoint=group.endpoint, api_key="V3KEY"))
    first, second = ({"catalogs": [{"catalogId": name, "location": "acme_shop"}]} for name in ("cat-5", "cat-6"))
    httpserver.expect_ordered_request("/v3/product/catalogList").respond_with_json(first)
    httpserver.expect_ordered_request(PRODUCTS).respond_with_json(UNKNOWN, status=400)
    httpserver.expect_ordered_request("/v3/product/catalogList").respond_with_json(second)
    httpserver.expect_ordered_request(PRODUCTS).respond_with_json({"productIds": ["1"]})
    with pytest.raises(TemporaryFailure, match="looked for again"):
        client.send(group, [product(1)])
    assert client.send(group, [product(1)]).product_ids == ("1",)
    assert jsontext.loads(httpserver.log[-1][0].get_data())["catalogId"] == "cat-6"


def test_batch_that_cannot_be_one_call_is_a_mistake_of_ours(client: Client, group: Group) -> None:
    contact = command(CommandKind.CONTACT_DELETE, {"email": "anna@example.com"})
    for batch in (
        [contact, contact],
        [product(1), contact],
        [product(1), product(2, location="second_shop")],
        [product(number) for number in range(101)],
    ):
        with pytest.raises(ValueError, match=r"share a call|of one location"):
            client.send(group, batch)


LISTED = {**EVENT, "eventId": "e-1", "value": 249.9}


@pytest.mark.parametrize(
    ("contact_id", "path", "asked"),
    [
        ("c-1", "/api/contact/listAllById", {"contactId": ["c-1"]}),
        (None, "/api/contact/listAll", {"email": ["anna@example.com"]}),
    ],
)
@pytest.mark.parametrize(
    ("contacts", "found"),
    [
        ([{"id": "c-1", "contactExtEvents": [LISTED]}], Search(found=True, event_id="e-1")),
        ([{"id": "c-1", "contactExtEvents": []}], MISSING),
        ([{"id": "c-1"}], UNCLEAR),
        ([], MISSING),
    ],
)
def test_event_of_a_lost_answer_is_looked_for_in_the_card(
    client: Client,
    group: Group,
    httpserver: HTTPServer,
    contact_id: str | None,
    path: str,
    asked: dict[str, Any],
    contacts: list[Any],
    found: Search,
) -> None:
    httpserver.expect_request(path).respond_with_json(ok(contacts=contacts))
    lost = command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, contact_id=contact_id)
    assert client.find_event(group, lost) == found
    assert sent(httpserver) == {**CREDENTIALS, **asked}


def test_event_of_nobody_cannot_be_found(client: Client, group: Group) -> None:
    assert client.find_event(group, command(CommandKind.EVENT_PUT, {"contactEvent": EVENT}, email=None)) == UNCLEAR


def test_card_is_given_as_salesmanago_has_it(client: Client, group: Group, httpserver: HTTPServer) -> None:
    card = {"id": "c-1", "email": "anna@example.com", "score": 2, "contactTags": [{"tag": "VIP"}]}
    httpserver.expect_request("/api/contact/listAllById").respond_with_json(ok(contacts=[card]))
    assert client.contact_card(group, "c-1") == card


def test_card_of_an_unknown_contact_is_none(client: Client, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/contact/listAllById").respond_with_json(ok(contacts=[]))
    assert client.contact_card(group, "c-9") is None


def test_redirect_is_refused_before_any_secret_reaches_another_host(
    client: Client, group: Group, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/contact/upsert").respond_with_data(
        status=308, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    with pytest.raises(SettingsRefused, match="redirects to"):
        client.send(group, [command(CommandKind.CONTACT_UPSERT, {"contact": {"email": "anna@example.com"}})])
    assert len(httpserver.log) == 1
