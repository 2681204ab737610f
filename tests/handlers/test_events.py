from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.clock import epoch_ms
from relay.commands import CommandKind
from tests.support.rest import NOW, Rest, answer

EVENT = {"data": {"email": "anna@shop.example", "contactExtEventType": "PURCHASE", "value": 249.9}}


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


def test_event_is_answered_with_its_id(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(event_id="e-1", contact_id="c-1")
    response = rest.call("POST", "/events", EVENT)
    body = answer(response)
    assert (response.status_code, body["success"]) == (200, True)
    assert (body["eventId"], body["contactId"]) == ("e-1", "c-1")


def test_amount_is_kept_digit_for_digit(rest: Rest) -> None:
    rest.call("POST", "/events", b'{"data":{"email":"a@shop.example","contactExtEventType":"CART","value":0.10}}')
    [command] = rest.store.reading.commands()
    assert str(command.payload["contactEvent"]["value"]) == "0.10"
    assert command.payload["contactEvent"]["date"] == epoch_ms(NOW)


def test_event_for_a_contact_known_by_id_reaches_that_contact(rest: Rest) -> None:
    rest.call("POST", "/events", {"data": {"contactId": "c-9", "contactExtEventType": "VISIT"}}, Prefer="respond-async")
    [claimed] = rest.settle(event_id="e-1")
    assert (claimed.kind, claimed.contact_id, claimed.email) == (CommandKind.EVENT_PUT, "c-9", None)


def test_same_event_sent_twice_is_two_events(rest: Rest) -> None:
    for event_id in ("e-1", "e-2"):
        rest.worker = lambda event_id=event_id: rest.settle(event_id=event_id)
        assert answer(rest.call("POST", "/events", EVENT))["eventId"] == event_id


def test_cut_lists_are_told_as_problems(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(event_id="e-1")
    products = {"products": [f"product-{number:04}" for number in range(100)]}
    body = answer(rest.call("POST", "/events", {"data": EVENT["data"] | products}))
    assert body["success"] is True
    assert "left out" in body["problems"][0]["message"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contactExtEventType": "BOUGHT"}, "data.contactExtEventType"),
        ({"email": None}, "data.email"),
        ({"value": "much"}, "data.value"),
        ({"date": "2026-11-24 10:00"}, "data.date"),
        ({"detail20": "x" * 256}, "data.detail20"),
        ({"location": "two words"}, "data.location"),
    ],
)
def test_field_that_does_not_fit_is_422_by_its_path(rest: Rest, change: dict[str, object], field: str) -> None:
    response = rest.call("POST", "/events", {"data": EVENT["data"] | change})
    assert response.status_code == 422
    assert list(answer(response)["fields"]) == [field]
    assert rest.store.reading.deliveries() == []
