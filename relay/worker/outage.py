"""Trouble with the store, told once when it begins and once when it is over."""

from __future__ import annotations

import threading

from relay.errors import StoreUnavailable
from relay.log import get_logger

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0

log = get_logger(__name__)


def outage_pause_s(failures: int) -> float:
    """Give the seconds to wait after the store failed ``failures`` times in a row."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE_S)


class Outage:
    """Whether the store can be used, as far as the worker's threads know. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lasting = False

    def note(self, error: StoreUnavailable) -> None:
        """Note that the store could not be used."""
        with self._lock:
            began, self._lasting = not self._lasting, True
        if began:
            log.error("store_unavailable", error=str(error))

    def over(self) -> None:
        """Note that the store could be used."""
        with self._lock:
            ended, self._lasting = self._lasting, False
        if ended:
            log.info("store_available_again")
