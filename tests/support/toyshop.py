"""A platform that the relay does not know: the one module that somebody would add to ``handlers/`` for it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from relay import jsontext
from relay.commerce import Customer, Line, Order, OrderStatus, ResourceKind
from relay.errors import PayloadInvalid, SignatureMismatch
from relay.platforms import Headers, Identity, Platform, Sending, Topic
from relay.shops import Shop

SALE = "sale"


def verify(body: bytes, headers: Headers, secrets: Sequence[str]) -> None:
    given = headers.get("toy-signature", "").encode("utf-8", "surrogateescape")
    if not any(hmac.compare_digest(_signature(body, secret).encode(), given) for secret in secrets):
        raise SignatureMismatch


def is_ping(body: bytes, headers: Headers) -> bool:
    return body == b"knock knock" and "toy-signature" not in headers


def identify(body: bytes, headers: Headers, shop: Shop) -> Identity:
    number = headers.get("toy-number", "")
    digest = hashlib.sha256(body).hexdigest()
    return Identity(
        topic=headers.get("toy-happening") or "nothing",
        dedupe=jsontext.digest([shop.key, number, digest]),
        delivery_id=number or None,
    )


def headers_of(sending: Sending) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Toy-Happening": sending.topic,
        "Toy-Number": sending.delivery_id,
        "Toy-Signature": _signature(sending.body, sending.shop.secrets[0]),
    }


def read_sale(body: Any, shop: Shop) -> Order:
    if not isinstance(body, dict) or "sale" not in body:
        raise PayloadInvalid("sale: is missing")
    toys = tuple(
        Line(product_id=toy["toy"], name=toy["called"], quantity=Decimal(toy["pieces"]), total=Decimal(toy["paid"]))
        for toy in body["toys"]
    )
    at = datetime.fromisoformat(body["at"])
    return Order(
        id=str(body["sale"]),
        number=str(body["sale"]),
        customer=Customer(email=body["mail"], name=body["who"]),
        status=body["state"],
        currency=shop.currency,
        total=sum((toy.total or Decimal(0) for toy in toys), Decimal(0)),
        lines=toys,
        created_at=at,
        updated_at=at,
        placed_at=at,
    )


def _signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, "sha512").hexdigest()


PLATFORM = Platform(
    name="toyshop",
    verify=verify,
    is_ping=is_ping,
    identify=identify,
    topics={SALE: Topic(ResourceKind.ORDER, read_sale)},
    ignored={"window-dressing": "nobody bought anything"},
    statuses={"sold": OrderStatus.PAID, "put aside": OrderStatus.PENDING},
    purchase_when="paid",
    headers_of=headers_of,
)
