"""Which claimed commands share a call, and in which order the calls are made. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relay.chunks import in_chunks
from relay.commands import Lane, StoredCommand
from relay.errors import CatalogRefused
from relay.salesmanago.client import MAX_PRODUCTS
from relay.store import LaneKey
from relay.worker.coalescing import Call, plan

COMPANY = (MAX_PRODUCTS, 10, 1)
"""How many products share a call after no, one and more failed attempts: so one that fails the others ends up alone."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Calls of one lane that are made one after the other, and the commands that have to be claimed anew after them."""

    lane: LaneKey
    calls: tuple[Call, ...]
    left: tuple[StoredCommand, ...] = ()

    @property
    def commands(self) -> list[StoredCommand]:
        """All commands it settles."""
        return [command for call in self.calls for command in call.commands]


def chains(claimed: Iterable[StoredCommand]) -> dict[LaneKey, list[Chain]]:
    """Group claimed commands into chains of calls, by lane; each goes where its first command stood."""
    subjects: defaultdict[tuple[str, str], list[StoredCommand]] = defaultdict(list)
    for command in claimed:
        subjects[command.group, command.subject].append(command)
    by_lane: defaultdict[LaneKey, list[Chain]] = defaultdict(list)
    products: defaultdict[tuple[LaneKey, str | None, int], list[Call]] = defaultdict(list)
    for commands in subjects.values():
        lane = LaneKey(commands[0].group, commands[0].kind.lane)
        calls = plan(commands)
        if lane.lane is Lane.CATALOG:
            first, rest = calls[0], [command for call in calls[1:] for command in call.commands]
            most = COMPANY[min(first.sent[0].attempts, len(COMPANY) - 1)]
            products[lane, first.sent[0].location, most].append(first)
            if rest:
                by_lane[lane].append(Chain(lane, (), tuple(rest)))
        else:
            by_lane[lane].append(_chain(lane, commands, calls))
    for (lane, _, most), singles in products.items():
        by_lane[lane] += [Chain(lane, (_joined(some),)) for some in in_chunks(singles, most)]
    return dict(by_lane)


def _chain(lane: LaneKey, commands: Iterable[StoredCommand], calls: list[Call]) -> Chain:
    planned = {command.id for call in calls for command in call.commands}
    return Chain(lane, tuple(calls), tuple(command for command in commands if command.id not in planned))


def _joined(singles: list[Call]) -> Call:
    return Call(
        tuple(command for call in singles for command in call.sent),
        tuple(command for call in singles for command in call.said),
    )


def refused_words(refusal: Exception, size: int) -> Mapping[int, str]:
    """Give what was said about single products of a batch of ``size``, by place; empty: about the whole call."""
    if not isinstance(refusal, CatalogRefused):
        return {}
    return {place: words for place, words in refusal.items.items() if 0 <= place < size}
