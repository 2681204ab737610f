"""Wake-up across hosts on PostgreSQL: one process notifies, those that listen hear of it within milliseconds.

No notification has to be heard: workers poll as well. Polling is all there is behind a pooler in transaction mode, such
as PgBouncer's: LISTEN belongs to a session, and that is somebody else's after each statement.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from relay.log import get_logger
from relay.news import EVERYTHING, NOTHING, News

if TYPE_CHECKING:  # the driver takes memory and time that a relay on SQLite need not spend
    import psycopg

CHANNEL = "relay_work"

INTERVAL_S = 0.05
"""The least time between two notifications of a process of the same news."""

LOOK_AGAIN_S = 2 * INTERVAL_S
"""How long after a notification to look again, for what was stored within INTERVAL_S of it and therefore not told."""

_RETRY_S = 1.0

log = get_logger(__name__)


class Notifier:
    """Notifies whoever listens at this database. Safe to share between threads."""

    def __init__(self, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        # Never inside the transaction that stores the work: PostgreSQL lets those with a NOTIFY commit one at a time.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._monotonic = monotonic
        self._busy: defaultdict[News, threading.Lock] = defaultdict(threading.Lock)
        self._next_at: dict[News, float] = {}
        self._failing = False

    def notify(self, news: News = EVERYTHING) -> None:
        """Notify, unless this process did of the same within INTERVAL_S or is about to. Never raises.

        The interval begins when the notification does, so that whoever hears it and looks again LOOK_AGAIN_S later sees
        all that was stored and not told, even when sending it took long.
        """
        busy = self._busy[news]
        if not busy.acquire(blocking=False):
            return
        try:
            now = self._monotonic()
            if now >= self._next_at.get(news, -math.inf):
                self._next_at[news] = now + INTERVAL_S
                self._send(news)
        finally:
            busy.release()

    def _send(self, news: News) -> None:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql(f"SELECT pg_notify('{CHANNEL}', '{news.text}')")
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            if not self._failing:
                log.warning("notify_failed", problem=_words(error))
            self._failing = True
        else:
            self._failing = False


class Listener:
    """Hears the notifications of all processes, over a connection of its own. For one thread."""

    def __init__(self, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take the engine; no connection is made yet."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._monotonic = monotonic
        self._connection: psycopg.Connection[Any] | None = None
        self._next_try_at = -math.inf
        self._failing = False

    def connect(self) -> bool:
        """Connect where there is no connection, at most once a second. Waits as long as that takes, never raises.

        True when it began to listen just now: what was notified before was not heard.
        """
        if self._connection is not None or self._monotonic() < self._next_try_at:
            return False
        try:
            self._connection = self._listening()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            self._note_loss(error)
        else:
            if self._failing:
                log.info("listening_again")
            self._failing = False
        # An attempt may take longer than a second; without a rest whoever waits here would do nothing else.
        self._next_try_at = self._monotonic() + _RETRY_S
        return self._connection is not None

    def fileno(self) -> int:
        """Give what to ``select`` on, -1 while there is no connection, as a closed socket does."""
        return -1 if self._connection is None else self._connection.fileno()

    def heard(self) -> News:
        """Give what notifications since the last call told, NOTHING when none came. Never waits, never raises."""
        if self._connection is None:
            return NOTHING
        try:
            return News.together([News.read(each.payload) for each in self._connection.notifies(timeout=0)])
        except self._engine.dialect.loaded_dbapi.Error as error:
            self._connection.close()
            self._connection = None
            self._note_loss(error)
            return NOTHING

    def close(self) -> None:
        """Stop listening for good."""
        self._next_try_at = math.inf
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listening(self) -> psycopg.Connection[Any]:
        """Give a connection that listens: one of the pool's, because they notice the loss of the server, taken out."""
        with ExitStack() as until_it_listens:
            pooled = until_it_listens.enter_context(self._engine.connect())
            connection = cast("psycopg.Connection[Any]", pooled.connection.driver_connection)
            pooled.detach()
            pooled.exec_driver_sql(f"LISTEN {CHANNEL}")
            until_it_listens.pop_all()
        return connection

    def _note_loss(self, error: BaseException) -> None:
        if not self._failing:
            log.warning("listening_lost", problem=_words(error))
        self._failing = True


def _words(error: BaseException) -> str:
    """Give the first line of what the driver said, without the statement that SQLAlchemy adds."""
    return str(getattr(error, "orig", error)).strip().partition("\n")[0]
