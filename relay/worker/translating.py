"""The translate stage: stored deliveries become commands, one transaction each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta

from relay.clock import Clock
from relay.deliveries import Delivery, DeliveryState, Translation
from relay.errors import StoreUnavailable, TranslationError
from relay.log import get_logger
from relay.metrics import TRANSLATIONS
from relay.store import Store
from relay.translation.translator import Translator
from relay.worker.retry import TRANSLATION_TRIES, translation_wait_s

CLAIM_LIMIT = 20
"""Deliveries in hand at a time: few enough to be finished when the worker stops."""

BROKEN = "The relay itself failed while it was translating ({}); see its log. Replay it after the mend."

log = get_logger(__name__)


class TranslateStage:
    """Takes deliveries in hand and finishes them one by one."""

    def __init__(
        self,
        store: Store,
        translator: Translator,
        clock: Clock,
        lease_s: float,
        on_commands: Callable[[], object] = lambda: None,
    ) -> None:
        """Take the parts, and what to call when there are new commands to send."""
        self._deliveries = store.deliveries
        self._translator = translator
        self._clock = clock
        self._lease_s = lease_s
        self._on_commands = on_commands
        self._in_hand: deque[Delivery] = deque()

    def step(self) -> bool:
        """Translate some deliveries; False when none was due.

        Raises: StoreUnavailable; what is in hand stays there for the next step.
        """
        if not self._in_hand:
            self._in_hand.extend(self._deliveries.claim(self._clock.now(), self._lease_s, CLAIM_LIMIT))
        if not self._in_hand:
            return False
        while self._in_hand:
            self._work_on(self._in_hand[0])
            self._in_hand.popleft()
        return True

    def _work_on(self, delivery: Delivery) -> None:
        if delivery.attempts >= TRANSLATION_TRIES:
            # All its tries were begun and none came to an end: it takes the worker down with it.
            self._bury(delivery, BROKEN.format("the worker ended"))
            return
        try:
            translation = self._translate(delivery)
        except StoreUnavailable:
            raise
        except TranslationError as error:
            self._bury(delivery, str(error))
        except Exception as error:
            self._put_off(delivery, error)
        else:
            self._tell(delivery, translation)

    def _translate(self, delivery: Delivery) -> Translation | None:
        """Translate and store; None when another worker has taken the delivery over."""
        now = self._clock.now()
        with self._deliveries.translating() as bench:
            translation = self._translator.translate(delivery, bench.memory, now)
            return translation if bench.finish(delivery, translation, now) else None

    def _tell(self, delivery: Delivery, translation: Translation | None) -> None:
        if translation is None:
            log.warning("translation_came_too_late", delivery=delivery.id)
            return
        TRANSLATIONS.labels(translation.state.value).inc()
        log.info(
            "delivery_translated",
            delivery=delivery.id,
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
