"""JSON without floats: numbers are read as ``int`` or ``Decimal`` and written digit for digit.

What is written is dicts with texts as keys, lists, texts, numbers, truth values and None; nobody has agreed on how to
spell anything else. msgspec does what it can, several times as fast; simplejson takes what it leaves: halves of
surrogate pairs, a byte order mark, subclasses of text, keys that are none, floats beside nulls. Both read and write
alike, which is tested.
"""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import simplejson
from msgspec import DecodeError
from msgspec.json import Decoder, Encoder

# Half of a surrogate pair: JSON can spell it, UTF-8 cannot. A shop that cuts a text within an emoji sends one.
_HALF = re.compile("[\ud800-\udfff]")
_UNPRINTED = re.compile("[\x7f-\U0010ffff]")

_FAST = Encoder(decimal_format="number")
_FAST_SORTED = Encoder(decimal_format="number", order="deterministic")
_FAST_DECODER = Decoder(float_hook=Decimal)
_LISTS = frozenset((list, tuple))
_PLAIN = frozenset((str, int, bool, Decimal, type(None)))

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
    try:
        try:
            return _FAST_DECODER.decode(text)
        except (DecodeError, UnicodeError):
            return _DECODER.decode(text if isinstance(text, str) else str(text, "utf-8"))
    except InvalidOperation:
        raise ValueError("A number is larger or smaller than any that can be kept.") from None


def dumps(value: Any) -> str:
    """Write ``value`` compactly, keys in the order given, ``Decimal`` as plain numbers; ValueError for NaN."""
    written = _written_fast(_FAST, value)
    return _encodable(_COMPACT.encode(value)) if written is None else written.decode()


def has_half_pairs(value: Any) -> bool:
    """Tell whether a text or key of ``value`` has half of a surrogate pair, which no other text can carry."""
    return _HALF.search(_COMPACT.encode(value)) is not None


def pretty(value: Any) -> str:
    """Write ``value`` for people to read, an item a line."""
    text = simplejson.dumps(value, use_decimal=True, allow_nan=False, ensure_ascii=False, indent=2)
    return _encodable(text) + "\n"


def digest(value: Any) -> str:
    """Give a sha256 hex that is equal for equal values, whatever the order of their keys."""
    return hashlib.sha256(_canonical(value)).hexdigest()


def _canonical(value: Any) -> bytes:
    """Write ``value`` with sorted keys in ASCII: digests are stored, so this must stay as it is."""
    written = _written_fast(_FAST_SORTED, value)
    if written is None:
        return _SORTED.encode(value).encode()
    if written.isascii() and b"\x7f" not in written:
        return written
    return _UNPRINTED.sub(_escaped, written.decode()).encode()


def _written_fast(encoder: Encoder, value: Any) -> bytes | None:
    """Give what msgspec writes, None for what has to be left to simplejson."""
    try:
        written = encoder.encode(value)
    except (TypeError, UnicodeEncodeError):
        return None
    # Which is how it writes a float that is no number; nothing that was read has floats.
    return None if b"null" in written and _has_floats(value) else written


def _has_floats(value: Any) -> bool:
    left = [value]
    while left:
        each = left.pop()
        kind = type(each)
        if kind is dict:
            left.extend(each.values())
        elif kind in _LISTS:
            left.extend(each)
        elif kind not in _PLAIN:
            return True  # or what may have some
    return False


def _escaped(character: re.Match[str]) -> str:
    units = character.group().encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return _HALF.sub(lambda half: f"\\u{ord(half.group()):04x}", text)
    return text
