"""Privacy tasks: carried on piece by piece, by whichever worker comes by, until nothing is left to do.

Every piece is a transaction that also keeps how far the task has come; a worker that is killed loses one piece.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, select, update

from relay.privacy import Person
from relay.store.engine import Database
from relay.store.inbox import Inbox
from relay.store.privacy.disclosing import disclosed
from relay.store.privacy.erasing import forget_contacts, is_unsettled, unsettled, withdraw_commands
from relay.store.privacy.forgetting import DISCLOSURE, SHOP, disclosure_of, person_of
from relay.store.privacy.hits import StillOpen, note_hits
from relay.store.privacy.scrubbing import scrub
from relay.store.privacy.searching import START, THROUGH, Place, read_slice
from relay.store.privacy.shops import erase_shop_slice
from relay.store.privacy.traces import Traces
from relay.store.tables import commands, privacy_tasks

MOST_TOGETHER = 50
"""Tasks that share one search."""

_KEPT_LISTED = 50


@dataclass(frozen=True, slots=True)
class PrivacyTask:
    """An unfinished task. ``work`` is empty once only the file has to be scrubbed."""

    id: int
    delivery_id: int
    kind: str
    asked_at: datetime
    work: Mapping[str, Any]
    place: Place
    counts: Mapping[str, int]

    @property
    def is_searching(self) -> bool:
        """Whether there is something left to read."""
        return bool(self.work) and self.place != THROUGH

    @property
    def file(self) -> str | None:
        """The name of the file in which a disclosure goes to the merchant, None when this is none."""
        return self.work.get("name")

    @property
    def shop(self) -> str | None:
        """The shop that is forgotten as a whole, None when the task is about a person."""
        return self.work["shop"] if self.kind == SHOP and self.work else None

    @property
    def person(self) -> Person | None:
        """Whom the task is about, None once that is forgotten, and where it is about a shop."""
        return person_of(self.work["person"]) if "person" in self.work else None


@dataclass(frozen=True, slots=True)
class PrivacyTaskView:
    """A task as it is shown: it names nobody. ``waits_for`` are commands that are not settled, or need somebody."""

    id: int
    delivery_id: int
    kind: str
    asked_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    waits_for: tuple[int, ...]


class PrivacyStore:
    """The queue of privacy tasks."""

    def __init__(self, database: Database, inbox: Inbox) -> None:
        self._database = database
        self._inbox = inbox

    def unfinished(self, now: datetime) -> list[PrivacyTask]:
        """Give tasks that may go on, oldest first; those that wait for a command come when it is settled."""
        due = and_(privacy_tasks.c.finished_at.is_(None), privacy_tasks.c.due_at <= now)
        waiting = exists().where(commands.c.id == privacy_tasks.c.waits_for, is_unsettled())
        statement = select(privacy_tasks).where(due, ~waiting).order_by(privacy_tasks.c.id).limit(MOST_TOGETHER)
        with self._database.reading() as connection:
            return [_task(row) for row in connection.execute(statement)]

    def search(self, tasks: Iterable[PrivacyTask], now: datetime) -> bool:
        """Search a slice for each task that has not searched everything; False when none could go on."""
        together: defaultdict[tuple[str, str], list[PrivacyTask]] = defaultdict(list)
        for task in tasks:
            if task.is_searching:
                together[task.kind if task.kind == SHOP else "", repr(task.place)].append(task)
        moved = [self._search_shop(task, now) for (kind, _), each in together.items() if kind for task in each]
        moved += [self._search_people(each, now) for (kind, _), each in together.items() if not kind]
        return any(moved)

    def conclude(self, task: PrivacyTask, now: datetime) -> bool:
        """Forget the rest of what a task knows, if nothing has to be waited for any more; False when something has.

        What was erased then still has to be scrubbed; a disclosure is finished.
        """
        with self._database.remembering() as connection:
            row = _locked(connection, task)
            if row is None or row.place != THROUGH or _waits(connection, row):
                return False
            withdraw_commands(connection, row.work.get("commands", ()), now)
            forget_contacts(connection, row.work.get("contacts", ()))
            finished_at = now if row.kind == DISCLOSURE else None
            connection.execute(_at(task).values(work={}, finished_at=finished_at))
        return True

    def document(self, task: PrivacyTask) -> dict[str, Any]:
        """Give all that is stored about the person of a disclosure whose search is through, as JSON values."""
        with self._database.reading() as connection:
            return disclosed(connection, person_of(task.work["person"]), task.work)

    def gather(self, person: Person, now: datetime) -> dict[str, Any]:
        """Give all that is stored about a person, as ``document`` does; it reads everything there is."""
        self._inbox.take_in()  # where the search finds it
        work = disclosure_of(person) | {"upto": {}}
        traces, place = Traces([person]), START
        while place != THROUGH:
            with self._database.reading() as connection:
                hits, place = read_slice(connection, place, [person], traces)
                note_hits(connection, DISCLOSURE, work, {}, hits, now)
        with self._database.reading() as connection:
            return disclosed(connection, person, work)

    def scrub(self, tasks: Sequence[PrivacyTask], now: datetime) -> bool:
        """Take what these tasks erased out of the database's files too, and finish them; False to try again later."""
        if not scrub(self._database, self._inbox):
            return False
        ids = [task.id for task in tasks]
        with self._database.writing() as connection:
            connection.execute(update(privacy_tasks).where(privacy_tasks.c.id.in_(ids)).values(finished_at=now))
        return True

    def postpone(self, task: PrivacyTask, due_at: datetime) -> None:
        """Let a task rest until ``due_at``."""
        with self._database.writing() as connection:
            connection.execute(_at(task).values(due_at=due_at))

    def list(self, limit: int = _KEPT_LISTED) -> list[PrivacyTaskView]:
        """Give the newest tasks, finished ones too."""
        with self._database.reading() as connection:
            rows = connection.execute(select(privacy_tasks).order_by(privacy_tasks.c.id.desc()).limit(limit)).all()
            return [_view(connection, row) for row in rows]

    def _search_people(self, tasks: Sequence[PrivacyTask], now: datetime) -> bool:
        """Read one slice for tasks that stand at the same place."""
        persons = [person_of(task.work["person"]) for task in tasks]
        with self._database.reading() as connection:
            hits, following = read_slice(connection, tasks[0].place, persons, Traces(persons))
        moved = False
        with self._database.remembering() as connection:
            for place, task in enumerate(tasks):
                row = _locked(connection, task)
                if row is None or row.place != task.place:
                    continue  # another worker was faster
                work, counts, reached = dict(row.work), dict(row.counts), following
                mine = [hit for hit in hits if hit.person == place]
                try:
                    note_hits(connection, task.kind, work, counts, mine, now)
                except StillOpen as wait:
                    reached = wait.before
                connection.execute(_at(task).values(work=work, counts=counts, place=reached))
                moved = moved or reached != task.place
        return moved

    def _search_shop(self, task: PrivacyTask, now: datetime) -> bool:
        with self._database.remembering() as connection:
            row = _locked(connection, task)
            if row is None or row.place != task.place:
                return False
            work, counts = dict(row.work), dict(row.counts)
            reached = erase_shop_slice(connection, task.id, work, counts, row.place, now)
            connection.execute(_at(task).values(work=work, counts=counts, place=reached))
            if reached == task.place:
                _waits(connection, row)
        return reached != task.place


