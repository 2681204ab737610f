"""JSON without floats: numbers are read as ``int`` or ``Decimal`` and written digit for digit."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import Any

import simplejson

# Half of a surrogate pair: JSON can spell it, UTF-8 cannot. A shop that cuts a text within an emoji sends one.
_HALF = re.compile("[\ud800-\udfff]")

# Made once: simplejson.dumps would make one for every call. What is written here has neither circles nor named tuples.
_COMPACT = simplejson.JSONEncoder(
    use_decimal=True,
    allow_nan=False,
    ensure_ascii=False,
    separators=(",", ":"),
    check_circular=False,
    namedtuple_as_object=False,
)
_SORTED = simplejson.JSONEncoder(
    use_decimal=True,
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
    check_circular=False,
    namedtuple_as_object=False,
)

_DECODER = simplejson.JSONDecoder(parse_float=Decimal, allow_nan=False)


def loads(text: bytes | str) -> Any:
    """Parse JSON; raises ValueError when it is none (NaN and Infinity count as none)."""
    return _DECODER.decode(text if isinstance(text, str) else str(text, "utf-8"))


def dumps(value: Any) -> str:
    """Write ``value`` compactly, keys in the order given, ``Decimal`` as plain numbers."""
    return _encodable(_COMPACT.encode(value))


def has_half_pairs(value: Any) -> bool:
    """Tell whether a text or key of ``value`` has half of a surrogate pair, which no other text can carry."""
    return _HALF.search(_COMPACT.encode(value)) is not None


def pretty(value: Any) -> str:
    """Write ``value`` for people to read, an item a line."""
    text = simplejson.dumps(value, use_decimal=True, allow_nan=False, ensure_ascii=False, indent=2)
    return _encodable(text) + "\n"


def digest(value: Any) -> str:
    """Give a sha256 hex that is equal for equal values, whatever the order of their keys."""
    return hashlib.sha256(_SORTED.encode(value).encode()).hexdigest()


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return _HALF.sub(lambda half: f"\\u{ord(half.group()):04x}", text)
    return text
