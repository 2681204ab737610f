from __future__ import annotations

import pytest

from sandbox import SandboxAccount, create_app
from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, SandboxClient

PATHS = ["catalogUpsert", "catalogDelete", "upsert", "updateQuantity", "updatePrice"]
REFUSED = {"reasonCode": 10, "messages": ["Authentication failed"]}


@pytest.mark.parametrize("path", ["catalogList", *PATHS])
@pytest.mark.parametrize("key", ["wrong", ""])
def test_wrong_key_is_reason_10(client: SandboxClient, path: str, key: str) -> None:
    reply = client.v3(path, None if path == "catalogList" else {}, key=key)
    assert (reply.status, reply.body) == (400, REFUSED)


def test_missing_key_is_reason_10(client: SandboxClient) -> None:
    assert client.send("GET", "/v3/product/catalogList").body == REFUSED


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_body_that_is_no_json_object_is_named_so(client: SandboxClient, path: str, text: str) -> None:
    reply = client.send("POST", f"/v3/product/{path}", text, {"API-KEY": ACCOUNT.v3_key})
    assert (reply.status, reply.body["messages"]) == (400, ["[Specified json is not valid]"])


def test_every_success_has_its_own_request_id_and_no_success_flag(client: SandboxClient) -> None:
    first, second = client.v3("catalogList").body, client.v3("catalogList").body
    assert first["requestId"] != second["requestId"]
    assert "success" not in first


def test_each_key_opens_its_own_account(client: SandboxClient) -> None:
    client.catalog()
    assert client.v3("catalogList", key=OTHER_ACCOUNT.v3_key).body["catalogs"] == []


def test_account_without_key_has_no_catalogue_api() -> None:
    client = SandboxClient(create_app([SandboxAccount("keyless", "invented-secret", ("owner@example.com",))]))
    assert client.v3("catalogList", key="").body == REFUSED
