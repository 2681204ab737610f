"""The translate stage: stored deliveries become commands, a slice of them in each transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from relay.clock import Clock
from relay.deliveries import Delivery, DeliveryState, Translation
from relay.errors import StoreUnavailable, TranslationError
from relay.log import get_logger
from relay.metrics import TRANSLATIONS
from relay.store import Contended, Store, Workbench
from relay.translation.opening import Opened
from relay.translation.translator import Translator
from relay.worker.retry import TRANSLATION_TRIES, translation_wait_s

CLAIM_LIMIT = 80
"""Deliveries in hand at a time: few enough to be finished when the worker stops."""

SLICE = 40
"""Deliveries that are translated together: enough to share its cost, few enough that a REST call can await its end."""

MOST_OPEN = 4_000_000
"""Bytes of bodies that are read ahead, which takes ten times as much of memory; a usual slice has a hundredth of it."""

BROKEN = "The relay itself failed while it was translating ({}); see its log. Replay it after the mend."

log = get_logger(__name__)


@dataclass(slots=True)
class _Slice:
    """What has become of deliveries whose transaction is still open."""

    translated: list[tuple[Delivery, Translation]] = field(default_factory=list)
    faulty: list[tuple[Delivery, TranslationError]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many deliveries it has dealt with."""
        return len(self.translated) + len(self.faulty)


class TranslateStage:
    """Takes deliveries in hand and finishes them, slice by slice."""

    def __init__(
        self,
        store: Store,
        translator: Translator,
        clock: Clock,
        lease_s: float,
        on_commands: Callable[[], object] = lambda: None,
        holder: str = "",
    ) -> None:
        """Take the parts, what to call when there are new commands to send, and whose the leases are."""
        self._deliveries = store.deliveries
        self._translator = translator
        self._clock = clock
        self._lease_s = lease_s
        self._on_commands = on_commands
        self._holder = holder
        self._in_hand: deque[Delivery] = deque()
        self._opened: dict[int, Opened | None] = {}  # of those in hand, the next ones
        self._alone = 0  # how many of those in hand are not to share a transaction

    def step(self) -> bool:
        """Translate some deliveries; False when none was due.

        Raises: StoreUnavailable; what is in hand stays there for the next step.
        """
        if not self._in_hand:
            claimed = self._deliveries.claim(self._clock.now(), self._lease_s, CLAIM_LIMIT, self._holder)
            self._in_hand.extend(claimed)
        if not self._in_hand:
            return False
        while self._in_hand:
            self._work()
        return True

    def _work(self) -> None:
        """Finish a slice of what is in hand."""
        first = self._in_hand[0]
        if first.attempts >= TRANSLATION_TRIES:
            # All its tries were begun and none came to an end: it takes the worker down with it.
            self._bury(first, BROKEN.format("the worker ended"))
            self._drop(1)
            return
        most = 1 if self._alone else SLICE
        try:
            done = self._translate(most)
        except StoreUnavailable:
            raise
        except Exception as error:
            self._broke(most, error)
            return
        if done is None:
            self._lease_lost(most)
            return
        for delivery, translation in done.translated:
            self._tell(delivery, translation)
        for delivery, fault in done.faulty:
            self._bury(delivery, str(fault))
        self._drop(done.size)

    def _translate(self, most: int) -> _Slice | None:
        """Translate and store a slice; None when a lease of it was lost, which ends the storing."""
        now = self._clock.now()
        done = _Slice()
        slice_ = list(islice(self._in_hand, most))
        self._open(slice_)
        with self._deliveries.translating() as bench:
            bench.foresee([each.outlook for each in map(self._opened.get, (one.id for one in slice_)) if each])
            for delivery in slice_:
                if delivery.attempts >= TRANSLATION_TRIES or not self._add(done, delivery, bench):
                    break
            return done if bench.store(now) else None

    def _open(self, slice_: Sequence[Delivery]) -> None:
        """Read the deliveries of a slice before anybody has to wait for it, as far as memory allows."""
        size = 0
        for delivery in slice_:
            size += len(delivery.body)
            if size > MOST_OPEN:
                break
            if delivery.id not in self._opened:
                self._opened[delivery.id] = self._translator.opened(delivery)

    def _add(self, done: _Slice, delivery: Delivery, bench: Workbench) -> bool:
        """Translate a delivery within a slice; False when the slice ends before it, or with it."""
        now = self._clock.now()
        try:
            translation = self._translator.translate(delivery, bench.memory, now, self._opened.get(delivery.id))
        except Contended:
            return False
        except TranslationError as fault:
            done.faulty.append((delivery, fault))
            return True
        if done.translated and translation.stands_alone:
            return False
        bench.keep(delivery, translation, now)
        done.translated.append((delivery, translation))
        return not (translation.stands_alone or translation.renames)

    def _broke(self, most: int, error: Exception) -> None:
        """Go on one by one after a slice that broke: its neighbours must not suffer for one of them."""
        if most == 1:
            self._put_off(self._in_hand[0], error)
            self._drop(1)
        else:
            log.warning("slice_broke", deliveries=[each.id for each in list(self._in_hand)[:most]], exc_info=error)
            self._alone = min(most, len(self._in_hand))

    def _lease_lost(self, most: int) -> None:
        if most == 1:
            log.warning("translation_came_too_late", delivery=self._in_hand[0].id)
            self._drop(1)
        else:
            self._alone = min(most, len(self._in_hand))

    def _drop(self, number: int) -> None:
        """Let go of what is finished."""
        for _ in range(number):
            self._opened.pop(self._in_hand.popleft().id, None)
        self._alone = max(self._alone - number, 0)

    def _tell(self, delivery: Delivery, translation: Translation) -> None:
        TRANSLATIONS.labels(translation.state.value).inc()
        log.info(
            "delivery_translated",
            delivery=delivery.id,
            delivery_id=delivery.delivery_id,
            shop=delivery.shop,
            topic=delivery.topic,
            state=translation.state.value,
            reason=translation.reason,
            commands=len(translation.commands),
        )
        if translation.commands:
            self._on_commands()

    def _bury(self, delivery: Delivery, message: str) -> None:
        if self._deliveries.bury(delivery, message):
            TRANSLATIONS.labels(DeliveryState.DEAD.value).inc()
            log.error("delivery_dead", delivery=delivery.id, shop=delivery.shop, topic=delivery.topic, reason=message)

    def _put_off(self, delivery: Delivery, error: Exception) -> None:
        """Let a delivery that broke the translation wait, so that it stops nobody; after some tries it is buried."""
        tries = delivery.attempts + 1
        log.error("translation_broke", delivery=delivery.id, topic=delivery.topic, tries=tries, exc_info=error)
        message = BROKEN.format(type(error).__name__)
        wait_s = translation_wait_s(tries)
        if wait_s is None:
            self._bury(delivery, message)
        else:
            self._deliveries.postpone(delivery, message, self._clock.now() + timedelta(seconds=wait_s))
