"""The store as the other parts know it: one object with a part for each concern."""

from __future__ import annotations

from pathlib import Path

from relay.news import EVERYTHING, News
from relay.store import schema
from relay.store.ahead import ReadAhead
from relay.store.answers import AnswerStore
from relay.store.commands import CommandStore
from relay.store.deliveries import DeliveryStore
from relay.store.engine import Database, open_database
from relay.store.inbox import open_inbox
from relay.store.items import ItemStore
from relay.store.lanes import LaneStore
from relay.store.notifying import Listener, Notifier
from relay.store.privacy.scrubbing import scrub
from relay.store.privacy.tasks import PrivacyStore
from relay.store.reading import Reading
from relay.store.retention import RetentionStore
from relay.store.workers import WorkerStore, check_writing


class Store:
    """The durable store. Safe to share between threads; each process opens its own, after any fork.

    Every method raises StoreUnavailable when the database cannot be used: locked for longer than ``commit_wait_s``,
    disk full, read-only, connection lost. What it should have written is then not written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inbox = open_inbox(database)
        self._ahead = ReadAhead(database.logged)
        self.deliveries = DeliveryStore(database, self._inbox, self._ahead)
        self.commands = CommandStore(database, self._ahead)
        self.lanes = LaneStore(database)
        self.workers = WorkerStore(database)
        self.items = ItemStore(database)
        self.answers = AnswerStore(database)
        self.privacy = PrivacyStore(database, self._inbox)
        self.retention = RetentionStore(database)
        self.reading = Reading(database, self._inbox)
        self._notifier = None if database.has_one_writer else Notifier(database.engine)

    @classmethod
    def open(cls, url: str, *, folder: Path, commit_wait_s: float = 3.0) -> Store:
        """Open the store at ``url``: ``sqlite:///<file>`` or ``postgresql+psycopg://...``.

        ``folder`` holds the lock files of SQLite's writers; all processes of one SQLite file must name the same.

        Raises: ConfigurationError for another kind of URL, StoreUnavailable when it cannot be opened.
        """
        return cls(open_database(url, folder, commit_wait_s))

    def close(self) -> None:
        """Close all connections."""
        self._ahead.close()
        self._inbox.close()
        self._database.close()

    def give_way(self) -> None:
        """Let those that somebody waits for, such as a shop, write before this process; only workers should."""
        self._database.give_way()
        self._inbox.give_way()

    def notify(self, news: News = EVERYTHING) -> None:
        """Tell all listeners of this database what work there is, see ``relay.store.notifying``; never raises.

        Call it after the work is stored. SQLite has no such thing.
        """
        if self._notifier is not None:
            self._notifier.notify(news)

    def listener(self) -> Listener | None:
        """Give what hears ``notify`` of all processes, to be closed before the store; None on SQLite."""
        return None if self._database.has_one_writer else Listener(self._database.engine)

    def migrate(self) -> None:
        """Bring the database to the newest schema; several processes may do so at the same time."""
        schema.migrate(self._database)

    def is_current(self) -> bool:
        """Tell whether the database has the newest schema."""
        return schema.is_current(self._database)

    def scrub(self) -> bool:
        """Take what was erased out of the database's files too, however large they are; nobody can write meanwhile.

        False when somebody was reading for longer than it waits: try again.
        """
        return scrub(self._database, self._inbox, whole=True)

    def check_writable(self) -> None:
        """Commit a write that leaves nothing behind; raises StoreUnavailable when that fails."""
        check_writing(self._database)
        self._inbox.check_writing()
