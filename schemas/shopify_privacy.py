"""Shopify's compliance topics: which person, or shop, is to be told about or forgotten."""

from __future__ import annotations

from relay.errors import PayloadInvalid
from relay.privacy import CustomerRedaction, DataRequest, ShopRedaction
from relay.shops import Shop
from schemas.fields import Id, LenientSchema, NestedObject, Text, Values, items_of, load
from schemas.text import plain_text

_NOBODY = "The body does not fit its topic. customer: Names nobody: neither id nor email nor phone."


class PersonSchema(LenientSchema):
    """The person, as far as the shop still knows."""

    id = Id()
    email = Text()
    phone = Text()


class RequestSchema(LenientSchema):
    """The number under which the merchant finds the request."""

    id = Id()


class ComplianceSchema(LenientSchema):
    """The bodies of customers/data_request and customers/redact."""

    customer = NestedObject(PersonSchema)
    data_request = NestedObject(RequestSchema)


_COMPLIANCE = ComplianceSchema()


def read_data_request(body: object, shop: Shop) -> DataRequest:
    """Read the body of customers/data_request; raises PayloadInvalid, also when it names nobody."""
    values = load(_COMPLIANCE, body)
    person = _person(values)
    request = values["data_request"] or {}
    return DataRequest(
        customer_id=person["id"],
        email=person["email"],
        phone=person["phone"],
        order_ids=_ids(body, "orders_requested"),
        request_id=request.get("id"),
    )


def read_customer_redaction(body: object, shop: Shop) -> CustomerRedaction:
    """Read the body of customers/redact; raises PayloadInvalid, also when it names nobody."""
    person = _person(load(_COMPLIANCE, body))
    return CustomerRedaction(
        customer_id=person["id"],
        email=person["email"],
        phone=person["phone"],
        order_ids=_ids(body, "orders_to_redact"),
    )


def read_shop_redaction(body: object, shop: Shop) -> ShopRedaction:
    """Read the body of shop/redact, which names nothing but the shop it came from; raises PayloadInvalid."""
    load(_COMPLIANCE, body)
    return ShopRedaction()


def _person(values: Values) -> Values:
    person: Values = values["customer"] or {}
    if not any(person.values()):
        raise PayloadInvalid(_NOBODY)
    return person


def _ids(body: object, key: str) -> tuple[str, ...]:
    """Give a list of ids; whatever else stands there names no order."""
    listed = body.get(key) if isinstance(body, dict) else None
    texts = (plain_text(item) for item in items_of(listed or []))
    return tuple(text for text in texts if text and text != "0")
