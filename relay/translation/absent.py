"""What an expression holds where the shop said nothing: whatever is done with it, it stays nothing."""

from __future__ import annotations

from typing import Any

from jinja2 import ChainableUndefined
from jinja2.runtime import Undefined


class LanguageError(Exception):
    """A mapping expression is wrong, or fails on a record. The message may be shown: no value of a record is in it."""


class Nothing(ChainableUndefined):
    """Jinja's undefined made harmless: its fields, items and sums are nothing, comparisons with it are false."""

    def _no(self, *args: Any, **kwargs: Any) -> Any:
        return False

    def _nothing(self, *args: Any, **kwargs: Any) -> Any:
        return self

    __lt__ = __le__ = __gt__ = __ge__ = _no
    __neg__ = __pos__ = __add__ = __radd__ = _nothing


NOTHING = Nothing()


def is_absent(value: object) -> bool:
    """Tell whether a value is None or Jinja's undefined."""
    return value is None or isinstance(value, Undefined)
