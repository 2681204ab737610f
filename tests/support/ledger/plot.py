"""What all stories of orders are told with: a life, a clock that only goes forward, and dice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.ledger.books import NOTHING, Cause, Life, Line, What

_TITLES = ("Wool blanket", "Beeswax candle", "Stoneware cup", "Linen towel &amp; ribbon", "Oak board", "Żółty kubek")


class Plot:
    """Tells one order's life."""

    def __init__(self, life: Life, at: datetime, dice: random.Random) -> None:
        self.life = life
        self.at = at
        self.dice = dice
        self._refs = 0

    # Time.

    def later(self, low_s: int, high_s: int) -> None:
        """Let some seconds pass."""
        self.at += timedelta(seconds=self.dice.randint(low_s, high_s))

    def days_later(self, low: int = 1, high: int = 4) -> None:
        """Let some days pass."""
        self.later(low * 86_400, high * 86_400)

    def show(self, *topics: str, **state: Any) -> None:
        """Let the shop tell how things stand."""
        self.life.show(self.at, *topics, **state)

    # Dice.

    def happens(self, share: float) -> bool:
        """Throw the dice."""
        return self.dice.random() < share

    def amount(self, low: float, high: float) -> Decimal:
        """Invent an amount, in the smallest steps of the currency; ``low`` and ``high`` are in euros."""
        worth = {"EUR": 1.0, "JPY": 165.0, "KWD": 0.33}[self.life.currency]
        low_steps, high_steps = (int(Decimal(each * worth) / self.life.unit) for each in (low, high))
        return self.dice.randint(low_steps, high_steps) * self.life.unit

    def part_of(self, amount: Decimal) -> Decimal:
        """Give a part of an amount that leaves something of it, if it can."""
        steps = int(amount / self.life.unit)
        return self.dice.randint(1, max(1, steps - 1)) * self.life.unit

    # Goods.

    def fill(self) -> None:
        """Put goods, shipping, discount and tip into the order."""
        coupon = self.happens(0.3)
        for _ in range(self.dice.randint(1, 4)):
            line, quantity = self.a_line(), self.dice.choice((1, 1, 1, 2, 3, 7))
            discount = self.part_of(line.price * quantity) if coupon and line.price else NOTHING
            self.life.add_line(Cause.SALE, line, quantity, discount)
        if self.happens(0.8):
            self.life.ship(self.amount(2, 15))
        if self.happens(0.1):
            self.add_tip()

    def fill_for_nothing(self) -> None:
        """Put goods into the order that a coupon makes free."""
        line = self.a_line()
        self.life.add_line(Cause.SALE, line, 1, line.price)

    def a_line(self) -> Line:
        """Invent something to buy. Gone products and custom items have no id; some things cost nothing."""
        place = len(self.life.lines) + 1
        product = None if self.happens(0.04) else self.life.shop.first_id + self.dice.randint(1, 400)
        return Line(
            id=self.life.id * 100 + place,
            product_id=product,
            variant_id=product and self.dice.choice((None, product * 10 + 1)),
            sku=self.dice.choice((None, "", f"SKU-{place}", "0042")),
            title=self.dice.choice(_TITLES),
            price=NOTHING if self.happens(0.03) else self.amount(1, 180),
            is_gift_card=self.happens(0.03),
        )

    def add_tip(self) -> None:
        """Add a tip."""
        place = len(self.life.lines) + 1
        tip = Line(self.life.id * 100 + place, None, None, None, "Tip", self.amount(1, 8), is_tip=True)
        self.life.add_line(Cause.SALE, tip, 1)

    # Money that goes back.

    def ref(self) -> str:
        """Give the id of the next refund or edit, unique in the shop."""
        self._refs += 1
        return str(self.life.id * 100 + 50 + self._refs)

    @property
    def left(self) -> Decimal:
        """What the shop has of the order."""
        return self.life.sum()

    def goods(self) -> Sequence[int]:
        """The lines of which the buyer has something, tips left out."""
        lines = enumerate(self.life.lines)
        return [index for index, line in lines if not line.is_tip and self.life.pieces_left(index)]

    def give_back_some(self, cause: Cause = Cause.REFUND) -> str:
        """Take back some pieces of one line, or of two; gives the refund's id."""
        ref, goods = self.ref(), self.goods()
        for index in self.dice.sample(goods, min(len(goods), self.dice.randint(1, 2))):
            self.life.take_back(cause, index, self.dice.randint(1, self.life.pieces_left(index)), ref)
        if self.left < 0:  # an amount went back before, so there is less left than the goods cost
            self.life.move(cause, What.MONEY, -self.left, ref=ref)
        return ref

    def give_back_money(self) -> str:
        """Give an amount back that nothing explains."""
        ref = self.ref()
        self.life.move(Cause.REFUND, What.MONEY, -self.part_of(self.left), ref=ref)
        return ref

    def give_back_shipping(self) -> str:
        """Give the way of shipping back; an amount where nothing was charged for it or not enough is left."""
        charged = self.life.sum(What.SHIPPING, What.SHIPPING_TAX)
        if not charged or charged > self.left:
            return self.give_back_money()
        ref = self.ref()
        self.life.give_back_shipping(ref)
        return ref

    def give_back_all(self, cause: Cause = Cause.REFUND) -> str:
        """Take everything back."""
        ref = self.ref()
        self.life.give_back_all(cause, ref)
        return ref
