from __future__ import annotations

import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.auth import group_of_key
from relay.errors import KeyInvalid
from relay.shops import Directory
from tests.support.rest import KEY, OTHER_KEY, Rest, answer, group

CALLS = [
    ("POST", "/contacts"),
    ("DELETE", "/contacts"),
    ("POST", "/events"),
    ("POST", "/products"),
    ("GET", "/contact/c-1"),
    ("GET", "/requests/r-1"),
]
CONTACT = {"data": {"email": "anna@shop.example"}}


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_API_Key": ""},
        {"X_API_Key": "wrong"},
        {"X_API_Key": KEY[:-1]},
        {"X_API_Key": "kéy"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
    ],
)
def test_call_without_a_known_key_is_refused_and_not_stored(
    rest: Rest, method: str, path: str, headers: dict[str, str]
) -> None:
    response = rest.call(method, path, CONTACT, key=None, **headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert answer(response)["success"] is False
    assert rest.store.reading.deliveries() == []


@pytest.mark.parametrize(
    "headers", [{"X_API_Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer  {KEY} "}]
)
def test_key_may_be_sent_in_either_header(rest: Rest, headers: dict[str, str]) -> None:
    assert rest.call("POST", "/contacts", CONTACT, key=None, **headers).status_code == 202


def test_keys_group_is_used_when_none_is_named(rest: Rest) -> None:
    rest.call("POST", "/contacts", CONTACT, key=OTHER_KEY)
    [delivery] = rest.store.reading.deliveries()
    assert delivery.group == "other"


@pytest.mark.parametrize("named", ["other", "bare", "nobody", ""])
def test_key_does_not_open_another_group(rest: Rest, named: str) -> None:
    response = rest.call("POST", "/contacts", CONTACT | {"group_key": named})
    assert response.status_code == 403
    assert answer(response)["success"] is False
    assert rest.call("GET", f"/contact/c-1?group_key={named}").status_code == 403
    assert rest.store.reading.deliveries() == []


def test_every_key_is_compared_whatever_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    compare = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        nonlocal compared
        compared += 1
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    groups = {key: group(key, api_keys=(f"{key}-1", f"{key}-2")) for key in ("a", "b", "c")}
    assert group_of_key(Directory(groups, {}), "a-1").key == "a"
    assert compared == 6


def test_empty_key_opens_nothing_even_when_it_is_configured() -> None:
    with pytest.raises(KeyInvalid):
        group_of_key(Directory({"a": group("a", api_keys=("",))}, {}), "")


def test_key_is_neither_stored_nor_answered(rest: Rest) -> None:
    response = rest.call("POST", "/contacts", CONTACT, key=None, Authorization=f"Bearer {KEY}", Cookie="a=b")
    [view] = rest.store.reading.deliveries()
    stored = rest.store.reading.delivery(view.id)
    assert stored is not None
    assert stored.headers is not None
    assert not {"authorization", "x-api-key", "cookie"} & stored.headers.keys()
    assert KEY not in response.get_data(as_text=True) + str(stored.headers)
