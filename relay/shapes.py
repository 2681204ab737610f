"""The shape of the configuration file: marshmallow schemas for its tables, with messages that say what to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from relay.readers import is_loopback

KEY = re.compile(r"[a-z0-9][a-z0-9_-]*")
KEY_WORDS = "a key is made of lower-case letters, digits, - and _, and starts with a letter or digit"

_DURATION = re.compile(r"(\d{1,6})([smhd])")
_DURATION_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NAME = validate.Regexp(r"[a-z0-9][a-z0-9_-]*\Z", error='must name a file of the mappings folder, without ".toml"')
# The strict form of the official plugins; SALESmanago's servers take more, its own setup pages do not.
_LOCATION = validate.Regexp(
    r"[a-zA-Z_][a-zA-Z0-9_]{2,35}\Z",
    error="must be 3 to 36 letters, digits and _, not starting with a digit: SALESmanago's e-shop id",
)
_CURRENCY = validate.Regexp(r"[A-Z]{3}\Z", error='must be an ISO 4217 code such as "EUR"')
_FILLED = validate.Length(min=1, error="must not be empty")
_SHORTEST_API_KEY = 16
_API_KEY = validate.Length(min=_SHORTEST_API_KEY, error=f"must have at least {_SHORTEST_API_KEY} characters")
_SOME_SECRET = validate.Length(min=1, error="must hold at least one secret; an unsigned delivery proves nothing")


class _Converted(fields.Field[Any]):
    """A field made by one function that raises ValueError with the words for the fault."""

    def __init__(self, convert: Callable[[object], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._convert = convert

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            return self._convert(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def _duration(value: object) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a duration such as "90s", "30m", "2h" or "1d"')
    return timedelta(**{_DURATION_UNITS[found[2]]: int(found[1])})


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('must be an IANA time zone such as "Europe/Warsaw"') from None


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be a date and time with a zone, without quotes: 2026-01-01T00:00:00Z")
    return value.astimezone(UTC)


def _texts(value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise ValueError("must be a text or a list of texts")
    return tuple(text.lower() for text in texts)


def _endpoint(value: object) -> str:
    parts = _url_parts(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must start with https:// (http:// only for this machine): secrets travel on it")
    if parts.path.strip("/") or parts.query:
        raise ValueError('must be a host without a path, such as "https://app2.salesmanago.com"')
    return str(value).rstrip("/")


def _storefront(value: object) -> str:
    if _url_parts(value).scheme not in ("http", "https"):
        raise ValueError("must start with https:// or http://")
    return str(value).rstrip("/")


def _url_parts(value: object) -> Any:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or not parts.hostname or re.search(r"\s", str(value)):
        raise ValueError('must be a URL such as "https://shop.example"')
    return parts


def _one_of(*words: str) -> validate.OneOf:
    return validate.OneOf(words, error=f"must be one of: {', '.join(words)}")


def _text(**kwargs: Any) -> fields.String:
    return fields.String(validate=_FILLED, **kwargs)


class _Table(Schema):
    class Meta:
        unknown = RAISE


class CatalogTable(_Table):
    """``catalog`` of a group."""

    endpoint = _Converted(_endpoint, required=True)
    api_key = _text(required=True)
    id = _text()


class GroupTable(_Table):
    """``[groups.<key>]``."""

    endpoint = _Converted(_endpoint, required=True)
    client_id = _text(required=True)
    api_key = _text(required=True)
    api_secret = _text(required=True)
    owner = fields.Email(required=True)
    location = fields.String(required=True, validate=_LOCATION)
    mapping = fields.String(validate=_NAME)
    currency = fields.String(validate=_CURRENCY)
    api_keys = fields.List(fields.String(validate=_API_KEY))
    products = fields.List(fields.String(validate=_one_of("feed", "catalog")))
    catalog = fields.Nested(CatalogTable)
    feed_token = fields.String(validate=_API_KEY)
    requests_per_minute = fields.Integer(strict=True, validate=validate.Range(min=1, error="must be 1 or more"))


class ShopTable(_Table):
    """``[shops.<key>]``."""

    platform = _text(required=True)
    group = _text(required=True)
    secrets = fields.List(_text(), required=True, validate=_SOME_SECRET)
    location = fields.String(validate=_LOCATION)
    mapping = fields.String(validate=_NAME)
    domain = _Converted(_texts)
    url = _Converted(_storefront)
    currency = fields.String(validate=_CURRENCY)
    timezone = _Converted(_zone)
    purchase_when = fields.String(validate=_one_of("placed", "paid"))
    product_id = fields.String(validate=_one_of("product", "variant", "sku"))
    statuses = fields.Dict(keys=fields.String(), values=fields.String())
    cart_after = _Converted(_duration)
    on_customer_delete = fields.String(validate=_one_of("ignore", "opt_out", "delete"))
    on_shop_redact = fields.String(validate=_one_of("keep", "delete"))
    ignore_orders_before = _Converted(_moment)
    dry_run = fields.Boolean()
