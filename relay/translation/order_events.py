"""The events an order should have: a pure function of what is known of it.

What SALESmanago has been told does not matter here; whoever compares the two finds what is to be added, changed or
taken back. So the same knowledge gives the same events, however it was gathered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from relay.commerce import Line, Order, OrderStatus, Refund
from relay.translation.versions import moment_of

PURCHASE, CART, CANCELLATION, RETURN = "PURCHASE", "CART", "CANCELLATION", "RETURN"
CANCELLED = "cancelled"
"""The fact with the moments of bodies that show an order cancelled, since the last one that does not."""

_CENT = Decimal("0.01")
_NOTHING = Decimal(0)
_CART_STATUSES = frozenset({OrderStatus.DRAFT, OrderStatus.PENDING, OrderStatus.FAILED})


@dataclass(frozen=True, slots=True)
class DesiredEvent:
    """One event: the slot it is remembered under, and what the rules decide of it; the mapping adds the rest."""

    slot: str
    type: str
    date: datetime
    value: Decimal | None
    lines: tuple[Line, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class OrderLife:
    """What all deliveries about an order say together, beside its newest body. The flags only ever rise.

    placed, paid    a body showed it placed, or paid
    cancelled_at    the earliest body that shows it cancelled, since the last one that does not
    refunded_at     the earliest body that shows it refunded as a whole
    refund_dates    refund id -> the earliest body that shows it, for platforms that do not date refunds
    deleted_at      when it was removed from the shop, None while it is there
    """

    placed: bool = False
    paid: bool = False
    cancelled_at: datetime | None = None
    refunded_at: datetime | None = None
    refund_dates: Mapping[str, datetime] | None = None
    deleted_at: datetime | None = None

    @classmethod
    def of(cls, facts: Mapping[str, Any], deleted_at: datetime | None) -> OrderLife:
        """Read it from a resource's facts."""
        return cls(
            placed=bool(facts.get("placed")),
            paid=bool(facts.get("paid")),
            cancelled_at=_moment(min(facts.get(CANCELLED, ()), default=None)),
            refunded_at=_moment(facts.get("refunded_at")),
            refund_dates={key: moment_of(at) for key, at in facts.get("refund_dates", {}).items()},
            deleted_at=deleted_at,
        )

    def qualifies(self, purchase_when: str) -> bool:
        """Tell whether the order is or was a purchase."""
        return self.paid or (purchase_when == "placed" and self.placed)


def desired_events(order: Order, status: OrderStatus, life: OrderLife, purchase_when: str) -> list[DesiredEvent]:
    """Give the events an order should have, carts left out (``is_cart``). ``order.placed_at`` must be known.

    ``status`` is that of the newest body that does not show the order in the trash.
    """
    if not life.qualifies(purchase_when) or order.placed_at is None:
        return []
    purchase = DesiredEvent(
        PURCHASE, PURCHASE, order.placed_at, order.total, order.lines, f"the order is {purchase_when}"
    )
    returns = list(_returns(order, status, life, order.placed_at))
    return [purchase, *returns, *_cancellation(order, status, life, returns)]


def is_cart(status: OrderStatus, life: OrderLife) -> bool:
    """Tell whether an order is still only a cart."""
    return status in _CART_STATUSES and not life.placed and not life.paid and life.deleted_at is None


def _returns(order: Order, status: OrderStatus, life: OrderLife, placed_at: datetime) -> Iterator[DesiredEvent]:
    """Give one RETURN a refund, together never more than the order.

    SALESmanago takes two decimals: each value is the step between two rounded sums, so nothing gets lost on the way.
    """
    left = _rounded(order.total) if order.total is not None else None
    exact, told = _NOTHING, _NOTHING
    for refund, at in _dated(order, status, life, placed_at):
        exact += refund.amount
        total = _rounded(exact) if left is None else min(_rounded(exact), left)
        value, told = total - told, total
        if value:
            yield DesiredEvent(
                f"{RETURN}:{refund.id}", RETURN, at, value, refund.lines or order.lines, "money went back"
            )


def _dated(
    order: Order, status: OrderStatus, life: OrderLife, placed_at: datetime
) -> Sequence[tuple[Refund, datetime]]:
    """Give the refunds with their dates, oldest first. A refunded order that lists none got all of its money back."""
    dates = life.refund_dates or {}
    refunds = [(refund, refund.at or dates.get(refund.id) or order.updated_at or placed_at) for refund in order.refunds]
    if not refunds and status is OrderStatus.REFUNDED and order.total:
        refunds = [(Refund("all", order.total), life.refunded_at or order.updated_at or placed_at)]
    return sorted(refunds, key=lambda each: (each[1], len(each[0].id), each[0].id))


def _cancellation(
    order: Order, status: OrderStatus, life: OrderLife, returns: Sequence[DesiredEvent]
) -> Iterator[DesiredEvent]:
    is_cancelled = order.cancelled_at is not None or status is OrderStatus.CANCELLED
    if not is_cancelled and life.deleted_at is None:
        return
    # An order that goes to the trash after it was cancelled keeps the date of that.
    at = (order.cancelled_at or life.cancelled_at) if is_cancelled else life.deleted_at
    at = at or order.updated_at or order.placed_at
    if at is None:
        return
    given_back = sum((event.value or _NOTHING for event in returns), _NOTHING)
    value = None if order.total is None else max(_rounded(order.total) - given_back, _NOTHING)
    rule = "the order was cancelled" if is_cancelled else "the order was deleted from the shop"
    yield DesiredEvent(CANCELLATION, CANCELLATION, at, value, order.lines, rule)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _moment(count: int | None) -> datetime | None:
    return None if count is None else moment_of(count)
