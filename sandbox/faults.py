"""Faults on demand: what goes wrong between a caller and SALESmanago, told to happen a number of times."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from marshmallow import Schema, fields, post_load, validate


class FaultKind(StrEnum):
    """What goes wrong. Only SLOW and DROP_ANSWER let the call have its effect."""

    THROTTLE = "throttle"  # 429, with Retry-After when retry_after is given
    FAIL = "fail"  # a gateway's 5xx, with a body that is not JSON
    GARBLE = "garble"  # 200, with a body that is not JSON
    REFUSE = "refuse"  # the API's own refusal with a text of choice
    AUTH = "auth"  # the API's own refusal of the credentials
    HANG = "hang"  # no answer for some seconds, then the connection closes; nothing is applied
    SLOW = "slow"  # some seconds late, then applied and answered, even if the caller has gone
    DROP_ANSWER = "drop_answer"  # applied, then no answer for some seconds, then the connection closes


@dataclass(slots=True)
class Fault:
    """One order to misbehave. ``times`` counts down; None means until it is taken back."""

    kind: FaultKind
    times: int | None
    path: str
    account: str | None
    status: int
    retry_after: int | None
    seconds: float
    text: str

    def concerns(self, path: str, account: str | None) -> bool:
        """Tell whether a call to ``path`` by ``account`` is to go wrong."""
        return path.startswith(self.path) and self.account in (None, account)

    def as_dict(self) -> dict[str, Any]:
        """Give the order ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


class FaultSchema(Schema):
    """Body of ``POST /_sandbox/faults``."""

    kind = fields.Enum(FaultKind, by_value=True, required=True)
    times = fields.Integer(strict=True, allow_none=True, load_default=1, validate=validate.Range(min=1))
    path = fields.String(load_default="/")
    account = fields.String(allow_none=True, load_default=None)
    status = fields.Integer(strict=True, load_default=503, validate=validate.Range(min=500, max=599))
    retry_after = fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(min=0))
    seconds = fields.Float(load_default=0.0, validate=validate.Range(min=0, max=3600))
    text = fields.String(load_default="Refused on demand")

    @post_load
    def make(self, data: Mapping[str, Any], **_: Any) -> Fault:
        """Build the order."""
        return Fault(**data)


class Faults:
    """The orders that are still to be carried out, oldest first."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self.released = threading.Event()
        """Set when the orders are cleared: what the calls that are held wait for, without the state's lock."""

    def add(self, fault: Fault) -> None:
        """Take one order."""
        self._orders.append(fault)

    def take(self, path: str, account: str | None) -> Fault | None:
        """Give the first order that concerns this call, and count it down."""
        for fault in self._orders:
            if fault.concerns(path, account):
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._orders.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Take all orders back and let go of the calls that are held."""
        self._orders.clear()
        self.released.set()
        self.released = threading.Event()

    def as_list(self) -> list[dict[str, Any]]:
        """Give the orders still open."""
        return [fault.as_dict() for fault in self._orders]
