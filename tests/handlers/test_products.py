from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.commands import Outcome, Verdict
from tests.support.rest import Rest, answer


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


def product(product_id: str, **changes: Any) -> dict[str, Any]:
    return {"id": product_id, "name": "Blue shirt", "price": 129.9, **changes}


def test_products_are_answered_with_their_ids(rest: Rest) -> None:
    rest.worker = rest.settle
    response = rest.call("POST", "/products", {"data": [product("1"), product("2")]})
    body = answer(response)
    assert (response.status_code, body["success"], body["productIds"]) == (200, True, ["1", "2"])
    assert "problems" not in body


def test_products_that_do_not_fit_are_told_by_place_and_field_and_the_others_taken(rest: Rest) -> None:
    rest.worker = rest.settle
    data = [product("1"), product("2", name="x" * 101), product("3", colour="blue"), "nonsense"]
    response = rest.call("POST", "/products", {"data": data})
    body = answer(response)
    assert (response.status_code, body["success"], body["productIds"]) == (200, True, ["1"])
    assert body["problems"] == [
        {"index": 1, "field": "name", "message": "Longer than 100 characters."},
        {"index": 2, "field": "colour", "message": 'Unknown field; did you mean "color"?'},
        {"index": 3, "message": "Missing, or no JSON object."},
    ]
    assert len(rest.store.reading.commands()) == 1


def test_list_in_which_nothing_fits_is_422(rest: Rest) -> None:
    response = rest.call("POST", "/products", {"data": [product("1", price="free")]})
    body = answer(response)
    assert response.status_code == 422
    assert list(body["fields"]) == ["data.0.price"]
    assert [(each["index"], each["field"]) for each in body["problems"]] == [(0, "price")]
    assert rest.store.reading.deliveries() == []


def test_product_refused_by_salesmanago_is_a_problem_of_its_own(rest: Rest) -> None:
    def refuse_second() -> None:
        now = rest.clock.now()
        claimed = rest.store.commands.begin(rest.store.commands.claim(now, 60, 10), now)
        verdicts = [Outcome(claimed[0], Verdict.DONE), Outcome(claimed[1], Verdict.DEAD, message="name is rude")]
        rest.store.commands.settle(verdicts, now)

    rest.worker = refuse_second
    body = answer(rest.call("POST", "/products", {"data": [product("1"), product("2")]}))
    assert (body["success"], body["productIds"]) == (True, ["1"])
    assert body["problems"] == [{"id": "2", "message": "name is rude"}]
    assert len(body["messages"]) == 1


def test_all_products_refused_by_salesmanago_is_no_success(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(Verdict.DEAD, message="catalogue is full")
    body = answer(rest.call("POST", "/products", {"data": [product("1"), product("2")]}))
    assert (body["success"], body["messages"]) == (False, ["catalogue is full"])
    assert "productIds" not in body


def test_group_with_a_feed_alone_is_answered_at_once(rest: Rest) -> None:
    response = rest.call("POST", "/products", {"data": [product("1")]}, key="key-of-fed")
    body = answer(response)
    assert (response.status_code, body["success"], body["productIds"]) == (200, True, ["1"])
    assert (rest.slept_s, rest.store.reading.commands()) == (0, [])


def test_products_are_in_the_feed_at_once(rest: Rest) -> None:
    rest.call("POST", "/products", {"data": [product("1", special_price="99.90")]}, Prefer="respond-async")
    feed = rest.call("GET", "/feeds/main.xml?token=token-of-main", key=None).get_data(as_text=True)
    assert "<id>1</id>" in feed
    assert "<special_price>99.90</special_price>" in feed


def test_later_product_of_the_same_id_replaces_the_earlier(rest: Rest) -> None:
    for name in ("Blue shirt", "Red shirt"):
        rest.call("POST", "/products", {"data": [product("1", name=name)]}, Prefer="respond-async")
    [item] = rest.store.items.stream("main", "main_shop")
    assert item.fields["name"] == "Red shirt"
