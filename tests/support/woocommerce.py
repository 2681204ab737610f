"""WooCommerce's samples and a shop to read them for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from relay import jsontext
from relay.shops import Shop

FOLDER = Path(__file__).parents[1] / "samples" / "woocommerce"


def a_shop(**settings: Any) -> Shop:
    """Give the shop all samples belong to; ``settings`` go over its own."""
    own: dict[str, Any] = {
        "key": "zielnik",
        "platform": "woocommerce",
        "group": "main",
        "location": "zielnik_shop",
        "secrets": ("an-invented-secret",),
        "url": "https://zielnik.example",
        "currency": "PLN",
        "timezone": ZoneInfo("Europe/Warsaw"),
        "purchase_when": "paid",
    }
    return Shop(**(own | settings))


def sample(name: str) -> dict[str, Any]:
    """Give the parsed body of ``tests/samples/woocommerce/<name>.json``."""
    body: dict[str, Any] = jsontext.loads((FOLDER / f"{name}.json").read_bytes())
    return body
