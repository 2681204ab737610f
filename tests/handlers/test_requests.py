from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.commands import Verdict
from relay.deliveries import NewDelivery
from tests.support.rest import OTHER_KEY, Rest, answer

CONTACT = {"data": {"email": "anna@shop.example"}}


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


def accepted(rest: Rest) -> str:
    response = rest.call("POST", "/contacts", CONTACT, Prefer="respond-async")
    assert response.status_code == 202
    return response.headers["Location"]


def test_open_request_is_202_and_settled_one_200_with_its_outcome(rest: Rest) -> None:
    location = accepted(rest)
    pending = rest.call("GET", location)
    assert (pending.status_code, pending.headers["Location"]) == (202, location)
    rest.settle(contact_id="c-1")
    settled = rest.call("GET", location)
    body = answer(settled)
    assert (settled.status_code, body["success"], body["contactId"]) == (200, True, "c-1")
    assert location.endswith(body["requestId"])


def test_refused_request_tells_salesmanagos_words(rest: Rest) -> None:
    location = accepted(rest)
    rest.settle(Verdict.DEAD, message="Contact is blocked")
    body = answer(rest.call("GET", location))
    assert (body["success"], body["messages"]) == (False, ["Contact is blocked"])


def test_request_dropped_by_an_operator_says_so(rest: Rest) -> None:
    location = accepted(rest)
    [command] = rest.store.reading.commands()
    rest.store.commands.drop(command.id, rest.clock.now())
    body = answer(rest.call("GET", location))
    assert (body["success"], body["messages"]) == (False, ["An operator decided against sending it."])


def test_request_being_replayed_is_open_again_and_a_failed_replay_is_told(rest: Rest) -> None:
    location = accepted(rest)
    rest.settle(contact_id="c-1")
    [delivery] = rest.store.reading.deliveries()
    rest.store.deliveries.replay(delivery.id, rest.clock.now())
    assert rest.call("GET", location).status_code == 202
    [claimed] = rest.store.deliveries.claim(rest.clock.now(), 60, 1)
    rest.store.deliveries.bury(claimed, "data.name: Unknown field.")
    body = answer(rest.call("GET", location))
    assert (body["success"], body["messages"]) == (False, ["data.name: Unknown field."])


@pytest.mark.parametrize("sought", ["nothing", "1", "%27%20OR%201=1"])
def test_unknown_request_is_404(rest: Rest, sought: str) -> None:
    accepted(rest)
    response = rest.call("GET", f"/requests/{sought}")
    assert (response.status_code, answer(response)["success"]) == (404, False)


def test_request_of_another_group_is_404(rest: Rest) -> None:
    assert rest.call("GET", accepted(rest), key=OTHER_KEY).status_code == 404


def test_webhook_deliveries_are_no_requests(rest: Rest) -> None:
    new = NewDelivery("shopify", "main", "second", "orders/create", "d-1", {}, b"{}", rest.clock.now(), "d-1")
    rest.store.deliveries.record(new)
    assert rest.call("GET", "/requests/d-1").status_code == 404
