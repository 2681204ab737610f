"""Credentials in SALESmanago's form."""

from __future__ import annotations

from relay.salesmanago.auth import sha, v2_credentials, v2_request, v3_headers
from tests.support.outgoing import CREDENTIALS, GROUP, NOW


def test_digest_is_over_key_client_and_secret_in_this_order() -> None:
    # Checked with `printf %s invented-keyclient-77invented-secret | sha1sum`.
    assert sha("invented-key", "client-77", "invented-secret") == "4d89b105da088bf45d52e2aabd3cea00d22d20c6"


def test_v2_credentials_carry_milliseconds_and_owner() -> None:
    assert v2_credentials(GROUP, NOW) == CREDENTIALS
    assert list(v2_credentials(GROUP, NOW)) == ["clientId", "apiKey", "requestTime", "sha", "owner"]


def test_body_stands_behind_the_credentials() -> None:
    assert v2_request(GROUP, NOW, {"email": "anna@example.com"}) == {**CREDENTIALS, "email": "anna@example.com"}


def test_each_part_names_client_and_owner_and_the_whole_no_owner() -> None:
    request = v2_request(GROUP, NOW, {"first": {"a": 1}, "second": {"b": 2}}, in_parts=True)
    named = {"clientId": "client-77", "owner": "owner@example.com"}
    signed = {name: value for name, value in CREDENTIALS.items() if name != "owner"}
    assert request == {**signed, "first": {**named, "a": 1}, "second": {**named, "b": 2}}


def test_v3_key_is_a_header() -> None:
    assert v3_headers("V3KEY")["API-KEY"] == "V3KEY"
