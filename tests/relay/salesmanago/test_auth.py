"""Credentials in SALESmanago's form."""

from __future__ import annotations

from relay.salesmanago.auth import sha, v2_credentials, v3_headers
from tests.support.outgoing import CREDENTIALS, GROUP, NOW


def test_digest_is_over_key_client_and_secret_in_this_order() -> None:
    # Checked with `printf %s invented-keyclient-77invented-secret | sha1sum`.
    assert sha("invented-key", "client-77", "invented-secret") == "4d89b105da088bf45d52e2aabd3cea00d22d20c6"


def test_v2_credentials_carry_milliseconds_and_owner() -> None:
    assert v2_credentials(GROUP, NOW) == CREDENTIALS
    assert list(v2_credentials(GROUP, NOW)) == ["clientId", "apiKey", "requestTime", "sha", "owner"]


def test_v3_key_is_a_header() -> None:
    assert v3_headers("V3KEY")["API-KEY"] == "V3KEY"
