"""Shopify's samples and a shop to read them for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relay import jsontext
from relay.shops import Shop

FOLDER = Path(__file__).parents[1] / "samples" / "shopify"


def a_shop(**settings: Any) -> Shop:
    """Give the shop all samples belong to; ``settings`` go over its own."""
    own: dict[str, Any] = {
        "key": "nordljus",
        "platform": "shopify",
        "group": "main",
        "location": "nordljus_shop",
        "secrets": ("an-invented-secret",),
        "domains": ("nordljus.myshopify.com",),
        "url": "https://nordljus.example",
        "currency": "EUR",
    }
    return Shop(**(own | settings))


def sample(name: str) -> dict[str, Any]:
    """Give the parsed body of ``tests/samples/shopify/<name>.json``."""
    body: dict[str, Any] = jsontext.loads((FOLDER / f"{name}.json").read_bytes())
    return body
