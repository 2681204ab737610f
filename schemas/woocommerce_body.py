"""What all of WooCommerce's bodies share: the wrapper of legacy v3, error bodies, dates in pairs, plugin meta."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from marshmallow import fields

from relay.commerce import PlatformError
from relay.errors import PayloadInvalid
from relay.shops import Shop
from schemas.fields import LenientSchema, NestedObject, Text, Timestamp, Values, load
from schemas.text import plain_text, utc_time

# Legacy v3's names for what v1 and later call otherwise. Its dates are UTC and say so.
# Source: woocommerce-rest-api-docs, source/includes/v3.
_LEGACY_NAMES = {
    "created_at": "date_created_gmt",
    "updated_at": "date_modified_gmt",
    "last_update": "date_modified_gmt",
    "order_number": "number",
    "total_shipping": "shipping_total",
    "total_discount": "discount_total",
    "note": "customer_note",
    "billing_address": "billing",
    "shipping_address": "shipping",
    "title": "name",
    "managing_stock": "manage_stock",
}


class DatedSchema(LenientSchema):
    """A resource with its dates: the plain ones are the shop's wall time, which is all that v1 has."""

    date_created = Text()
    date_created_gmt = Timestamp()
    date_modified = Text()
    date_modified_gmt = Timestamp()


class MetaSchema(LenientSchema):
    """A pair a plugin left on a resource. The value can be any JSON."""

    key = Text()
    value = fields.Raw(allow_none=True, load_default=None)


class ErrorDataSchema(LenientSchema):
    """The HTTP status of a REST error."""

    status = Text()


class ErrorSchema(LenientSchema):
    """A REST error. Its message is left out: it is in the shop's language."""

    code = Text()
    data = NestedObject(ErrorDataSchema)


_ERROR = ErrorSchema()


def error_in(body: object) -> PlatformError | None:
    """Give the error a body holds in place of its resource, told by ``code`` and ``data.status`` and no ``id``."""
    if not isinstance(body, dict) or body.get("id") is not None:
        return None
    values = load(_ERROR, body)
    status = (values["data"] or {}).get("status")
    if values["code"] is None or status is None:
        return None
    return PlatformError(code=values["code"], status=int(status) if status.isdecimal() else None)


def unwrap(body: object, resource: str) -> object:
    """Give the resource out of legacy v3's wrapper, under the names of today; any other body as it is."""
    if isinstance(body, dict) and "id" not in body and isinstance(body.get(resource), dict):
        return _renamed(body[resource])
    return body


def moment(values: Values, name: str, shop: Shop) -> datetime | None:
    """Give a date by its ``_gmt`` twin, else by the shop's wall time. Raises: PayloadInvalid."""
    stated: datetime | None = values[f"{name}_gmt"]
    if stated is not None or values[name] is None:
        return stated
    try:
        return utc_time(values[name], shop.timezone)
    except ValueError:
        raise PayloadInvalid(f"The body does not fit its topic. {name}: Not a readable time.") from None


def changed_at(values: Values, shop: Shop) -> datetime | None:
    """Give when the resource last changed, which is its creation as long as nobody did."""
    return moment(values, "date_modified", shop) or moment(values, "date_created", shop)


def meta_text(entries: Iterable[Values], keys: Iterable[str]) -> str | None:
    """Give the text of the first of ``keys`` that the meta holds one for."""
    texts = {entry["key"]: plain_text(entry["value"]) for entry in entries}
    return next((texts[key] for key in keys if texts.get(key)), None)


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_LEGACY_NAMES.get(key, key): _renamed(inner) for key, inner in value.items()}
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value
