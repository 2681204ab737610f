"""Limits of API v2 texts and amounts, and what happens beyond them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.behaviours import Switches
from sandbox.v2 import refuse

TAG_LIMIT = 255
PROPERTY_LIMIT = 255
EVENT_LIMITS: Mapping[str, int] = {
    "description": 2048,
    "products": 512,
    "location": 36,
    "externalId": 255,
    "shopDomain": 255,
    **{f"detail{place}": 255 for place in range(1, 21)},
}
CENT = Decimal("0.01")
LARGEST_AMOUNT = Decimal(10) ** 19

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_EMAIL_LIMIT = 254


def is_email(value: str) -> bool:
    """Tell whether SALESmanago would take this address: 64 characters before the @, 254 in all."""
    return len(value) <= _EMAIL_LIMIT and _EMAIL.fullmatch(value) is not None


def fit_text(switches: Switches, name: str, value: Any, limit: int) -> str:
    """Bring a text under its limit as the switch says; declines the call where it is to be refused."""
    text = str(value)
    if len(text) <= limit or switches["over_limit"] == "store":
        return text
    if switches["over_limit"] == "refuse":
        raise refuse(f"Value of field {name} is too long, maximum is {limit}")
    return text[:limit]


def fit_amount(switches: Switches, name: str, value: Any) -> Decimal:
    """Bring an amount to 19 digits and two decimals as the switch says; declines the call where it cannot."""
    amount = Decimal(str(value))
    if abs(amount) >= LARGEST_AMOUNT:
        raise refuse(f"Value of field {name} is too large")
    if amount == round_amount(amount):
        return amount
    if switches["over_precise_amount"] == "refuse":
        raise refuse(f"Value of field {name} has more than two decimals")
    return round_amount(amount)


def round_amount(amount: Decimal) -> Decimal:
    """Round to two decimals, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)
