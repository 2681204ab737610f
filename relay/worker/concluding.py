"""The two ends of calls in the store, as one thread makes them: what ends one call and begins the next goes together.

That halves the transactions, of which each has its price however little it writes, and what a thread waits for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from relay.clock import Clock
from relay.commands import StoredCommand
from relay.errors import StoreUnavailable
from relay.log import get_logger
from relay.store import Store
from relay.worker.outage import Outage
from relay.worker.sending import Report
from relay.worker.telling import tell

_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

T = TypeVar("T")

log = get_logger(__name__)


class Conclusions:
    """Begins the calls of one thread and writes what came of them: nobody else knows it.

    Of a call that went well this may wait until the next one begins. That has to be soon: whoever has something else
    to do first, or nothing any more, calls ``write``.
    """

    def __init__(
        self, store: Store, clock: Clock, outage: Outage, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._store = store
        self._clock = clock
        self._outage = outage
        self._sleep = sleep
        self._unwritten: Report | None = None

    def begin(self, commands: Sequence[StoredCommand], lease_s: float) -> set[int]:
        """Write, before the call, that an attempt at these commands begins; gives the ids of those to be sent.

        Raises: StoreUnavailable.
        """
        before, self._unwritten = self._unwritten, None
        now = self._clock.now()
        if before is None:
            return {each.id for each in self._store.commands.begin(commands, now, lease_s)}
        try:
            progress = self._store.commands.go_on(before.outcomes, commands, now, lease_s)
        except Exception as error:
            if isinstance(error, StoreUnavailable):
                self._outage.note(error)
            self._write(before)  # however the next call fares
            raise
        _tell(before, progress.settled)
        return {each.id for each in progress.begun}

    def end(self, report: Report) -> None:
        """Take what came of a call. Raises: StoreUnavailable when it cannot be written for half a minute."""
        self.write()
        if report.went_well:
            self._unwritten = report
        else:
            self._write(report)

    def write(self) -> None:
        """Write what has not been written yet. Raises: StoreUnavailable as ``end`` does."""
        report, self._unwritten = self._unwritten, None
        if report is not None:
            self._write(report)

    def patiently(self, write: Callable[[], T]) -> T:
        """Write something, again and again if need be."""
        for pause_s in _PAUSES_S:
            try:
                return write()
            except StoreUnavailable as error:
                self._outage.note(error)
                self._sleep(pause_s)
        return write()

    def _write(self, report: Report) -> None:
        _tell(report, self.patiently(partial(self._settle, report)))

    def _settle(self, report: Report) -> int:
        return self._store.commands.settle(report.outcomes, self._clock.now())


def _tell(report: Report, settled: int) -> None:
    if settled == len(report.outcomes):
        tell(report)
    else:  # another worker has taken over, and will tell
        log.warning("outcome_came_too_late", commands=[outcome.command.id for outcome in report.outcomes])
