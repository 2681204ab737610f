"""What goes wrong while the shops deliver, drawn from a seed: processes killed, a database gone, an odd SALESmanago."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.faults.database import Database
from tests.faults.processes import Relay, parent_of
from tests.support.road import wait_for

PAUSES_S = (1.0, 6.0)
"""How long a worker stands still: shorter than a lease, beyond which the relay promises nothing (decision 0005)."""

HELD_S = 0.8
HOLDING_WITHIN_S = 2.0

_EVENTS = "/api/v2/contact/addContactExtEvent"
ODDITIES: tuple[Mapping[str, object], ...] = (
    {"kind": "drop_answer", "path": _EVENTS, "seconds": 0.5, "times": 1},
    {"kind": "drop_answer", "path": "/api", "times": 2},
    {"kind": "slow", "path": "/api", "seconds": 1.5, "times": 3},
    {"kind": "slow", "path": _EVENTS, "seconds": 6.0, "times": 1},
    {"kind": "fail", "path": "/api", "status": 500, "times": 1},
    {"kind": "fail", "path": "/api", "status": 503, "times": 2},
    {"kind": "throttle", "path": "/api", "retry_after": 1, "times": 2},
    {"kind": "hang", "path": "/api", "seconds": 1.0, "times": 1},
)


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: of what, when, and how long it took until the relay was whole again."""

    kind: str
    at: datetime
    back_s: float


@dataclass
class Chaos:
    """Kills, one thing after the other, each kind once before any comes twice; chance does the rest."""

    relay: Relay
    database: Database | None
    chance: random.Random
    kills: list[Kill] = field(default_factory=list)
    pauses: list[datetime] = field(default_factory=list)
    oddities: Counter[str] = field(default_factory=Counter)
    _due: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> dict[str, Callable[[], None]]:
        """All that can be killed here."""
        kinds = {
            "web process": self._web_process,
            "worker": self._worker,
            "supervisor": self._supervisor,
            "gunicorn master": self._master,
            "everything": self._everything,
        }
        if self.database is not None:
            kinds |= {
                "connections": self._connections,
                "connection's process": self._connections_process,
                "database server": self._server,
                "database, immediate stop": self._server_stopped,
            }
        return kinds

    def kill(self) -> None:
        """Kill something and wait until it has been replaced."""
        kinds = self.kinds
        if not self._due:
            # After a first round, processes of the relay die more often than all of it, here as in life.
            self._due = [*kinds, *(("web process", "worker", "worker") if self.kills else ())]
            self.chance.shuffle(self._due)
        kind = self._due.pop()
        at, started = datetime.now(UTC), time.monotonic()
        kinds[kind]()
        self.relay.wait_until_whole()
        self.kills.append(Kill(kind, at, time.monotonic() - started))

    def pause_worker(self) -> None:
        """Let a worker stand still for some seconds."""
        victim = self._one_of(self.relay.workers)
        self.pauses.append(datetime.now(UTC))
        os.kill(victim, signal.SIGSTOP)
        try:
            time.sleep(self.chance.uniform(*PAUSES_S))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGCONT)

    def disturb(self) -> None:
        """Have SALESmanago behave oddly for a call or a few."""
        oddity = self.chance.choice(ODDITIES)
        self.relay.fault(**oddity)
        self.oddities[str(oddity["kind"])] += 1

    def _one_of(self, find: Callable[[], list[int]]) -> int:
        # A worker that could not reach the database may be between its end and its next start.
        return self.chance.choice(wait_for(find, "a process to kill"))

    def _web_process(self) -> None:
        self._replaced(self._one_of(self.relay.web_processes))

    def _worker(self) -> None:
        self._hold_a_call()
        self._replaced(self._one_of(self.relay.workers))

    def _hold_a_call(self) -> None:
        """Have a call under way: what is killed then is what this is about, and as a rule a call takes no time."""
        order = {"kind": "slow", "path": "/api", "seconds": HELD_S, "times": 2}
        self.relay.fault(**order)
        end = time.monotonic() + HOLDING_WITHIN_S
        while any(order.items() <= each.items() for each in self.relay.faults()) and time.monotonic() < end:
            time.sleep(0.02)

    def _supervisor(self) -> None:
        supervisor = self._one_of(self.relay.supervisors)
        # Its worker finishes what it is doing and ends.
        orphans = [pid for pid in self.relay.workers() if parent_of(pid) == supervisor]
        self._replaced(supervisor, *orphans)

    def _replaced(self, victim: int, *orphans: int) -> None:
        self.relay.kill(victim)
        self.relay.wait_until_whole(victim, *orphans)

    def _master(self) -> None:
        assert self.relay.gunicorn is not None
        self.relay.kill(self.relay.gunicorn.pid)
        self.relay.gunicorn.wait(10)
        # Some service managers end what is left first. Otherwise it ends by itself, while the next one already starts.
        if self.chance.random() < 0.7:
            self.relay.kill(*self.relay.processes(""))
        self.relay.bring_up()

    def _everything(self) -> None:
        self._hold_a_call()
        self.relay.kill_all()
        if self.database is not None and self.chance.random() < 0.5:
            self.database.kill()
            self.database.start()
        self.relay.bring_up()

    def _connections(self) -> None:
        assert self.database is not None
        self.database.terminate_connections(self.chance)
        self.relay.bring_up()

    def _connections_process(self) -> None:
        assert self.database is not None
        self.database.kill_connection(self.chance)
        self.database.wait_until_ready()
        self.relay.bring_up()

    def _server(self) -> None:
        assert self.database is not None
        self.database.kill()
        time.sleep(self.chance.uniform(0, 2))
        self.database.start()
        self.relay.bring_up()

    def _server_stopped(self) -> None:
        assert self.database is not None
        self.database.stop_at_once()
        self.database.start()
        self.relay.bring_up()


class Disturbing:
    """Oddities of SALESmanago every few seconds, in a thread of its own, inside the ``with`` block."""

    def __init__(self, chaos: Chaos, every_s: float) -> None:
        self._chaos = chaos
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._disturb, name="oddities")

    def __enter__(self) -> Disturbing:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and have SALESmanago behave again."""
        self._stopping.set()
        self._thread.join()
        self._chaos.relay.clear_faults()

    def _disturb(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._chaos.disturb()
