"""The bare limit: the same gunicorn and Flask, the signature checked, nothing stored."""

from __future__ import annotations

import os

from flask import Flask, request

from handlers import shopify
from relay.configuration import load_directory
from relay.settings import load_settings

_shop = load_directory(load_settings(os.environ), {"shopify": shopify.PLATFORM}).shops["bench"]
app = Flask(__name__)


@app.post("/webhooks/<shop>")
def receive(shop: str) -> dict[str, str]:
    """Check the signature and answer."""
    body = request.get_data(cache=False)
    headers = {name.lower(): value for name, value in request.headers}
    shopify.verify(body, headers, _shop.secrets)
    return {"status": "stored"}
