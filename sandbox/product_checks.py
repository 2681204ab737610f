"""API v3: what a product may look like. Each check notes its problems and gives what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from sandbox.behaviours import Switches
from sandbox.limits import LARGEST_AMOUNT, round_amount
from sandbox.urls import is_url
from sandbox.v3 import Problems, Reason


@dataclass(frozen=True, slots=True)
class Checking:
    """The problems found in one product so far, and the switches they depend on."""

    switches: Switches
    problems: Problems = field(default_factory=Problems)


Check: TypeAlias = Callable[[Checking, str, Any], Any]
"""Takes the field's path and value, notes problems, gives the value to keep. Never sees null."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, or a number that reads as one. ``narrow`` is the limit of the other source where two disagree."""

    most: int | None = None
    narrow: int | None = None
    trim: bool = False

    def __call__(self, checking: Checking, path: str, value: Any) -> Any:
        """Check a text."""
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            checking.problems.wrong_type(path, "String")
            return None
        text = str(value)
        most = self._limit(checking.switches)
        if most is None or len(text) <= most:
            return text
        if self.trim and checking.switches["over_long_product_text"] == "trim":
            checking.problems.add(Reason.TRIMMED, path, f"max:{most}")
            return text[:most]
        checking.problems.limit(path, 1, most)
        return None

    def _limit(self, switches: Switches) -> int | None:
        narrow = switches["disputed_product_limits"] == "narrow"
        return self.narrow if narrow and self.narrow is not None else self.most


@dataclass(frozen=True, slots=True)
class Items:
    """A list of at most ``most`` items, or of any number."""

    item: Check
    most: int | None = None

    def __call__(self, checking: Checking, path: str, value: Any) -> Any:
        """Check a list and its items."""
        if not isinstance(value, list):
            checking.problems.wrong_type(path, "List")
            return None
        if self.most is not None and len(value) > self.most:
            checking.problems.limit(path, 0, self.most)
            return None
        return [self.item(checking, f"{path}[{place}]", entry) for place, entry in enumerate(value)]


@dataclass(frozen=True, slots=True)
class Details:
    """An object whose keys have checks of their own."""

    keys: Mapping[str, Check]

    def __call__(self, checking: Checking, path: str, value: Any) -> Any:
        """Check an object and its fields."""
        if not isinstance(value, dict):
            checking.problems.wrong_type(path, "Object")
            return None
        return checked(checking, f"{path}.", value, self.keys)


def checked(checking: Checking, prefix: str, sent: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """Check every field that is there and not null; fields without a check are left out."""
    return {
        name: check(checking, f"{prefix}{name}", sent[name])
        for name, check in checks.items()
        if sent.get(name) is not None
    }


def require(checking: Checking, path: str, sent: Mapping[str, Any], names: Sequence[str]) -> None:
    """Note required fields that are missing, null or empty."""
    for name in names:
        if name not in sent:
            checking.problems.add(Reason.MISSING, f"{path}.{name}")
        elif sent[name] is None:
            checking.problems.add(Reason.NULL, f"{path}.{name}")
        elif sent[name] == "":
            checking.problems.limit(f"{path}.{name}", 1, 255)


def _flag(checking: Checking, path: str, value: Any) -> Any:
    if not isinstance(value, bool):
        checking.problems.wrong_type(path, "Boolean")
    return value


def _integer(checking: Checking, path: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        checking.problems.wrong_type(path, "Integer")
    return value


def _gender(checking: Checking, path: str, value: Any) -> Any:
    _integer(checking, path, value)
    if isinstance(value, int) and value not in (-1, 0, 1, 2, 4):
        checking.problems.add(Reason.PATTERN, path)
    return value


def _amount(checking: Checking, path: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        checking.problems.wrong_type(path, "Decimal")
        return None
    if not 0 <= value < LARGEST_AMOUNT:
        checking.problems.limit(path, 0, int(LARGEST_AMOUNT) - 1)
        return None
    amount = Decimal(value)
    if amount == round_amount(amount):
        return value
    if checking.switches["over_precise_amount"] == "refuse":
        checking.problems.add(Reason.PATTERN, path)
    return round_amount(amount)


def _url(checking: Checking, path: str, value: Any) -> Any:
    text = Text(2048)(checking, path, value)
    if text is not None and not is_url(text):
        checking.problems.add(Reason.PATTERN, path)
    return text


REQUIRED = ("productId", "name", "mainCategory")
_PRODUCT_ID = Text(255, narrow=32)
CHECKS: Mapping[str, Check] = {
    "productId": _PRODUCT_ID,
    "name": Text(255),
    "mainCategory": Text(255),
    "categoryExternalId": Text(255),
    "categories": Items(Text(255), most=5),
    "description": Text(16384, trim=True),
    "productUrl": _url,
    "mainImageUrl": _url,
    "imageUrls": Items(_url, most=5),
    "available": _flag,
    "active": _flag,
    "quantity": _integer,
    "price": _amount,
    "discountPrice": _amount,
    "unitPrice": _amount,
    "systemDetails": Details(
        {
            "brand": Text(255, trim=True),
            "manufacturer": Text(255, narrow=100, trim=True),
            "popularity": _integer,
            "gender": _gender,
            "season": Text(255, narrow=40, trim=True),
            "color": Text(40, narrow=25, trim=True),
            "bestseller": _flag,
            "newProduct": _flag,
        }
    ),
    "customDetails": Details({f"detail{place}": Text() for place in range(1, 6)}),
    "setAsNull": Items(Text()),
}
QUANTITY_CHECKS: Mapping[str, Check] = {"productId": _PRODUCT_ID, "quantity": _integer}
PRICE_CHECKS: Mapping[str, Check] = {"productId": _PRODUCT_ID, "price": _amount, "discountPrice": _amount}
