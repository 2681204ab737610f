"""Orders as movements of money, and the books that they add up to.

An order's movements are exact, in the currency of the order. The books are kept in two decimals, whatever the currency
has (SALESmanago takes no more): what an order sold and what was given back on it are each rounded half up, and undoing
the order takes off what is left of the two. A yen has none to round, a Kuwaiti dinar has a third.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any

CENTS = Decimal("0.01")
NOTHING = Decimal(0)
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}


class Cause(Enum):
    """Why money moved."""

    SALE = "sale"
    EDIT = "edit"  # the order was changed after it was placed
    REFUND = "refund"
    UNDOING = "undoing"  # cancelled or deleted; the opposite when it is re-opened or restored
    RESTOCK = "restock"  # goods came back, no money went


class What(Enum):
    """What it was for."""

    GOODS = "goods"
    DISCOUNT = "discount"
    TAX = "tax"  # only where prices do not hold it already
    SHIPPING = "shipping"
    SHIPPING_TAX = "shipping tax"
    TIP = "tip"
    MONEY = "money"  # an amount that nothing in particular explains


@dataclass(frozen=True)
class Movement:
    """Money that came in, or (below zero) went back. ``step`` is the place in the order's life at which it did."""

    step: int
    cause: Cause
    what: What
    amount: Decimal
    line: int | None = None
    pieces: int = 0
    ref: str = ""  # the refund or edit it is part of


@dataclass(frozen=True)
class Shop:
    """A shop and the e-shop its amounts are added up in."""

    key: str
    platform: str
    currency: str
    zone: str = "UTC"
    taxes_included: bool = True
    tax_percent: int = 20
    first_id: int = 1000


@dataclass(frozen=True)
class Line:
    """What was bought. Prices hold no tax unless the shop's do."""

    id: int
    product_id: int | None
    variant_id: int | None
    sku: str | None
    title: str
    price: Decimal
    is_gift_card: bool = False
    is_tip: bool = False


@dataclass(frozen=True)
class Step:
    """A moment of an order's life at which the shop has something to tell."""

    at: datetime
    topics: tuple[str, ...]
    state: dict[str, Any]


