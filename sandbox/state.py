"""The simulator's state: accounts, what they hold, switches, faults, journal. One lock guards all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from relay import jsontext
from sandbox.accounts import Accounts, SandboxAccount
from sandbox.behaviours import Switches
from sandbox.faults import Faults
from sandbox.holdings import Holdings
from sandbox.journal import Journal
from sandbox.keeping import Keeper

CARDS_A_LINE = 100  # of the keep file; no call waits longer than one line takes


def utc_now() -> datetime:
    """Give the current time as an aware UTC datetime."""
    return datetime.now(UTC)


class State:
    """Everything the simulator knows. Take ``lock`` before touching anything, and never wait while holding it."""

    def __init__(
        self,
        accounts: Iterable[SandboxAccount],
        keep_file: Path | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.accounts = Accounts(accounts)
        self.holdings = {client_id: Holdings() for client_id in self.accounts.by_client_id}
        self.switches = Switches()
        self.faults = Faults()
        self.journal = Journal()
        self._keeper = None if keep_file is None else Keeper(keep_file, self._kept_lines)
        for line in self._keeper.read() if self._keeper is not None else ():
            self._restore(jsontext.loads(line))

    def touch(self) -> None:
        """Say that something changed, so that it is written to the keep file soon."""
        if self._keeper is not None:
            self._keeper.touch()

    def reset(self) -> None:
        """Forget everything but the accounts."""
        with self.lock:
            self.holdings = {client_id: Holdings() for client_id in self.accounts.by_client_id}
            self.switches.clear()
            self.faults.clear()
            self.journal.clear()
            self.touch()

    def release(self) -> None:
        """Take all faults back and let go of the calls they hold."""
        with self.lock:
            self.faults.clear()

    def close(self) -> None:
        """Write the keep file a last time; nothing may be asked afterwards."""
        if self._keeper is not None:
            self._keeper.close()

    def as_dict(self, account: str | None = None) -> dict[str, Any]:
        """Give what is held, of one account or of all; raises KeyError when there is no such account."""
        wanted = self.holdings if account is None else {account: self.holdings[account]}
        return {"accounts": {client_id: holdings.as_dict() for client_id, holdings in wanted.items()}}

    def _kept_lines(self) -> Iterator[str]:
        """Give what is kept as JSON texts, each a part of it.

        Each is made under the lock, but not all under one: calls go on in between. A change to a part that was
        already written asks for a writing of its own.
        """
        for client_id, holdings in list(self.holdings.items()):
            with self.lock:
                contact_ids = list(holdings.contacts)
            for first in range(0, len(contact_ids), CARDS_A_LINE):
                with self.lock:
                    cards = holdings.cards(contact_ids[first : first + CARDS_A_LINE])
                    line = jsontext.dumps({"accounts": {client_id: {"contacts": cards}}})
                yield line
            with self.lock:
                line = jsontext.dumps({"accounts": {client_id: holdings.without_contacts()}})
            yield line
        yield jsontext.dumps({"switches": self.switches.changed()})

    def _restore(self, kept: Mapping[str, Any]) -> None:
        for client_id, held in kept.get("accounts", {}).items():
            if client_id in self.holdings:
                self.holdings[client_id].restore(held)
        self.switches.turn(kept.get("switches", {}))
