"""Group commit: callers that come together share one transaction, and so one sync of the disk.

There is no thread of its own, which a fork would lose. Whoever asks for a result while nobody writes leads, takes along
all that has come by the time the database is theirs, and hands the lead to the first who waits. Alone, nobody waits.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

from relay.errors import StoreUnavailable
from relay.store.engine import MISTAKES

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_TOGETHER = 256
_TOO_LATE = "The store did not take it in time."


class Promise(Generic[Item, Result]):
    """One caller's item on its way."""

    def __init__(self, item: Item, group: GroupCommit[Item, Result]) -> None:
        self.item = item
        self.leads = False
        self.sleeps = False
        self.done = False
        self.result: Result | None = None
        self.error: Exception | None = None
        self._asleep = threading.Lock()  # half the work of an Event, and there is one for each request
        self._asleep.acquire()
        self._group = group

    def sleep(self, seconds: float) -> bool:
        """Wait to be woken; False when the time is over."""
        return self._asleep.acquire(timeout=seconds)

    def wake(self) -> None:
        """Wake the caller, who sleeps or is about to; he does so once, for the lead or for an answer."""
        self._asleep.release()

    def kept(self) -> Result:
        """Give the result once the item is on disk; whoever asks while nobody writes does so for all.

        Raises: StoreUnavailable when it could not be written, or when nobody can say whether it was.
        """
        self._group._settle(self)
        if self.error is not None:
            raise self.error
        if self.result is None:
            raise StoreUnavailable(_TOO_LATE)
        return self.result

    def is_kept_within(self, seconds: float) -> bool:
        """Write the item, unless that has been done; False when others write for ``seconds``, and it still waits then.

        Whatever came of it, ``kept`` tells afterwards.
        """
        return self._group._settle_within(self, seconds)


class GroupCommit(Generic[Item, Result]):
    """Writes items of many threads; ``write`` is given a connection and some items and gives a result for each."""

    def __init__(
        self,
        transaction: Callable[[float], AbstractContextManager[Any]],
        write: Callable[[Any, Sequence[Item]], Sequence[Result]],
        wait_s: float,
        linger_s: float = 0.0,
    ) -> None:
        """Take what to write with; for ``linger_s`` a leader waits for others to come, where nobody is in a hurry.

        ``transaction`` is a database's ``writing``, or ``appending`` where ``write`` changes something once. What it
        gives is given to ``write``.
        """
        self._linger_s = linger_s
        self._transaction = transaction
        self._write = write
        self._wait_s = wait_s
        self._guard = threading.Lock()
        self._waiting: deque[Promise[Item, Result]] = deque()
        self._led = False

    def submit(self, item: Item) -> Result:
        """Write an item; it is on disk when this returns.

        Raises: StoreUnavailable when it could not be written, or when nobody can say whether it was.
        """
        return self.promise(item).kept()

    def promise(self, item: Item) -> Promise[Item, Result]:
        """Take an item to be written with the next ones, at the latest when the promise is asked to be kept."""
        ticket = Promise(item, self)
        with self._guard:
            self._waiting.append(ticket)
        return ticket

    def _settle(self, ticket: Promise[Item, Result]) -> None:
        with self._guard:
            if ticket.done:
                return
            ticket.sleeps = self._led
            ticket.leads, self._led = not self._led, True
        if not ticket.leads:
            self._follow(ticket)
        if ticket.leads:
            self._lead(ticket, self._wait_s)

    def _settle_within(self, ticket: Promise[Item, Result], seconds: float) -> bool:
        with self._guard:
            if ticket.done:
                return True
            if self._led:
                return False
            ticket.leads = self._led = True
        return self._lead(ticket, seconds, gives_up=True)

    def _follow(self, ticket: Promise[Item, Result]) -> None:
        """Wait for an answer or for the lead. Longer than the leader may take, there is nothing to wait for."""
        if not ticket.sleep(2 * self._wait_s):
            with self._guard:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)

    def _lead(self, leader: Promise[Item, Result], wait_s: float, *, gives_up: bool = False) -> bool:
        """Write for all; False when the database was not free in time, and everybody is to go on waiting."""
        batch: list[Promise[Item, Result]] = []
        try:
            if self._linger_s:
                time.sleep(self._linger_s)
            with self._transaction(wait_s) as connection:
                # Only now: whoever came while the database was another's goes along.
                batch = self._take(leader)
                results = self._write(connection, [ticket.item for ticket in batch])
            for ticket, result in zip(batch, results, strict=True):
                ticket.result = result
        except MISTAKES:
            # One item is wrong; its neighbours must not suffer for it.
            for ticket in batch:
                self._write_alone(ticket)
        except Exception as error:
            if gives_up and isinstance(error, StoreUnavailable) and error.is_busy and not batch:
                return False
            batch = batch or self._take(leader)  # the database never was theirs: nor would it be of those who wait
            for ticket in batch:
                ticket.error = error
        finally:
            for ticket in self._hand_over(batch):
                if ticket is not leader:
                    ticket.wake()
        return True

    def _write_alone(self, ticket: Promise[Item, Result]) -> None:
        try:
            with self._transaction(self._wait_s) as connection:
                [ticket.result] = self._write(connection, [ticket.item])
        except Exception as error:
            ticket.error = error

    def _take(self, leader: Promise[Item, Result]) -> list[Promise[Item, Result]]:
        with self._guard:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
            if leader in self._waiting:  # behind promises nobody has asked for; he does not lead a second time
                self._waiting.remove(leader)
                batch.append(leader)
            return batch

    def _hand_over(self, batch: Sequence[Promise[Item, Result]]) -> list[Promise[Item, Result]]:
        """Let the first who waits lead; gives those of the batch who sleep."""
        with self._guard:
            for ticket in batch:
                ticket.done = True
            asleep = [ticket for ticket in batch if ticket.sleeps]
            heir = next((ticket for ticket in self._waiting if ticket.sleeps), None)
            if heir is None:
                self._led = False
                return asleep
            heir.leads = True
        heir.wake()
        return asleep