def _task(row: Row[Any]) -> PrivacyTask:
    return PrivacyTask(row.id, row.delivery_id, row.kind, row.asked_at, row.work, row.place, row.counts)


def _at(task: PrivacyTask) -> Any:
    return update(privacy_tasks).where(privacy_tasks.c.id == task.id)


def _locked(connection: Connection, task: PrivacyTask) -> Row[Any] | None:
    statement = select(privacy_tasks).where(privacy_tasks.c.id == task.id, privacy_tasks.c.finished_at.is_(None))
    return connection.execute(statement.with_for_update()).one_or_none()


def _waits(connection: Connection, row: Row[Any]) -> bool:
    """Tell whether a task has to wait for a command, and note for which."""
    left = unsettled(connection, row.work.get("commands", ()))
    if left:
        connection.execute(update(privacy_tasks).where(privacy_tasks.c.id == row.id).values(waits_for=left[0]))
    return bool(left)


def _view(connection: Connection, row: Row[Any]) -> PrivacyTaskView:
    return PrivacyTaskView(
        id=row.id,
        delivery_id=row.delivery_id,
        kind=row.kind,
        asked_at=row.asked_at,
        finished_at=row.finished_at,
        counts=row.counts,
        waits_for=tuple(unsettled(connection, row.work.get("commands", ()))),
    )
