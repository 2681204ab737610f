"""JSON without floats: numbers are read as ``int`` or ``Decimal`` and written digit for digit."""

from __future__ import annotations

import hashlib
from typing import Any

import simplejson


def loads(text: bytes | str) -> Any:
    """Parse JSON; raises ValueError when it is none (NaN and Infinity count as none)."""
    return simplejson.loads(text, use_decimal=True, allow_nan=False)


def dumps(value: Any) -> str:
    """Write ``value`` compactly, keys in the order given, ``Decimal`` as plain numbers."""
    return simplejson.dumps(value, use_decimal=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def digest(value: Any) -> str:
    """Give a sha256 hex that is equal for equal values, whatever the order of their keys."""
    text = simplejson.dumps(value, use_decimal=True, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
