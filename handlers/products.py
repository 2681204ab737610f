"""POST /products: the product feed and SALESmanago's catalogue."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint

from handlers.openapi import write
from handlers.submission import submit
from schemas.api import ProductsBody

blueprint = Blueprint("products", __name__, description="Products of the feed and of SALESmanago's catalogue.")

_PRODUCTS = {
    "data": [{"id": "611", "name": "Blue shirt M", "category": "Shirts", "price": 129.9, "stock_available": 14}],
    "group_key": "main",
}


@write(blueprint, "POST", "/products", ProductsBody, _PRODUCTS)
def upsert_products() -> Response:
    """Set products.

    Those that fit are taken, `productIds` names them; the others are told under `problems` by their place in the list.
    When none fits, the answer is 422 and nothing is stored.
    """
    return submit("products.upsert")
