"""Hides what may tell about a person or open an account in words of others, before they are stored, shown or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

MASK = "***"

# The lengths are bounded so that a long text without blanks cannot make the search quadratic.
_EMAIL = re.compile(r"""[^\s@<>"'|,;:()\[\]]{1,254}(?:@|%40)[^\s@<>"'|,;:()\[\]]{1,254}""", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(?<![\w-])\+?\(?\d(?:[\s()./-]{0,3}\d){6,40}(?![\w-])")
_SHORTEST_HIDDEN = 3


def mask(text: str, hidden: Iterable[str] = ()) -> str:
    """Replace e-mail addresses, runs of seven digits or more (phones, cards) and the ``hidden`` texts by ``***``.

    ``hidden`` is found whole and whatever its case; what is shorter than three characters is not looked for, since
    hiding every "no" would leave nothing to read.
    """
    known = sorted({item for item in hidden if len(item) >= _SHORTEST_HIDDEN}, key=len, reverse=True)
    if known:
        words = "|".join(re.escape(item) for item in known)
        text = re.sub(rf"(?<!\w)(?:{words})(?!\w)", MASK, text, flags=re.IGNORECASE)
    return _LONG_NUMBER.sub(MASK, _EMAIL.sub(MASK, text))


def texts_of(value: object) -> Iterator[str]:
    """Give every text inside a JSON value, keys left out: what ``mask`` may be told to hide."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)
