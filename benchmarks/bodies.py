"""Orders to send: of the usual size, each another's, signed, with invented people."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from relay import jsontext
from relay.signatures import sign

SECRET = "a-secret-for-benchmarks"
SHOP = "bench"
_SAMPLE = Path(__file__).resolve().parent.parent / "tests/samples/shopify/orders_create__three-lines-2025.json"
_MARK = 4242424242  # stands for an order's number, which is written with as many digits
_SCATTERED_MARK = 2424242424  # the same, for its number as `scattered` gives it

SCATTER = 6_180_339_887
SCATTERED = 10**10
_HEAVY = frozenset({"tax_lines", "shipping_address", "client_details"})
_HEAD = (
    "POST /webhooks/{shop} HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\n"
    "Content-Type: application/json\r\n"
    "X-Shopify-Topic: orders/create\r\n"
    "X-Shopify-Hmac-Sha256: {signature}\r\n"
    "X-Shopify-Shop-Domain: {shop}.myshopify.com\r\n"
    "X-Shopify-Webhook-Id: {webhook_id}\r\n"
    "X-Shopify-Triggered-At: 2026-11-24T10:00:00Z\r\n"
    "X-Shopify-Api-Version: 2025-07\r\n"
    "Content-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True)
class Order:
    """One order as a shop would deliver it."""

    number: int
    webhook_id: str
    body: bytes

    @property
    def email(self) -> str:
        """Whose it is: everybody buys once."""
        return email_of(self.number)

    def headers(self, shop: str = SHOP) -> dict[str, str]:
        """Give the headers of its delivery."""
        lines = self._head(shop).split("\r\n")[2:-2]
        return dict(line.split(": ", 1) for line in lines)

    def request(self, shop: str = SHOP) -> bytes:
        """Give the whole HTTP request of its delivery."""
        return self._head(shop).encode() + self.body

    def _head(self, shop: str) -> str:
        return _HEAD.format(
            shop=shop, signature=sign(self.body, SECRET), webhook_id=self.webhook_id, length=len(self.body)
        )


def scattered(number: int) -> int:
    """Give another number for each: those of orders that follow each other are far apart, as people's addresses are."""
    return number * SCATTER % SCATTERED


def email_of(number: int) -> str:
    """Give the address of an order's buyer."""
    return _email(scattered(number))


def _email(number: int) -> str:
    return f"buyer{number:010d}@example.com"


def order(number: int, *, small: bool = False) -> Order:
    """Give an order of three lines and about 5 KB, or a small one of 1 KB; numbers have up to ten digits."""
    body = _template(small)
    for mark, own in ((_MARK, number), (_SCATTERED_MARK, scattered(number))):
        body = body.replace(str(mark).encode(), f"{own:010d}".encode())
    return Order(number, str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}")), body)


def prepared(path: Path, numbers: Iterable[int], shop: str = SHOP) -> Path:
    """Write the requests of many orders to a file, as benchmarks/open_loop.c reads it: each after its length."""
    with path.open("wb") as file:
        for number in numbers:
            request = order(number).request(shop)
            file.write(struct.pack("<I", len(request)) + request)
    return path


@cache
def _template(small: bool) -> bytes:
    """Make an order whose number is the mark, wherever it stands; a shop's ids grow, addresses and tokens do not."""
    sample = jsontext.loads(_SAMPLE.read_bytes())
    customer = sample["customer"] | {"id": int(f"81{_MARK}"), "email": _email(_SCATTERED_MARK)}
    own = {
        "id": int(f"63{_MARK}"),
        "admin_graphql_api_id": f"gid://shopify/Order/63{_MARK}",
        "name": f"#{_MARK}",
        "email": _email(_SCATTERED_MARK),
        "contact_email": _email(_SCATTERED_MARK),
        "cart_token": f"cart-{_SCATTERED_MARK}",
        "checkout_token": f"checkout-{_SCATTERED_MARK}",
        "checkout_id": int(f"38{_MARK}"),
        "token": f"order-{_MARK}",
        "confirmation_number": f"C{_MARK}",
        "order_status_url": f"https://bench.example/1/orders/63{_MARK}/authenticate?key=0",
        "customer": customer,
    }
    if small:
        kept = ("created_at", "updated_at", "processed_at", "currency", "total_price", "financial_status", "test")
        line = {name: sample["line_items"][0][name] for name in ("id", "product_id", "title", "price", "quantity")}
        whole = {name: sample[name] for name in kept} | own | {"customer": None, "line_items": [line]}
    else:
        whole = _lighter(sample) | own
    return jsontext.dumps(whole).encode()


def _lighter(value: Any) -> Any:
    """Leave out what makes the sample larger than most orders, such as every amount in two currencies."""
    if isinstance(value, dict):
        return {
            name: _lighter(each) for name, each in value.items() if not name.endswith("_set") and name not in _HEAVY
        }
    if isinstance(value, list):
        return [_lighter(each) for each in value]
    return value
