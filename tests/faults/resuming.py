"""How long work stood still after a worker was killed, read from the times in the store."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from relay.commands import CommandKind
from relay.store.views import CommandView
from tests.faults.chaos import Kill

WORKER_KILLS = ("worker", "supervisor")


@dataclass(frozen=True, slots=True)
class Resuming:
    """The longest waits, in seconds; None where there was nothing to wait for."""

    resumed_s: float | None  # until any worker translated or sent something
    calls_s: float | None  # until a call that may be repeated, cut off by a kill, was made again
    events_s: float | None  # until an event whose call was cut off was looked for


def resuming(kills: Iterable[Kill], pauses: Iterable[datetime], commands: Iterable[CommandView]) -> Resuming:
    """Find the longest waits after any kill that can have hit a worker; ``pauses`` are the beginnings of standstills.

    Work that had not gone on before the next kill or standstill counts from that.
    """
    kills, commands = list(kills), list(commands)
    moments = sorted(
        [each.created_at for each in commands] + [each.started_at for every in commands for each in every.attempts]
    )
    times = sorted(kill.at for kill in kills)
    troubles = sorted([*times, *pauses])
    resumed = []
    for kill in kills:
        following = _first_after(kill.at, moments)
        trouble = _first_after(kill.at, troubles)
        if kill.kind in WORKER_KILLS and following and (trouble is None or following < trouble):
            resumed.append((following - kill.at).total_seconds())
    calls: list[float] = []
    events: list[float] = []
    for command in commands:
        (events if command.kind is CommandKind.EVENT_PUT else calls).extend(_taken_up(command, times))
    return Resuming(max(resumed, default=None), max(calls, default=None), max(events, default=None))


def _first_after(moment: datetime, moments: Sequence[datetime]) -> datetime | None:
    place = bisect_right(moments, moment)
    return moments[place] if place < len(moments) else None


def _taken_up(command: CommandView, kills: Sequence[datetime]) -> Iterator[float]:
    """Give, for each attempt whose end nobody wrote, the time from the kill that cut it off to the next attempt."""
    for cut, following in zip(command.attempts, command.attempts[1:], strict=False):
        killed = _first_after(cut.started_at, kills)
        if cut.verdict is None and killed and killed < following.started_at:
            yield (following.started_at - killed).total_seconds()
