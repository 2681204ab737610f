"""What a worker is woken for: each kind wakes those that can do something about it, and nobody else."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Flag, auto
from functools import reduce
from operator import or_


class News(Flag):
    """Kinds of work that was stored; several may come together."""

    DELIVERIES = auto()
    """To be translated."""
    COMMANDS = auto()
    """To be sent."""

    @property
    def text(self) -> str:
        """How it is told to other processes."""
        return str(self.value)

    @classmethod
    def read(cls, text: str) -> News:
        """Read what another process told; what this version does not know, such as an older one's word, is everything.

        To look in vain costs little, not to look leaves work lying until the next poll.
        """
        return next((news for news in map(cls, range(1, EVERYTHING.value + 1)) if news.text == text), EVERYTHING)

    @classmethod
    def together(cls, told: Iterable[News]) -> News:
        """Give all of some news as one."""
        return reduce(or_, told, NOTHING)


NOTHING = News(0)
EVERYTHING = News.DELIVERIES | News.COMMANDS
