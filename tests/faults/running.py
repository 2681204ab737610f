"""One run: shops deliver while things are killed; then everything settles and is compared."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from relay.commands import CommandState
from relay.deliveries import DeliveryState
from relay.store import Store
from relay.store.reading import CommandFilter
from tests.faults.chaos import Chaos, Disturbing, Kill
from tests.faults.checking import Findings, check, look
from tests.faults.database import running_database
from tests.faults.orders import Orders
from tests.faults.processes import Relay, running_relay
from tests.faults.resuming import Resuming, resuming
from tests.faults.shops import Books, Shops

OPEN_DELIVERIES = (DeliveryState.RECEIVED, DeliveryState.HELD)
OPEN_COMMANDS = (CommandState.WAITING, CommandState.CLAIMED)
SQLITE, POSTGRESQL = "sqlite", "postgresql"
ACKNOWLEDGED_WITHIN_S = 120.0
SETTLED_WITHIN_S = 3600.0
PROGRESS_S = 30.0
MOST_LOOKED_AT = 1000


@dataclass(frozen=True)
class Plan:
    """What a run shall come to: it goes on until both numbers are reached, or ``longest_s`` is over."""

    engine: str
    kills: int
    deliveries: int  # acknowledged ones, without repeats
    seed: int
    rate: float  # deliveries a second
    longest_s: float
    telling: float = 0.1  # the share of deliveries that tell something new
    gap_s: float = 2.0  # the longest time between a recovery and the next kill
    oddity_every_s: float = 3.0
    pausing: float = 0.2  # the share of kills that are followed by a worker's standstill
    send_timeout_s: int = 5
    lease_s: int = 25
    stuck_after_s: float = 180.0  # without any progress or later try, when everything has been acknowledged


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    plan: Plan
    seconds: float
    settling_s: float
    chaos: Chaos
    books: Books
    findings: Findings
    waits: Resuming

    @property
    def violations(self) -> list[str]:
        """What must not be, in sentences."""
        return [*self.books.wrong[:10], *self.findings.violations]

    def table(self) -> str:
        """The run as a Markdown table."""
        rows = {
            "engine, seed": f"{self.plan.engine}, {self.plan.seed}",
            "seconds under load / settling": f"{self.seconds:.0f} / {self.settling_s:.0f}",
            "kills (longest until whole again)": f"{len(self.chaos.kills):,}: {_by_kind(self.chaos.kills)}",
            "standstills / oddities of SALESmanago": f"{len(self.chaos.pauses)} / {_counted(self.chaos.oddities)}",
            "deliveries sent / acknowledged": f"{len(self.books.sent):,} / {len(self.books.acknowledged):,}",
            "requests, of them repeats / refused or unanswered": f"{self.books.requests:,}, {self.books.repeats:,} / "
            f"{self.books.unanswered.total():,} ({_counted(self.books.unanswered)})",
            "stored, but the answer did not get through": f"{self.books.answers_lost}",
            "acknowledged and missing": f"{self.findings.lost}",
            "events missing / sent twice": f"{self.findings.missing} / {self.findings.twice}",
            "commands uncertain / dead": f"{self.findings.uncertain} / {self.findings.dead}",
            "events that differ for an uncertain command": f"{self.findings.excused}",
            "longest until work went on after a worker's kill": _seconds(self.waits.resumed_s),
            "longest until a call that was cut off was made again": _seconds(self.waits.calls_s),
            "longest until an event that was cut off was looked for": _seconds(self.waits.events_s),
            "violations": f"{len(self.violations)}",
        }
        width = max(map(len, rows))
        return "\n".join(f"| {name:{width}} | {value} |" for name, value in rows.items())


def run(plan: Plan, folder: Path, say: Callable[[str], object] = lambda text: None) -> Result:
    """Make a run in an empty folder; raises AssertionError when the relay does not come back."""
    with ExitStack() as stack:
        database = stack.enter_context(running_database()) if plan.engine == POSTGRESQL else None
        relay = stack.enter_context(
            running_relay(
                folder,
                database.url if database else None,
                further_workers=1 if database else 0,
                lease_s=str(plan.lease_s),
                send_timeout_s=str(plan.send_timeout_s),
            )
        )
        chaos = Chaos(relay, database, random.Random(plan.seed))
        orders = Orders(plan.seed, plan.telling)
        started = time.monotonic()
        with Shops(relay.url, orders, plan.rate, plan.seed) as shops:
            with Disturbing(chaos, plan.oddity_every_s):
                _strike(plan, chaos, shops, say)
            seconds = time.monotonic() - started
            shops.finish()
            _settle(plan, relay, shops, say)
        settling_s = time.monotonic() - started - seconds
        say(f"settled after {settling_s:.0f} s; comparing")
        with relay.store() as store:
            found = look(store, relay.events(), relay.sandbox()["contacts"])
        findings = check(shops.books.sent, shops.books.acknowledged, orders.expected, orders.emails, found)
        waits = resuming(chaos.kills, chaos.pauses, found.commands)
    return Result(plan, seconds, settling_s, chaos, shops.books, findings, waits)


def _strike(plan: Plan, chaos: Chaos, shops: Shops, say: Callable[[str], object]) -> None:
    """Kill until enough was killed and acknowledged."""
    started = time.monotonic()
    told_at = started
    while len(chaos.kills) < plan.kills or shops.acknowledged < plan.deliveries:
        now = time.monotonic()
        if now - started > plan.longest_s:
            say(f"stopped: {plan.longest_s:.0f} s are over")
            return
        if now - told_at >= PROGRESS_S:
            told_at = now
            unanswered = shops.books.unanswered.total()
            say(
                f"{now - started:6.0f} s: {len(chaos.kills):,} kills, {shops.acknowledged:,} acknowledged, "
                f"{unanswered:,} refused or unanswered, {len(shops.books.wrong)} wrong; last {chaos.kills[-1].kind}"
            )
        time.sleep(chaos.chance.uniform(0, plan.gap_s))
        chaos.kill()
        if chaos.chance.random() < plan.pausing:
            chaos.pause_worker()


def _settle(plan: Plan, relay: Relay, shops: Shops, say: Callable[[str], object]) -> None:
    """Wait until all is acknowledged and worked off, for as long as that gets on; what is left then is found later."""
    end = time.monotonic() + ACKNOWLEDGED_WITHIN_S
    while not shops.is_done():
        if time.monotonic() > end:
            shops.books.wrong.append("not everything was acknowledged in the end")
            break
        relay.tend()
        time.sleep(0.1)
    with relay.store() as store:
        # As an operator would who knows that SALESmanago is well again: the pauses have grown up to minutes by now.
        store.lanes.resume("main")
        begun_at = changed_at = told_at = time.monotonic()
        before: tuple[int, int] | None = None
        while (left := _left(store)) != (0, 0):
            now = time.monotonic()
            if left != before:
                before, changed_at = left, now
            is_stuck = now - changed_at > plan.stuck_after_s and not is_put_off(store, datetime.now(UTC))
            if is_stuck or now - begun_at > SETTLED_WITHIN_S:
                return
            if now - told_at >= PROGRESS_S:
                told_at = now
                say(f"settling: {left[0]:,} deliveries and {left[1]:,} commands are open")
            relay.tend()
            time.sleep(0.2)


def is_put_off(store: Store, now: datetime) -> bool:
    """Tell whether anything waits for a later try, which is minutes away for what has met many oddities."""
    waiting = store.reading.commands(CommandFilter(state=CommandState.WAITING), MOST_LOOKED_AT)
    return any(view.due_at > now for view in waiting)


def _left(store: Store) -> tuple[int, int]:
    counts = store.reading.counts()
    deliveries = sum(counts.deliveries.get(state, 0) for state in OPEN_DELIVERIES)
    return deliveries, sum(n for (_, state), n in counts.commands.items() if state in OPEN_COMMANDS)


def _by_kind(kills: Sequence[Kill]) -> str:
    kinds: defaultdict[str, list[float]] = defaultdict(list)
    for kill in kills:
        kinds[kill.kind].append(kill.back_s)
    return ", ".join(f"{kind} {len(times)} ({max(times):.1f} s)" for kind, times in sorted(kinds.items())) or "none"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
