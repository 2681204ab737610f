"""The built-in demo: two shops that feed the simulator on this machine, with secrets made here, kept in RELAY_DATA."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relay import jsontext
from relay.errors import ConfigurationError, Fault
from relay.readers import masked_url
from relay.settings import SETTINGS, Settings

OWNER = "owner@demo.example"
_CLIENT_ID = "demo-client"
_FILE_NAME = "demo.json"
_SECRET_NAMES = ("shopify_secret", "woocommerce_secret", "api_key", "api_secret", "v3_key", "rest_key", "feed_token")
_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """What the simulator must know of an account to check who calls."""

    client_id: str
    owner: str
    api_secret: str = field(repr=False)
    v3_key: str = field(repr=False)


def document(settings: Settings) -> dict[str, Any]:
    """Give the demo's configuration in the shape of a configuration file."""
    known = _secrets(settings.data)
    sandbox = settings.sandbox_bind.url
    group = {
        "endpoint": sandbox,
        "client_id": _CLIENT_ID,
        "api_key": known["api_key"],
        "api_secret": known["api_secret"],
        "owner": OWNER,
        "location": "demo_shopify",
        "currency": "EUR",
        "api_keys": [known["rest_key"]],
        "products": ["feed", "catalog"],
        "catalog": {"endpoint": sandbox, "api_key": known["v3_key"]},
        "feed_token": known["feed_token"],
    }
    shops = {
        "demo-shopify": {
            "platform": "shopify",
            "domain": "demo-shop.myshopify.com",
            "url": "https://shopify.demo.example",
            "currency": "EUR",
            "location": "demo_shopify",
            "secrets": [known["shopify_secret"]],
        },
        "demo-woocommerce": {
            "platform": "woocommerce",
            "url": "https://woocommerce.demo.example",
            "currency": "PLN",
            "location": "demo_woocommerce",
            "secrets": [known["woocommerce_secret"]],
        },
    }
    # Carts show up at once and a deleted customer is seen to go: what a demo is for.
    common = {"group": "demo", "timezone": "Europe/Warsaw", "on_customer_delete": "delete", "cart_after": "0s"}
    return {"groups": {"demo": group}, "shops": {key: shop | common for key, shop in shops.items()}}


def demo_accounts(settings: Settings) -> list[DemoAccount]:
    """Give the accounts the simulator beside the demo plays."""
    known = _secrets(settings.data)
    return [DemoAccount(_CLIENT_ID, OWNER, api_secret=known["api_secret"], v3_key=known["v3_key"])]


def next_steps(settings: Settings) -> list[str]:
    """Give the lines that tell a person at the terminal what to do once the relay listens."""
    flask = f"{_variables(settings)}{_program('flask')} --app app"
    if settings.demo:
        return [
            f"The demo listens on {settings.bind.url}, its SALESmanago simulator on {settings.sandbox_bind.url}.",
            "Send signed sample deliveries and see what SALESmanago received; in another terminal:",
            f"  {flask} samples send",
        ]
    return [
        f"The relay listens on {settings.bind.url}; shops deliver to /webhooks/<shop>.",
        f"  {flask} deliveries list",
    ]


def _variables(settings: Settings) -> str:
    """Repeat the settings given in the environment, so that a pasted command finds the same demo. No passwords."""
    given = {each.name: settings.environment.get(each.name) for each in SETTINGS if settings.demo}
    return "".join(f"{name}={shlex.quote(text)} " for name, text in given.items() if text and text == masked_url(text))


def _program(name: str) -> str:
    """Give the command's path, relative where it lies below the current folder, as a virtual environment does."""
    path = Path(sys.executable).parent / name
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return str(path) if path.exists() else name


def _secrets(folder: Path) -> Mapping[str, str]:
    """Read the demo's secrets, made on first use.

    Several processes start at once: each writes a file of its own and links it to the final name, which only the
    first can do; all then read the winner's, which is complete because it was before it got its name.
    """
    path = folder / _FILE_NAME
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = {name: secrets.token_urlsafe(_SECRET_BYTES) for name in _SECRET_NAMES}
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".demo-")  # readable by its owner alone
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(jsontext.dumps(made))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    try:
        known = jsontext.loads(path.read_bytes())
    except ValueError:
        known = {}
    if not isinstance(known, dict) or not set(_SECRET_NAMES) <= known.keys():
        raise ConfigurationError([Fault(str(path), "is damaged; delete it and start again")])
    return known