@dataclass
class Life:
    """An order, or what might have become one, from beginning to end."""

    shop: Shop
    number: int
    currency: str
    story: str
    email: str | None
    account: int | None
    version: tuple[str, str]  # of the bodies before and after ``version_changes_at``
    version_changes_at: datetime
    counts: bool = False  # whether it became a sale
    lines: list[Line] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The order's id in its shop."""
        return self.shop.first_id + self.number

    @property
    def unit(self) -> Decimal:
        """The smallest amount of the order's currency."""
        return Decimal(1).scaleb(-DIGITS[self.currency])

    def sum(self, *whats: What, line: int | None = None, causes: Iterable[Cause] = Cause) -> Decimal:
        """Add up the movements so far; without ``whats`` all of them."""
        wanted = set(causes)
        return sum(
            (
                move.amount
                for move in self.movements
                if move.cause in wanted and (not whats or move.what in whats) and line in (None, move.line)
            ),
            NOTHING,
        )

    def pieces_left(self, line: int) -> int:
        """Count what the buyer has of a line."""
        return sum(move.pieces for move in self.movements if move.line == line)

    def move(
        self,
        cause: Cause,
        what: What,
        amount: Decimal | int,
        line: int | None = None,
        pieces: int = 0,
        ref: str = "",
    ) -> None:
        """Book a movement at the step that will be shown next."""
        if amount or pieces:
            self.movements.append(Movement(len(self.steps), cause, what, Decimal(amount), line, pieces, ref))

    def add_line(self, cause: Cause, line: Line, quantity: int, discount: Decimal = NOTHING, ref: str = "") -> None:
        """Sell a line; ``discount`` is what is taken off all its pieces together."""
        self.lines.append(line)
        self.sell(cause, len(self.lines) - 1, quantity, discount, ref)

    def sell(self, cause: Cause, index: int, quantity: int, discount: Decimal = NOTHING, ref: str = "") -> None:
        """Sell (more) pieces of a line."""
        price = self.lines[index].price * quantity
        if self.lines[index].is_tip:
            self.move(cause, What.TIP, price, index, quantity, ref)
            return
        self.move(cause, What.GOODS, price, index, quantity, ref)
        self.move(cause, What.DISCOUNT, -discount, index, ref=ref)
        if not self.shop.taxes_included:
            self.move(cause, What.TAX, self.tax_on(price - discount), index, ref=ref)

    def ship(self, amount: Decimal) -> None:
        """Charge the way of shipping."""
        self.move(Cause.SALE, What.SHIPPING, amount)
        if not self.shop.taxes_included:
            self.move(Cause.SALE, What.SHIPPING_TAX, self.tax_on(amount))

    def tax_on(self, amount: Decimal) -> Decimal:
        """Give the tax that comes on top of an amount."""
        return (amount * self.shop.tax_percent / 100).quantize(self.unit, ROUND_HALF_UP)

    def take_back(self, cause: Cause, index: int, pieces: int, ref: str) -> None:
        """Take pieces off a line, with their share of its discount and tax; the last ones take what is left."""
        left = self.pieces_left(index)
        for what in (What.GOODS, What.DISCOUNT, What.TAX, What.TIP):
            whole = self.sum(what, line=index)
            share = whole if pieces == left else (whole * pieces / left).quantize(self.unit, ROUND_DOWN)
            gone = pieces if what in (What.GOODS, What.TIP) and whole else 0
            self.move(cause, what, -share, index, -gone, ref)
        if self.pieces_left(index) != left - pieces:  # pieces that cost nothing
            self.move(cause, What.GOODS, 0, index, -pieces, ref)

    def give_back_shipping(self, ref: str) -> None:
        """Refund the way of shipping."""
        for what in (What.SHIPPING, What.SHIPPING_TAX):
            self.move(Cause.REFUND, what, -self.sum(what), ref=ref)

    def give_back_all(self, cause: Cause, ref: str) -> None:
        """Take back all that is left, in each of its parts."""
        left: defaultdict[tuple[What, int | None], tuple[Decimal, int]] = defaultdict(lambda: (NOTHING, 0))
        for move in self.movements:
            amount, pieces = left[move.what, move.line]
            left[move.what, move.line] = amount + move.amount, pieces + move.pieces
        for (what, line), (amount, pieces) in left.items():
            self.move(cause, what, -amount, line, -pieces, ref)

    def reverse(self, ref: str) -> None:
        """Take back all that was booked under a reference."""
        for move in [each for each in self.movements if each.ref == ref]:
            self.move(move.cause, move.what, -move.amount, move.line, -move.pieces, ref)

    def show(self, at: datetime, *topics: str, **state: Any) -> None:
        """End a step: what was booked since the last one is seen from now on, beside the new ``state``."""
        self.state = {**self.state, **state}
        self.steps.append(Step(at, topics, self.state))


@dataclass(frozen=True)
class Sums:
    """What a shop sold, gave back, and took off its books again, in two decimals."""

    sold: Decimal = NOTHING
    returned: Decimal = NOTHING
    undone: Decimal = NOTHING

    @property
    def kept(self) -> Decimal:
        """What is left."""
        return self.sold - self.returned - self.undone

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.sold + other.sold, self.returned + other.returned, self.undone + other.undone)


def entry(life: Life) -> Sums:
    """Close an order: what the books say of it in the end."""
    if not life.counts:
        return Sums()
    sold = _closed(life.sum(causes=(Cause.SALE, Cause.EDIT)))
    returned = _closed(-life.sum(causes=(Cause.REFUND,)))
    is_undone = life.sum(causes=(Cause.UNDOING,)) != 0
    return Sums(sold, returned, sold - returned if is_undone else NOTHING)


def booked(lives: Iterable[Life]) -> dict[str, Sums]:
    """Give the books: what all orders come to, by currency."""
    books: defaultdict[str, Sums] = defaultdict(Sums)
    for life in lives:
        books[life.currency] += entry(life)
    return dict(books)


def _closed(amount: Decimal) -> Decimal:
    return amount.quantize(CENTS, ROUND_HALF_UP)
