"""Builders for tests of what goes out: an invented account and commands for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from relay.commands import CommandKind, StoredCommand
from relay.shops import Catalog, Group

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW_MS = 1772366400000

ENDPOINT = "https://app9.salesmanago.example"
CATALOG_ENDPOINT = "https://catalog.salesmanago.example"

GROUP = Group(
    key="main",
    endpoint=ENDPOINT,
    client_id="client-77",
    api_key="invented-key",
    api_secret="invented-secret",
    owner="owner@example.com",
    location="acme_shop",
    currency="EUR",
    catalog=Catalog(endpoint=CATALOG_ENDPOINT, api_key="V3KEY", id="cat-1"),
)

CREDENTIALS = {
    "clientId": "client-77",
    "apiKey": "invented-key",
    "requestTime": NOW_MS,
    "sha": "4d89b105da088bf45d52e2aabd3cea00d22d20c6",
    "owner": "owner@example.com",
}


def group_at(endpoint: str, **changes: Any) -> Group:
    """Give the invented account with both APIs at ``endpoint``."""
    return replace(GROUP, endpoint=endpoint, catalog=Catalog(endpoint=endpoint, api_key="V3KEY", id="cat-1"), **changes)


def command(kind: CommandKind, payload: Mapping[str, Any], **changes: Any) -> StoredCommand:
    """Give a claimed command."""
    made = StoredCommand(
        id=1,
        delivery_id=1,
        group="main",
        kind=kind,
        subject="contact:1",
        payload=payload,
        created_at=NOW,
        attempts=0,
        lease_token="lease",
        email="anna@example.com",
    )
    return replace(made, **changes)
