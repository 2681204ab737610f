"""Taking turns: one queue's backlog must not keep another queue's newest row waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Select, func, select

Queue = TypeVar("Queue")
Row = TypeVar("Row")


def in_turn(queues: Sequence[Queue], limit: int, turn: int, take: Callable[[Queue, int], Sequence[Row]]) -> list[Row]:
    """Take up to ``limit`` rows, each queue its share of what is left; ``turn`` moves the queue that is asked first.

    ``take`` gives up to so many rows of a queue, in order, and the same ones when it is asked for more. What one queue
    does not need goes to the others.
    """
    taken: list[Row] = []
    longer: list[tuple[Queue, int]] = []
    start = turn % len(queues) if queues else 0
    for asked, queue in enumerate([*queues[start:], *queues[:start]]):
        share = -(-(limit - len(taken)) // (len(queues) - asked))
        mine = take(queue, share) if share else []
        taken += mine
        if share and len(mine) == share:
            longer.append((queue, share))
    for queue, had in longer:
        left = limit - len(taken)
        if left:
            taken += take(queue, had + left)[had:]
    return taken


def loose_scan(column: Column[Any], *conditions: ColumnElement[bool]) -> Select[Any]:
    """The statement that gives the different values of a column among the rows that meet the conditions, null left out.

    It hops from value to value through an index that begins with the column, after those the conditions fix: the
    engines' own DISTINCT would read every row, of which there may be a backlog of millions.
    """
    first = select(func.min(column).label("value")).where(*conditions).cte("hops", recursive=True)
    following = select(func.min(column)).where(*conditions, column > first.c.value).scalar_subquery()
    hops = first.union_all(select(following).where(first.c.value.is_not(None)))
    return select(hops.c.value).where(hops.c.value.is_not(None))
