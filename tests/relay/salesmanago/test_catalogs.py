"""Which catalogue an e-shop's products go to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from relay import jsontext
from relay.clock import ManualClock
from relay.errors import CredentialsRefused, SettingsRefused
from relay.salesmanago.catalogs import Catalogs
from relay.salesmanago.transport import Transport
from relay.shops import Catalog, Group
from tests.support.outgoing import NOW, group_at

LIST, UPSERT = "/v3/product/catalogList", "/v3/product/catalogUpsert"


@pytest.fixture
def catalogs() -> Iterator[Catalogs]:
    transport = Transport(connect_timeout_s=1, read_timeout_s=5, pool_size=4, user_agent="relay-test/1")
    yield Catalogs(transport, ManualClock(NOW))
    transport.close()


@pytest.fixture
def group(httpserver: HTTPServer) -> Group:
    endpoint = httpserver.url_for("")
    return replace(group_at(endpoint), catalog=Catalog(endpoint=endpoint, api_key="V3KEY"))


def listing(*catalogs: dict[str, Any]) -> dict[str, Any]:
    return {"requestId": "r-1", "catalogs": list(catalogs), "limits": {"max": 5}}


def catalog(catalog_id: str, **fields: Any) -> dict[str, Any]:
    return {"catalogId": catalog_id, "name": "Other", "location": "other_shop", "currency": "EUR", **fields}


def paths(httpserver: HTTPServer) -> list[str]:
    return [request.path for request, _ in httpserver.log]


def test_configured_catalogue_needs_no_call(catalogs: Catalogs, httpserver: HTTPServer) -> None:
    assert catalogs.id_of(group_at(httpserver.url_for("")), "acme_shop") == "cat-1"
    assert paths(httpserver) == []


def test_configured_catalogue_is_not_that_of_another_location(catalogs: Catalogs, httpserver: HTTPServer) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing(catalog("cat-2", location="second_shop")))
    assert catalogs.id_of(group_at(httpserver.url_for("")), "second_shop") == "cat-2"


@pytest.mark.parametrize(
    "listed",
    [
        [catalog("cat-9"), catalog("cat-2", location="acme_shop")],
        [catalog("cat-9", name="acme_shop", location=None), catalog("cat-2", location="acme_shop")],
        [catalog("cat-9", name="acme_shop", location="elsewhere"), catalog("cat-2", name="acme_shop", location="")],
    ],
)
def test_catalogue_is_found_by_location_or_else_by_name(
    catalogs: Catalogs, group: Group, httpserver: HTTPServer, listed: list[dict[str, Any]]
) -> None:
    httpserver.expect_request(LIST, headers={"API-KEY": "V3KEY"}).respond_with_json(listing(*listed))
    assert catalogs.id_of(group, "acme_shop") == "cat-2"


def test_catalogue_is_looked_for_once(catalogs: Catalogs, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing(catalog("cat-2", location="acme_shop")))
    assert {catalogs.id_of(group, "acme_shop") for _ in range(3)} == {"cat-2"}
    assert paths(httpserver) == [LIST]


def test_threads_share_one_search(catalogs: Catalogs, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing())
    httpserver.expect_request(UPSERT).respond_with_json({"catalogId": "cat-3"})
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(catalogs.id_of(group, "acme_shop"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == ["cat-3"] * 6
    assert paths(httpserver) == [LIST, UPSERT]


@pytest.mark.parametrize(("listed", "default"), [([], True), ([catalog("cat-9")], False)])
def test_missing_catalogue_is_made(
    catalogs: Catalogs, group: Group, httpserver: HTTPServer, listed: list[dict[str, Any]], default: bool
) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing(*listed))
    httpserver.expect_request(UPSERT, method="POST").respond_with_json({"requestId": "r-1", "catalogId": "cat-3"})
    assert catalogs.id_of(group, "acme_shop") == "cat-3"
    request, _ = httpserver.log[1]
    assert jsontext.loads(request.get_data()) == {
        "name": "acme_shop",
        "setAsDefault": default,
        "currency": "EUR",
        "location": "acme_shop",
    }


def test_catalogue_made_by_somebody_else_meanwhile_is_used(
    catalogs: Catalogs, group: Group, httpserver: HTTPServer
) -> None:
    taken = {"problems": [{"reasonCode": 15, "message": "location|Value must be unique"}]}
    httpserver.expect_ordered_request(LIST).respond_with_json(listing())
    httpserver.expect_ordered_request(UPSERT).respond_with_json(taken, status=400)
    httpserver.expect_ordered_request(LIST).respond_with_json(listing(catalog("cat-4", location="acme_shop")))
    assert catalogs.id_of(group, "acme_shop") == "cat-4"


def test_refused_catalogue_pauses_with_advice(catalogs: Catalogs, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing())
    httpserver.expect_request(UPSERT).respond_with_json({"reasonCode": 19, "messages": ["Limit reached"]}, status=400)
    with pytest.raises(SettingsRefused, match=r"Limit reached.* Set catalog\.id"):
        catalogs.id_of(group, "acme_shop")


def test_catalogue_without_an_id_pauses_too(catalogs: Catalogs, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing())
    httpserver.expect_request(UPSERT).respond_with_json({"requestId": "r-1"})
    with pytest.raises(SettingsRefused, match="told no id"):
        catalogs.id_of(group, "acme_shop")


def test_catalogue_cannot_be_made_without_a_currency(catalogs: Catalogs, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing())
    with pytest.raises(SettingsRefused, match="needs a currency"):
        catalogs.id_of(replace(group, currency=None), "acme_shop")


def test_group_without_catalogue_access_is_told(catalogs: Catalogs, group: Group) -> None:
    with pytest.raises(SettingsRefused, match="no catalog settings"):
        catalogs.id_of(replace(group, catalog=None), "acme_shop")


def test_failed_search_is_not_remembered(catalogs: Catalogs, group: Group, httpserver: HTTPServer) -> None:
    answers = iter(
        [
            Response('{"reasonCode": 10, "messages": ["Authentication failed"]}', status=400),
            Response(jsontext.dumps(listing(catalog("cat-2", location="acme_shop")))),
        ]
    )

    def answer(request: Request) -> Response:
        return next(answers)

    httpserver.expect_request(LIST).respond_with_handler(answer)
    with pytest.raises(CredentialsRefused):
        catalogs.id_of(group, "acme_shop")
    assert catalogs.id_of(group, "acme_shop") == "cat-2"


def test_forgotten_catalogue_is_looked_for_again(catalogs: Catalogs, group: Group, httpserver: HTTPServer) -> None:
    httpserver.expect_request(LIST).respond_with_json(listing(catalog("cat-2", location="acme_shop")))
    catalogs.id_of(group, "acme_shop")
    catalogs.forget(group, "acme_shop")
    catalogs.id_of(group, "acme_shop")
    assert paths(httpserver) == [LIST, LIST]
