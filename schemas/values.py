"""Plain values of what goes out: any scalar as clean text, exact numbers, links that SALESmanago's validator takes."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import quote, urlsplit, urlunsplit

from marshmallow import ValidationError

from relay.clock import iso

# Controls have no place in XML 1.0, and halves of surrogate pairs have none in UTF-8, but JSON can spell both.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# Written out in full, "1e999999999" would be a gigabyte of noughts.
_LARGEST_EXPONENT = 40
_CONTAINERS = (list, tuple, dict)
# What a link may hold as it is; "%" is among it because links come encoded already.
_LINK_SAFE = "%/:@&?=+,.!~*'$;()-_[]"


def is_empty(value: object) -> bool:
    """Tell whether a value says nothing; 0 and false say something."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, _CONTAINERS) and not value)


def as_text(value: object) -> str:
    """Give a text, number, yes/no or time as stripped text that JSON and XML can carry; raises ValidationError."""
    if isinstance(value, str):
        # Most texts are printable from end to end, which is told sooner than any other way.
        return (value if value.isprintable() else _UNSENDABLE.sub("", value)).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso(value) or ""
    if isinstance(value, Decimal) and abs(value.adjusted()) <= _LARGEST_EXPONENT:
        return f"{value:f}"
    if isinstance(value, int | date):
        return str(value)
    raise ValidationError("Must be one text or number; join a list in the mapping.")


def as_decimal(value: object) -> Decimal:
    """Read an exact number; raises ValidationError. A float is refused: its digits are not those it was made from."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise ValidationError("Must be a number or the text of one, not a float.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValidationError("Not a readable number.") from None
    if not number.is_finite():
        raise ValidationError("Not a readable number.")
    return number


def as_link(value: object) -> str:
    """Give a link with its path and query percent-encoded and repeated slashes in the path made one.

    SALESmanago refuses blanks, letters outside ASCII and two slashes in a row. Raises: ValueError when it has no shape
    of a link at all.
    """
    parts = urlsplit(as_text(value))
    path = quote(re.sub("/{2,}", "/", parts.path), safe=_LINK_SAFE)
    return urlunsplit(parts._replace(path=path, query=quote(parts.query, safe=_LINK_SAFE)))
