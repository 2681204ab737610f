"""Which claimed commands share a call, and what a refusal says about each of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relay.commands import CommandKind, StoredCommand
from relay.errors import CatalogRefused
from relay.salesmanago.client import MAX_PRODUCTS
from relay.store import LaneKey

COMPANY = (MAX_PRODUCTS, 10, 1)
"""How many products share a call after no, one and more failed attempts: so one that fails the others ends up alone."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands of one group that share a call, in the order they were claimed."""

    lane: LaneKey
    commands: tuple[StoredCommand, ...]


def batches(claimed: Iterable[StoredCommand]) -> dict[LaneKey, list[Batch]]:
    """Group claimed commands into calls, by lane; a call goes where its first command stood."""
    calls: dict[tuple[object, ...], list[StoredCommand]] = {}
    met: Counter[tuple[object, ...]] = Counter()
    for command in claimed:
        place: tuple[object, ...] = (command.id,)
        if command.kind is CommandKind.PRODUCT_UPSERT:
            most = COMPANY[min(command.attempts, len(COMPANY) - 1)]
            company = (command.group, command.location, most)
            place = (*company, met[company] // most)
            met[company] += 1
        calls.setdefault(place, []).append(command)
    by_lane: dict[LaneKey, list[Batch]] = {}
    for commands in calls.values():
        lane = LaneKey(commands[0].group, commands[0].kind.lane)
        by_lane.setdefault(lane, []).append(Batch(lane, tuple(commands)))
    return by_lane


def refused_words(refusal: Exception, size: int) -> Mapping[int, str]:
    """Give what was said about single products of a batch of ``size``, by place; empty: about the whole call."""
    if not isinstance(refusal, CatalogRefused):
        return {}
    return {place: words for place, words in refusal.items.items() if 0 <= place < size}
