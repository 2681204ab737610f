"""A worker's surroundings: an invented account, a client that answers as it is told, a translator that does too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from relay.clock import ManualClock
from relay.commands import Command, CommandKind, CommandState, EventKey, ProductSubject, StoredCommand
from relay.deliveries import Delivery, DeliveryState, Translation
from relay.salesmanago.client import Client
from relay.salesmanago.replies import Answer
from relay.salesmanago.search import Search
from relay.settings import Settings, load_settings
from relay.shops import Catalog, Directory, Group
from relay.store import CommandView, Store
from relay.worker.worker import Worker
from sandbox.faults import FaultSchema
from sandbox.holdings import Event, Holdings
from sandbox.journal import CallEntry
from tests.support.sandbox import ACCOUNT, API_KEY, RunningSandbox
from tests.support.stored import put

ADD = "/api/v2/contact/addContactExtEvent"
UPSERT = "/api/contact/upsert"
PAIR = "/api/integration/upsert"
PRODUCTS = "/v3/product/upsert"

OK = Answer(status=200)
DATE = 1764000000000


def a_group(endpoint: str = "https://sm.example", key: str = "main", **changes: Any) -> Group:
    """Give a group of the simulator's account."""
    settings: dict[str, Any] = {
        "key": key,
        "endpoint": endpoint,
        "client_id": ACCOUNT.client_id,
        "api_key": API_KEY,
        "api_secret": ACCOUNT.api_secret,
        "owner": ACCOUNT.owners[0],
        "location": "acme_shop",
        "currency": "EUR",
        "catalog": Catalog(endpoint=endpoint, api_key=ACCOUNT.v3_key),
    }
    return Group(**settings | changes)


def directory(*groups: Group) -> Directory:
    """Give a directory of these groups, of the group "main" when none is given."""
    return Directory({group.key: group for group in groups or (a_group(),)}, {})


def settings(**changes: str) -> Settings:
    """Give settings; names without prefix, values as in the environment."""
    return load_settings({f"RELAY_{name.upper()}": value for name, value in changes.items()})


def purchase(email: str = "ann@example.com", order: str = "1001", **fields: Any) -> Command:
    """Make a command that adds a PURCHASE the simulator takes."""
    event = {"contactExtEventType": "PURCHASE", "date": DATE, "externalId": order, "value": 10} | fields
    return put(email, EventKey("acme", "order", order, "PURCHASE"), **event)


def good_product(number: str, location: str = "acme_shop", **fields: Any) -> Command:
    """Make a command about a product the simulator takes."""
    payload = {"productId": number, "name": f"Cup {number}", "mainCategory": "Cups"} | fields
    return Command(CommandKind.PRODUCT_UPSERT, ProductSubject(location, number), payload)


def bad_product(number: str) -> Command:
    """Make a command about a product the simulator refuses."""
    payload = {"productId": number, "mainCategory": "Cups"}
    return Command(CommandKind.PRODUCT_UPSERT, ProductSubject("acme_shop", number), payload)


@dataclass
class Sent:
    """One call that was made."""

    at: datetime
    group: str
    commands: tuple[StoredCommand, ...]
    search: bool = False

    @property
    def ids(self) -> list[int]:
        """The ids of its commands."""
        return [command.id for command in self.commands]


class FakeClient:
    """Answers with what it was told, in order, then with success. An answer may be an exception or a function."""

    def __init__(self, clock: ManualClock, *answers: Any) -> None:
        self.clock = clock
        self.answers: deque[Any] = deque(answers)
        self.searches: deque[Any] = deque()
        self.sent: list[Sent] = []

    def send(self, group: Group, batch: Sequence[StoredCommand]) -> Answer:
        self.sent.append(Sent(self.clock.now(), group.key, tuple(batch)))
        answer: Answer = _given(self.answers, batch) if self.answers else OK
        return answer

    def find_event(self, group: Group, command: StoredCommand) -> Search:
        self.sent.append(Sent(self.clock.now(), group.key, (command,), search=True))
        found: Search = _given(self.searches, [command])
        return found


def _given(answers: deque[Any], batch: Sequence[StoredCommand]) -> Any:
    answer = answers.popleft()
    if isinstance(answer, BaseException):
        raise answer
    return answer(batch) if callable(answer) else answer


class FakeTranslator:
    """Translates with a function of the delivery; without one every delivery is ignored."""

    def __init__(self, meaning: Callable[[Delivery], Translation] | None = None) -> None:
        self.meaning = meaning or (lambda _delivery: Translation(DeliveryState.IGNORED, reason="test"))
        self.seen: list[int] = []

    def opened(self, delivery: Delivery) -> None:
        return None

    def translate(self, delivery: Delivery, memory: Any, now: datetime, opened: Any = None) -> Translation:
        self.seen.append(delivery.id)
        return self.meaning(delivery)


@dataclass
class Shift:
    """A store, a clock that moves when somebody sleeps, and workers made to work on them."""

    store: Store
    clock: ManualClock
    client: Any
    translator: Any = field(default_factory=FakeTranslator)
    groups: Iterable[Group] = field(default_factory=lambda: [a_group()])

    def worker(self, **changes: Any) -> Worker:
        """Make a worker whose sleeping moves the clock."""
        parts: dict[str, Any] = {
            "store": self.store,
            "client": self.client,
            "translator": self.translator,
            "directory": directory(*self.groups),
            "settings": settings(),
            "clock": self.clock,
            "chance": lambda: 0.0,
            "sleep": self.clock.advance,
        }
        return Worker(**parts | changes)

    def work(self, **changes: Any) -> None:
        """Let a new worker do what is due now."""
        self.worker(**changes).run_until_idle()

    def command(self, delivery_id: int) -> CommandView:
        """Give a delivery's only command."""
        [view] = self.store.commands.of_delivery(delivery_id)
        return view

    def states(self, *delivery_ids: int) -> list[CommandState]:
        """Give the states of the deliveries' commands."""
        return [view.state for delivery_id in delivery_ids for view in self.store.commands.of_delivery(delivery_id)]

    def paused(self) -> list[tuple[str, str, float]]:
        """Give the paused lanes: group, lane and the seconds that are left."""
        now = self.clock.now()
        views = self.store.lanes.paused(now)
        return [(each.group, each.lane.value, (each.until - now).total_seconds()) for each in views if each.until]


def real_client(clock: ManualClock, read_timeout_s: float = 5.0) -> Client:
    """Make the real client, with short timeouts."""
    return Client(clock, connect_timeout_s=2.0, read_timeout_s=read_timeout_s)


def fault(sandbox: RunningSandbox, kind: str, **own: Any) -> None:
    """Order a fault of the simulator."""
    sandbox.state.faults.add(FaultSchema().load({"kind": kind, **own}))


def calls(sandbox: RunningSandbox, path: str | None = None) -> list[CallEntry]:
    """Give the calls the simulator was asked, oldest first, of one path or all."""
    return [entry for entry in sandbox.state.journal.last() if path in (None, entry.path)]


def holdings(sandbox: RunningSandbox) -> Holdings:
    """Give what the simulator's only account holds."""
    [held] = sandbox.state.holdings.values()
    return held


def events(sandbox: RunningSandbox) -> list[Event]:
    """Give all events the simulator holds."""
    return list(holdings(sandbox).events.values())


def verdicts(view: CommandView) -> list[str | None]:
    """Give how a command's attempts ended, None for one of which nothing was heard."""
    return [attempt.verdict and attempt.verdict.value for attempt in view.attempts]
