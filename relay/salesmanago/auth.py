"""Credentials as SALESmanago wants them: a digest in every v2 body, a header on every v3 call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relay.clock import epoch_ms
from relay.shops import Group

JSON_HEADERS: Mapping[str, str] = {
    # The doubled value is what SALESmanago documents for v2.
    "Accept": "application/json, application/json",
    "Content-Type": "application/json;charset=UTF-8",
}


def sha(api_key: str, client_id: str, api_secret: str) -> str:
    """Give the digest v2 checks: SHA-1 in lower-case hex over the three texts one after the other."""
    return hashlib.sha1(f"{api_key}{client_id}{api_secret}".encode(), usedforsecurity=False).hexdigest()


def v2_credentials(group: Group, now: datetime) -> dict[str, Any]:
    """Give the keys that open every v2 body, with the owner of the contacts. ``requestTime`` is in milliseconds."""
    return {
        "clientId": group.client_id,
        "apiKey": group.api_key,
        "requestTime": epoch_ms(now),
        "sha": sha(group.api_key, group.client_id, group.api_secret),
        "owner": group.owner,
    }


def v2_request(group: Group, now: datetime, body: Mapping[str, Any], *, in_parts: bool = False) -> dict[str, Any]:
    """Give a v2 body with its credentials around it; of one ``in_parts`` every part names client and owner."""
    credentials = v2_credentials(group, now)
    if not in_parts:
        return {**credentials, **body}
    named = {"clientId": group.client_id, "owner": credentials.pop("owner")}
    return {**credentials, **{name: {**named, **part} for name, part in body.items()}}


def v3_headers(api_key: str) -> dict[str, str]:
    """Give the headers of a v3 call; its key is all the credentials it has."""
    return {"API-KEY": api_key, "Accept": "application/json", "Content-Type": "application/json"}
