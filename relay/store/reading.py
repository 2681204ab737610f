"""What operators look at: deliveries, commands and attempts, newest first, page by page, and counts of open ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, func, select

from relay.commands import CommandKind, CommandState
from relay.deliveries import DeliveryState
from relay.errors import StoreUnavailable
from relay.store.columns import state_in
from relay.store.contacts import contact_of
from relay.store.engine import Database
from relay.store.inbox import Inbox
from relay.store.tables import COMMANDS_FOR_SOMEBODY, OPEN_COMMANDS, OPEN_DELIVERIES, attempts, commands, deliveries
from relay.store.views import AttemptView, CommandView, DeliveryView, attempt_view, command_view, delivery_view

PAGE = 50


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; None leaves a word out."""

    state: DeliveryState | None = None
    shop: str | None = None
    group: str | None = None
    topic: str | None = None
    resource_kind: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class CommandFilter:
    """Which commands to list; None leaves a word out."""

    state: CommandState | None = None
    group: str | None = None
    kind: CommandKind | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are open or need somebody: those that are through are not counted, there may be millions."""

    deliveries: Mapping[str, int]  # by state: received, held, dead
    commands: Mapping[tuple[str, str], int]  # by (group, state): waiting, claimed, uncertain, dead


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """What waits for somebody to act."""

    deliveries: list[DeliveryView]
    commands: list[CommandView]  # dead or uncertain


# The states each partial index covers: a query is served by one only if it names the same states.
INDEXED_DELIVERIES = (OPEN_DELIVERIES, (DeliveryState.DEAD,))
INDEXED_COMMANDS = (OPEN_COMMANDS, COMMANDS_FOR_SOMEBODY)


class Reading:
    """Queries that change nothing; what SQLite's inbox has is taken in before deliveries are listed."""

    def __init__(self, database: Database, inbox: Inbox) -> None:
        self._database = database
        self._inbox = inbox

    def deliveries(
        self, chosen: DeliveryFilter | None = None, limit: int = PAGE, before_id: int | None = None
    ) -> list[DeliveryView]:
        """Give deliveries, newest first, without headers and body; ``before_id`` is the last id of the page before."""
        with suppress(StoreUnavailable):  # what can be read should be, even when nothing can be written
            self._inbox.take_in()
        chosen = chosen or DeliveryFilter()
        words = {
            "shop": chosen.shop,
            "group_key": chosen.group,
            "topic": chosen.topic,
            "resource_kind": chosen.resource_kind,
            "resource_id": chosen.resource_id,
        }
        conditions = [*_words(deliveries, words), *_state(deliveries, chosen.state, INDEXED_DELIVERIES)]
        columns = [column for column in deliveries.c if column.name not in ("headers", "body")]
        with self._database.reading() as connection:
            rows = connection.execute(_page(select(*columns), deliveries, conditions, limit, before_id))
            return [delivery_view(row) for row in rows]

    def delivery(self, delivery_id: int) -> DeliveryView | None:
        """Give one delivery with its headers and body as received, None when there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one_or_none()
        return None if row is None else delivery_view(row, headers=row.headers, body=row.body)

    def commands(
        self, chosen: CommandFilter | None = None, limit: int = PAGE, before_id: int | None = None
    ) -> list[CommandView]:
        """Give commands with their attempts, newest first; ``before_id`` is the last id of the page before."""
        chosen = chosen or CommandFilter()
        words = {"group_key": chosen.group, "kind": chosen.kind, "subject": chosen.subject}
        conditions = [*_words(commands, words), *_state(commands, chosen.state, INDEXED_COMMANDS)]
        if (contact := contact_of(chosen.subject)) is not None:
            conditions.append(commands.c.contact == contact)  # has an index, unlike the subject of what is settled
        return self._commands(_page(select(commands), commands, conditions, limit, before_id))

    def command(self, command_id: int) -> CommandView | None:
        """Give one command with its attempts, None when there is none."""
        return next(iter(self._commands(select(commands).where(commands.c.id == command_id))), None)

    def dead(self, group: str | None = None, limit: int = PAGE) -> DeadLetters:
        """Give the newest dead deliveries, and the newest dead or uncertain commands."""
        waiting = [state_in(commands.c.state, COMMANDS_FOR_SOMEBODY), *_words(commands, {"group_key": group})]
        return DeadLetters(
            deliveries=self.deliveries(DeliveryFilter(state=DeliveryState.DEAD, group=group), limit),
            commands=self._commands(_page(select(commands), commands, waiting, limit, None)),
        )

    def counts(self) -> Counts:
        """Count what is open, dead or uncertain; some deliveries twice while a worker takes them in from the inbox."""
        waiting = self._inbox.count()
        by_state: dict[str, int] = {DeliveryState.RECEIVED: waiting} if waiting else {}
        by_group: dict[tuple[str, str], int] = {}
        with self._database.reading() as connection:
            for delivery_states in INDEXED_DELIVERIES:
                rows = connection.execute(counted(deliveries, delivery_states, deliveries.c.state))
                by_state.update({row.state: row.number + by_state.get(row.state, 0) for row in rows})
            for command_states in INDEXED_COMMANDS:
                rows = connection.execute(counted(commands, command_states, commands.c.group_key, commands.c.state))
                by_group.update({(row.group_key, row.state): row.number for row in rows})
        return Counts(by_state, by_group)

    def _commands(self, statement: Select[Any]) -> list[CommandView]:
        with self._database.reading() as connection:
            return _with_attempts(connection, connection.execute(statement).all())


def commands_of(connection: Connection, delivery_id: int) -> list[CommandView]:
    """Give the commands of a delivery with their attempts, in order."""
    mine = select(commands).where(commands.c.delivery_id == delivery_id).order_by(commands.c.id)
    return _with_attempts(connection, connection.execute(mine).all())


def counted(table: Table, states: Iterable[str], *by: Column[Any]) -> Select[Any]:
    """The statement that counts the rows in these states by the given columns."""
    number = func.count().label("number")
    return select(*by, number).where(state_in(table.c.state, states)).group_by(*by)


def _words(table: Table, words: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    return [table.c[name] == word for name, word in words.items() if word is not None]


def _state(table: Table, state: str | None, indexed: Iterable[tuple[str, ...]]) -> list[ColumnElement[bool]]:
    if state is None:
        return []
    return [table.c.state == state, *(state_in(table.c.state, states) for states in indexed if state in states)]


def _page(
    statement: Select[Any], table: Table, conditions: list[ColumnElement[bool]], limit: int, before_id: int | None
) -> Select[Any]:
    if before_id is not None:
        conditions = [*conditions, table.c.id < before_id]
    return statement.where(*conditions).order_by(table.c.id.desc()).limit(limit)


def _with_attempts(connection: Connection, rows: Sequence[Row[Any]]) -> list[CommandView]:
    made: defaultdict[int, list[AttemptView]] = defaultdict(list)
    for row in connection.execute(
        select(attempts)
        .where(attempts.c.command_id.in_([row.id for row in rows]))
        .order_by(attempts.c.command_id, attempts.c.number)
    ):
        made[row.command_id].append(attempt_view(row))
    return [command_view(row, tuple(made[row.id])) for row in rows]
