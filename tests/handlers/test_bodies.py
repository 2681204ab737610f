"""The headers of a request as they were sent."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask, request

from handlers.bodies import sent_headers

APP = Flask(__name__)
ORDINARY = {
    "Host": "relay.example",
    "User-Agent": "Shopify-Captain-Hook",
    "Accept": "*/*",
    "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6",
    "X-Shopify-Topic": "orders/create",
    "X-Shopify-Hmac-Sha256": "aW52ZW50ZWQ=",
    "x-wc-webhook-id": "7",
    "X-Empty": "",
}


def sent(headers: Mapping[str, str], body: bytes = b"{}", content_type: str | None = None) -> dict[str, str]:
    """Give the headers as a view sees them."""
    with APP.test_request_context("/", method="POST", headers=headers, data=body, content_type=content_type):
        return sent_headers()


def test_names_are_in_lower_case_and_values_as_they_came() -> None:
    given = sent({"X-Shopify-Topic": "Orders/Create", "x-WC-Webhook-ID": " 7"})
    assert given["x-shopify-topic"] == "Orders/Create"
    assert given["x-wc-webhook-id"] == " 7"
    assert all(name == name.lower() and "_" not in name for name in given)


def test_type_and_length_of_the_body_are_among_them() -> None:
    given = sent({}, b'{"id": 1}', content_type="application/json; charset=utf-8")
    assert given["content-type"] == "application/json; charset=utf-8"
    assert given["content-length"] == "9"


@pytest.mark.parametrize("name", ["CONTENT_TYPE", "CONTENT_LENGTH"])
def test_empty_type_and_length_are_left_out(name: str) -> None:
    """Servers write them down empty where none was sent."""
    with APP.test_request_context("/", method="POST", environ_overrides={name: ""}):
        assert name.replace("_", "-").lower() not in sent_headers()


def test_what_the_server_adds_of_its_own_is_no_header() -> None:
    overrides = {"REMOTE_ADDR": "203.0.113.9", "wsgi.http": "x", "SERVER_PROTOCOL": "HTTP/1.1"}
    with APP.test_request_context("/", method="POST", environ_overrides=overrides):
        assert set(sent_headers()) == {"host"}


@pytest.mark.parametrize(("body", "content_type"), [(b'{"id": 1}', "application/json"), (b"", None)])
def test_they_are_what_werkzeug_gives(body: bytes, content_type: str | None) -> None:
    with APP.test_request_context("/", method="POST", headers=ORDINARY, data=body, content_type=content_type):
        assert sent_headers() == {name.lower(): value for name, value in request.headers}
