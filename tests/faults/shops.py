"""The shops' side: several connections that deliver at an even rate and deliver again what was not acknowledged."""

from __future__ import annotations

import contextlib
import heapq
import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.faults.orders import Delivery, Orders

CONNECTIONS = 8
TIMEOUT_S = 15.0
RETRY_S = 0.5, 8.0  # the first wait before a delivery is repeated, and the longest; each is twice the one before
BURST_S = 5.0  # how much of what could not be delivered in time is made up for at once
IDLE_S = 1.0  # the relay closes idle connections after two seconds
REPEATING = 0.05  # the share of acknowledged deliveries that come once more


@dataclass
class Books:
    """What the shops know of their deliveries."""

    sent: dict[tuple[str, str], bytes] = field(default_factory=dict)  # key -> the body's digest
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    requests: int = 0
    repeats: int = 0  # acknowledged deliveries that were delivered once more
    answers_lost: int = 0  # deliveries that turned out to be stored although no answer had come
    unanswered: Counter[str] = field(default_factory=Counter)  # by status or error
    wrong: list[str] = field(default_factory=list)  # answers that must not be


class Shops:
    """Deliver what ``orders`` gives, inside the ``with`` block."""

    def __init__(self, url: str, orders: Orders, rate: float, seed: int) -> None:
        """Take the relay's address and the deliveries per second that are aimed at."""
        self.books = Books()
        self._host = urlsplit(url).netloc
        self._orders = orders
        self._rate = rate
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._again: list[tuple[float, int, Delivery]] = []
        self._failures: Counter[tuple[str, str]] = Counter()
        self._ties = itertools.count()
        self._under_way = 0
        self._next_at = time.monotonic()
        self._stopping = threading.Event()
        self._said_all = False
        self._threads = [threading.Thread(target=self._deliver, name=f"shop-{n}") for n in range(CONNECTIONS)]

    def __enter__(self) -> Shops:
        """Begin to deliver."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop at once."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(TIMEOUT_S + 5)

    @property
    def acknowledged(self) -> int:
        """How many different deliveries were acknowledged."""
        return len(self.books.acknowledged)

    def finish(self) -> None:
        """Deliver what is left of the begun orders, without waiting between them."""
        self._orders.finish()
        self._rate = 1e6

    def is_done(self) -> bool:
        """Tell whether all has been said and acknowledged."""
        with self._lock:
            return self._said_all and not self._again and not self._under_way

    def _deliver(self) -> None:
        connection: http.client.HTTPConnection | None = None
        used_at = 0.0
        while not self._stopping.is_set():
            delivery = self._due()
            if delivery is None:
                self._stopping.wait(0.01)
                continue
            if connection is None or time.monotonic() - used_at > IDLE_S:
                if connection is not None:
                    connection.close()
                connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
            try:
                connection.request("POST", f"/webhooks/{delivery.shop}", delivery.body, delivery.headers)
                answer = connection.getresponse()
                body, status = answer.read(), answer.status
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                connection = None
                self._not_taken(delivery, type(error).__name__)
            else:
                used_at = time.monotonic()
                self._answered(delivery, status, body)
        if connection is not None:
            connection.close()

    def _due(self) -> Delivery | None:
        """Give what is to be delivered now: what is due again, or something new when it is time."""
        with self._lock:
            now = time.monotonic()
            if self._again and self._again[0][0] <= now:
                self._under_way += 1
                return heapq.heappop(self._again)[2]
            if self._said_all or now < self._next_at:
                return None
            self._next_at = max(self._next_at + 1 / self._rate, now - BURST_S)
            delivery = self._orders.next()
            if delivery is None:
                self._said_all = True
                return None
            self._under_way += 1
            self.books.sent[delivery.key] = delivery.digest
            return delivery

    def _answered(self, delivery: Delivery, status: int, body: bytes) -> None:
        if status >= 500:
            self._not_taken(delivery, str(status))
            return
        word = None
        with contextlib.suppress(ValueError, AttributeError):
            word = json.loads(body).get("status")
        with self._lock:
            self._under_way -= 1
            self.books.requests += 1
            known = delivery.key in self.books.acknowledged
            if status != 200 or word not in ("stored", "repeated"):
                self.books.wrong.append(f"{delivery.key} was answered {status} {word}")
            elif known and word == "stored":
                self.books.wrong.append(f"{delivery.key} was acknowledged, then not known any more")
            else:
                self.books.acknowledged.add(delivery.key)
                self.books.repeats += known
                self.books.answers_lost += not known and word == "repeated"
                self._failures.pop(delivery.key, None)
                if not known and self._random.random() < REPEATING:
                    self._put_off(delivery)

    def _not_taken(self, delivery: Delivery, why: str) -> None:
        with self._lock:
            self._under_way -= 1
            self.books.requests += 1
            self.books.unanswered[why] += 1
            self._failures[delivery.key] += 1
            self._put_off(delivery)

    def _put_off(self, delivery: Delivery) -> None:
        first_s, longest_s = RETRY_S
        wait_s = min(first_s * 2.0 ** self._failures[delivery.key], longest_s) * self._random.uniform(0.5, 1)
        heapq.heappush(self._again, (time.monotonic() + wait_s, next(self._ties), delivery))
