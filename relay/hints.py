"""Hints for misspelt names: the nearest known one, as the tail of a fault's message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Give ``; did you mean "x"?`` for the known name most like ``word``, or an empty string when none is like it."""
    matches = difflib.get_close_matches(word, sorted(known), n=1)
    return f'; did you mean "{matches[0]}"?' if matches else ""


def listed(names: Iterable[str]) -> str:
    """Give the names sorted and joined by commas, or ``none``."""
    return ", ".join(sorted(names)) or "none"
