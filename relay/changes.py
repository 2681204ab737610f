"""Records of what arrives apart from the resource it belongs to: a refund, a consent, a tag, a merge, a count of stock.

Each has a time of its own, or an id, so that what it says can be put in its place whichever arrives first. Mapping
files do not see these records but what they make of ``commerce``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

Channel: TypeAlias = Literal["email", "sms"]


ARRIVED_ALONE = "arrived_alone"
"""The key that marks a piece where it stands among those that its resource's own body lists."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a resource: one item of the list that stands under ``key`` in the resource's own body."""

    kind: str  # ResourceKind value
    id: str  # of the resource it is a part of
    key: str
    piece_id: str
    body: Mapping[str, Any]  # as the platform sent it, so that the resource's own schema reads it


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """What an account agrees to on one channel: True opted in, False opted out, None when the body does not say."""

    customer_id: str
    channel: Channel
    given: bool | None = None
    at: datetime | None = None
    email: str | None = None  # the account's address, where the platform names it


@dataclass(frozen=True, slots=True)
class TagChange:
    """Tags that an account was given or lost; all others stay."""

    customer_id: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountMerge:
    """Two accounts of one person became one. ``done`` is False for a merge that was only asked for, or failed."""

    kept_id: str
    deleted_id: str
    done: bool = True


@dataclass(frozen=True, slots=True)
class StockChange:
    """How many pieces there are at one place now; ``available`` is None where the shop does not count them."""

    item_id: str | None = None  # a variant's ``inventory_item_id``; None in a body that names nothing
    location_id: str | None = None
    available: int | None = None
    at: datetime | None = None
