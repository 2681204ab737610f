"""What a worker process does: Python runs one thread at a time, so translating and sending go faster in two."""

from __future__ import annotations

from enum import StrEnum
from itertools import cycle, islice


class Duty(StrEnum):
    """A worker process's share of the work."""

    ALL = "all"
    TRANSLATE = "translate"  # deliveries become commands; erasures and retention go along
    DISPATCH = "dispatch"  # commands are sent

    @property
    def translates(self) -> bool:
        """Whether it works on deliveries."""
        return self is not Duty.DISPATCH

    @property
    def dispatches(self) -> bool:
        """Whether it sends commands."""
        return self is not Duty.TRANSLATE

    @classmethod
    def of(cls, worker: str) -> Duty:
        """Tell a worker's duty by its name; one that does not tell does everything, as those of older versions do."""
        _, _, told = worker.rpartition("-")
        return next((duty for duty in cls if duty.value == told), cls.ALL)


def duties(processes: int) -> list[Duty]:
    """Share the work among processes: one does it all, of several every other one translates."""
    if processes == 1:
        return [Duty.ALL]
    return list(islice(cycle([Duty.TRANSLATE, Duty.DISPATCH]), processes))
