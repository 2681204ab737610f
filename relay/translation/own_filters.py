"""The filters that are the mapping language's own, and its test ``in``, as plain functions.

Expressions reach them through ``filters.py``, which gives nothing for nothing before all of them but ``default``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date as calendar_date
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import phonenumbers
from jinja2 import pass_context
from jinja2.runtime import Context
from marshmallow import ValidationError

from relay.translation.absent import LanguageError, is_absent
from schemas.text import exact_number, html_to_text, utc_time
from schemas.values import as_text, is_empty

Filter: TypeAlias = Callable[..., Any]

LIST_JOINT = ", "
"""What stands between the items of a list that ends up in one text."""

_MOST_CANDIDATES = 1_000
_LONGEST_TEXT = 8 * 1024 * 1024
_MOST_DIGITS = 10


def text_of(value: object) -> str:
    """Give any single value as text, a list as its items joined; "" for nothing. Raises: LanguageError for objects."""
    if is_absent(value):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return join(value, LIST_JOINT)
    try:
        return as_text(value)
    except ValidationError:
        raise LanguageError(f"{type(value).__name__} is no text; name one of its fields") from None


def default(value: object, fallback: object = None) -> object:
    """Give the value, or ``fallback`` where it is empty: nothing, "", [] or {}. 0 and false are values."""
    return fallback if is_absent(value) or is_empty(value) else value


def join(values: object, separator: str = "") -> str:
    """Give the items of a list as one text; empty ones are left out, their separators too."""
    if not isinstance(values, list | tuple):
        return text_of(values)
    return separator.join(filter(None, map(text_of, values)))


def split(value: object, separator: str = ",") -> list[Any]:
    """Give the parts of a text without blanks around them, empty ones left out. A list comes back as it is."""
    if isinstance(value, list | tuple):
        return list(value)
    return [part.strip() for part in text_of(value).split(separator) if part.strip()]


def replace(value: object, old: str, new: str) -> str:
    """Give the text with every ``old`` replaced by ``new``."""
    text = text_of(value)
    if not old:
        raise LanguageError("replace needs to know what to replace")
    if len(text) + text.count(old) * (len(new) - len(old)) > _LONGEST_TEXT:
        raise LanguageError("replace would make too long a text")
    return text.replace(old, new)


def decimal(value: object) -> Decimal | None:
    """Give a number, or text that is one ("12.50"), as an exact number; nothing for anything else."""
    try:
        return exact_number(value)
    except ValueError:
        return None


def whole(value: object) -> int | None:
    """Give a number, or text that is one, without its fraction; nothing for anything else."""
    number = decimal(value)
    return None if number is None else int(number)


def money(value: object, digits: int = 2) -> Decimal | None:
    """Give an amount with ``digits`` decimals (at most 10), rounded half up; nothing for what is no number."""
    if not 0 <= digits <= _MOST_DIGITS:
        raise LanguageError(f"money takes 0 to {_MOST_DIGITS} digits")
    number = decimal(value)
    return None if number is None else number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


@pass_context
def date(context: Context, value: object, format: str = "%Y-%m-%d", zone: str | None = None) -> str | None:
    """Give a time, or ISO 8601 text, by strftime's ``format`` in ``zone``, else in the shop's zone, else in UTC.

    Text without an offset is in that zone already. Nothing for what is no time.
    """
    if isinstance(value, calendar_date) and not isinstance(value, datetime):
        return value.strftime(format)
    place = time_zone(zone or getattr(context.resolve("shop"), "timezone", None) or "UTC")
    moment = value if isinstance(value, datetime) else _moment(value, place)
    return moment.astimezone(place).strftime(format) if moment else None


def time_zone(name: str) -> tzinfo:
    """Give the zone of an IANA name such as "Europe/Warsaw"; raises LanguageError."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise LanguageError(f'there is no time zone "{name}"') from None


def phone(value: object, region: str | None = None) -> str:
    """Give a phone number in its international form (E.164), numbers without a country being of ``region``.

    Text that is no possible number there comes back as it is.
    """
    text = text_of(value)
    try:
        number = phonenumbers.parse(text, (region or "").upper() or None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_with_phones(region: str) -> None:
    """Check that a two-letter country code has phone numbers; raises LanguageError."""
    if str(region).upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise LanguageError(f'there is no country "{region}"; use a two-letter code such as "PL"')


def meta(value: object, key: str) -> object:
    """Give the value of the first entry called ``key`` in a list of {key or name, value} objects.

    Of an object, its ``meta_data`` list is meant: WooCommerce puts one in orders, lines, customers and products.
    """
    entries = value.get("meta_data") if isinstance(value, Mapping) else value
    if not isinstance(entries, list | tuple):
        return None
    named = (entry for entry in entries if isinstance(entry, Mapping) and key in (entry.get("key"), entry.get("name")))
    return next((entry.get("value") for entry in named), None)


def html_text(value: object) -> str:
    """Give HTML as plain text on one line."""
    return html_to_text(text_of(value))


def contained(value: object, candidates: Any) -> bool:
    """Tell whether a list has this item, an object this key or a text this part; nothing is in nothing."""
    if is_absent(value) or is_absent(candidates):
        return False
    if isinstance(candidates, list | tuple) and len(candidates) > _MOST_CANDIDATES:
        raise LanguageError(f"in takes lists of up to {_MOST_CANDIDATES} items")
    return value in candidates


def _moment(value: object, zone: tzinfo) -> datetime | None:
    try:
        return utc_time(value, zone) if isinstance(value, str) else None
    except ValueError:
        return None


OWN_FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        "date": date,
        "decimal": decimal,
        "default": default,
        "html_text": html_text,
        "int": whole,
        "join": join,
        "meta": meta,
        "money": money,
        "phone": phone,
        "replace": replace,
        "split": split,
        "string": text_of,
    }
)
"""Name in an expression -> function."""
