"""What gives a person away in stored text: e-mail addresses, phone numbers and long ids, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from relay.masking import MASK
from relay.privacy import Person

_AT = "(?:@|%40|&#0*64;|&#x0*40;|&commat;)"
_PLUS = r"(?:\+|%2b|&#0*43;|&#x0*2b;)"
# What may stand before an address without being part of it; "%3D" is an "=" of a query string.
_START = r"(?:(?<![\w.+-])|(?<=%[0-9a-f][0-9a-f]))"
_END = r"(?![\w-]|\.[\w-])"
_GAP = r"[ ().\-/\u00a0]{0,3}"
_RUN = re.compile(rf"\d(?:{_GAP}\d){{6,}}")
_NO_DIGIT = re.compile(r"\D")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BLANKS = "nrtbf"  # what a letter after a backslash stands for is no letter
_NESTED = 2  # JSON inside the texts of JSON

# With or without country code and trunk zero: the end of a number is what all its spellings share.
_PHONE_END = 9
_SHORTEST_PHONE = 7
# Shorter ones are also quantities, prices and years.
_SHORTEST_ID = 9


class Traces:
    """Finds which of several people a text names."""

    def __init__(self, persons: Sequence[Person]) -> None:
        self._persons = [_Trace(person) for person in persons]

    def whose(self, stored: bytes | str, shop: str | None = None) -> set[int]:
        """Give the places of those persons that a stored text names; ids count in texts of their own ``shop``."""
        text = _readable(stored)
        runs = [_NO_DIGIT.sub("", run) for run in _RUN.findall(text)]
        return {place for place, trace in enumerate(self._persons) if trace.is_in(text, runs, shop)}


def masked(value: Any, person: Person) -> Any:
    """Give a JSON value with the person's addresses and phone numbers in its texts replaced by ``***``."""
    return _masked(value, _Trace(person).pattern)


class _Trace:
    """One person as a text may name them."""

    def __init__(self, person: Person) -> None:
        addresses = [address.rpartition("@") for address in map(str.casefold, person.addresses) if "@" in address]
        self._locals = [local.partition("+")[0] for local, _, _ in addresses]
        phones = list(_phones(person.phones))
        numbers = [rf"(?:\+{_GAP})?(?:\d{_GAP})*{_GAP.join(phone)}(?!\d)" for phone in phones]
        spelt = [rf"{_START}{_spelt(local)}{_AT}{re.escape(domain)}{_END}" for local, _, domain in addresses]
        self.address, self.pattern = _any_of(spelt), _any_of([*spelt, *numbers])
        self._phones = phones
        self._ids = [(shop, number) for shop, number in (*person.accounts, *person.orders) if _is_long(number)]

    def is_in(self, text: str, runs: Sequence[str], shop: str | None) -> bool:
        # A search for plain text is a hundred times as fast as one for a pattern.
        if any(local in text for local in self._locals) and self.address.search(text):
            return True
        if any(phone in run for run in runs for phone in self._phones):
            return True
        return any(place == shop and _stands_in(number, text) for place, number in self._ids)


def _readable(stored: bytes | str) -> str:
    """Give a text without the escapes of JSON, in lower case."""
    text = stored.decode("utf-8", "replace") if isinstance(stored, bytes) else stored
    for _ in range(_NESTED):
        if "\\" not in text:
            break
        text = _ESCAPE.sub(_unescaped, text)
    return text.casefold()


def _unescaped(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    if code is not None:
        return chr(int(code, 16))
    return " " if letter in _BLANKS else str(letter)


def _spelt(local: str) -> str:
    return re.escape(local).replace(r"\+", _PLUS)


def _phones(given: Iterable[str]) -> Iterator[str]:
    for phone in given:
        digits = _NO_DIGIT.sub("", phone)
        if len(digits) >= _SHORTEST_PHONE:
            yield digits[-_PHONE_END:]


def _is_long(number: str) -> bool:
    return number.isdigit() and len(number) >= _SHORTEST_ID


def _stands_in(number: str, text: str) -> bool:
    return number in text and re.search(rf"(?<!\d){number}(?!\d)", text) is not None


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)


def _masked(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(MASK, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return MASK if pattern.fullmatch(str(value)) else value
    if isinstance(value, Mapping):
        return {pattern.sub(MASK, key): _masked(inner, pattern) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner, pattern) for inner in value]
    return value
