"""Many values in lists of a few: as many as a statement, a call or a reader takes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_chunks(values: Iterable[T], most: int) -> Iterator[list[T]]:
    """Give values in their order, in lists of ``most``, of which the last one may be shorter; no list for none."""
    left = iter(values)
    while some := list(islice(left, most)):
        yield some
