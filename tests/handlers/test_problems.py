from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.errors import ConfigurationError, Fault, MappingFailed
from tests.support.rest import Rest, answer

CONTACT = {"data": {"email": "anna@shop.example"}}


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"data": ',
        b"\xff\xfe",
        b'{"data": NaN}',
        b"[" * 5000,
        b'{"data": ' + b"9" * 5000 + b"}",
        b'{"data": {"email": "a@shop.example", "half\\ud800": 1}}',
        b'{"data": {"email": "a@shop.example", "name": "\\uDFFF"}}',
    ],
)
def test_body_that_is_no_json_is_400(rest: Rest, body: bytes) -> None:
    response = rest.call("POST", "/contacts", body)
    assert (response.status_code, answer(response)["messages"]) == (400, ["The body is not JSON."])
    assert rest.store.reading.deliveries() == []


@pytest.mark.parametrize("body", [[], "text", 5, None, {"email": "anna@shop.example"}, {}])
def test_json_without_an_envelope_is_422(rest: Rest, body: object) -> None:
    response = rest.call("POST", "/contacts", b"null" if body is None else body)
    assert response.status_code == 422
    assert answer(response)["success"] is False


def test_whole_surrogate_pairs_are_text_like_any_other(rest: Rest) -> None:
    body = b'{"data": {"email": "a@shop.example", "name": "\\ud83d\\ude00"}}'
    assert rest.call("POST", "/contacts", body).status_code == 202
    [command] = rest.store.reading.commands()
    assert command.payload["contact"]["name"] == "\U0001f600"


def test_body_of_exactly_the_limit_is_taken(rest: Rest) -> None:
    body = b'{"email": "anna@shop.example"}'
    assert rest.call("DELETE", "/contacts", body.ljust(20000)).status_code == 202
    assert rest.call("DELETE", "/contacts", body.ljust(20001)).status_code == 413


def test_body_over_the_limit_is_413(rest: Rest) -> None:
    response = rest.call("POST", "/contacts", {"data": {"email": "anna@shop.example", "name": "x" * 20000}})
    assert (response.status_code, answer(response)["success"]) == (413, False)


def test_chunked_body_over_the_limit_is_413_too(rest: Rest) -> None:
    class Endless:
        def read(self, size: int = -1) -> bytes:
            return b"x" * max(size, 1)

    environ = {"wsgi.input": Endless(), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = rest.client.post("/contacts", headers={"X-API-Key": "key-of-main"}, environ_overrides=environ)
    assert response.status_code == 413


def test_chunked_body_within_the_limit_is_read(rest: Rest) -> None:
    chunks = iter([b'{"email": "anna', b'@shop.example"}', b""])

    class Chunked:
        def read(self, size: int = -1) -> bytes:
            return next(chunks)

    environ = {"wsgi.input": Chunked(), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = rest.client.delete("/contacts", headers={"X-API-Key": "key-of-main"}, environ_overrides=environ)
    assert response.status_code == 202
    assert rest.stored_bodies() == [b'{"email": "anna@shop.example"}']


def test_compressed_body_is_415(rest: Rest) -> None:
    packed = gzip.compress(b'{"data": {"email": "anna@shop.example"}}')
    response = rest.call("POST", "/contacts", packed, Content_Encoding="gzip")
    assert (response.status_code, answer(response)["success"]) == (415, False)
    assert rest.call("POST", "/contacts", CONTACT, Content_Encoding="identity").status_code == 202


def test_unknown_address_is_404_in_the_same_shape(rest: Rest) -> None:
    response = rest.call("GET", "/nowhere")
    assert (response.status_code, answer(response)["success"]) == (404, False)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/contacts"), ("GET", "/events"), ("POST", "/contact/c-1")])
def test_wrong_method_is_405_and_names_the_right_ones(rest: Rest, method: str, path: str) -> None:
    response = rest.call(method, path)
    assert (response.status_code, answer(response)["success"]) == (405, False)
    assert response.headers["Allow"]


def test_unexpected_error_is_500_and_tells_nothing_but_the_request_id(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(rest.store.deliveries, "record", broken)
    response = rest.call("POST", "/contacts", CONTACT)
    assert (response.status_code, answer(response)["success"]) == (500, False)
    assert "secret inside" not in response.get_data(as_text=True)


def test_failing_mapping_is_422_and_names_its_line(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: object) -> None:
        raise MappingFailed("mappings/default.toml:3 api.contacts.email: gives an object")

    monkeypatch.setattr(type(rest.relay.mappings["default"]), "api", failing)
    response = rest.call("POST", "/contacts", CONTACT)
    assert response.status_code == 422
    assert answer(response)["messages"] == ["mappings/default.toml:3 api.contacts.email: gives an object"]
    assert rest.store.reading.deliveries() == []


def test_every_request_has_an_id_of_its_own(rest: Rest) -> None:
    ids = [answer(rest.call("GET", "/nowhere"))["requestId"] for _ in range(3)]
    assert len(set(ids)) == 3


def test_a_configuration_broken_under_a_running_server_is_503_and_tells_the_caller_no_details(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ConfigurationError([Fault("shops.acme.secrets", "is missing")])

    monkeypatch.setattr("handlers.submission.current_relay", broken)
    response = rest.call("POST", "/contacts", CONTACT)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert "secrets" not in response.text
