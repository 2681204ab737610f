"""Commands: stored with their translation, claimed by subject, begun, settled, and mended by operators."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from relay.commands import Command, CommandState, ContactSubject, Outcome, StoredCommand
from relay.store.claiming import claim_heads
from relay.store.columns import state_in
from relay.store.contacts import resolve_contact
from relay.store.effects import asked, asked_again, came_to_nothing
from relay.store.engine import Database
from relay.store.lanes import LaneKey, remember_lanes
from relay.store.locking import serialise
from relay.store.reading import commands_of
from relay.store.settling import begin, settle
from relay.store.tables import OPEN_COMMANDS, commands
from relay.store.views import CommandView

REQUEUED_FROM = (CommandState.DEAD, CommandState.UNCERTAIN, CommandState.DROPPED)
DRY_RUN = "Dry run: not sent."
DROPPED_FROM = (CommandState.WAITING, CommandState.DEAD, CommandState.UNCERTAIN)


class CommandStore:
    """The queue of commands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = itertools.count()

    def claim(self, now: datetime, lease_s: float, limit: int, skip: Collection[LaneKey] = ()) -> list[StoredCommand]:
        """Lease up to ``limit`` commands to the caller for ``lease_s`` seconds, at most one of each subject.

        Given are due heads: no earlier command of the subject is open, and the group's lane is not paused. Lanes take
        turns, but for those to ``skip``. A lease that ran out is taken over; ``answer_lost`` then tells whether its
        worker had begun an attempt.
        """
        with self._database.writing() as connection:
            return claim_heads(connection, now, lease_s, limit, next(self._turns), skip)

    def begin(
        self, claimed: Sequence[StoredCommand], now: datetime, lease_s: float | None = None
    ) -> list[StoredCommand]:
        """Note, before the call, that an attempt begins; gives those whose lease still holds. Send no others.

        With ``lease_s`` their lease is renewed, so that the time since the claim does not shorten the call's.
        """
        with self._database.writing() as connection:
            return begin(connection, claimed, now, lease_s)

    def settle(self, outcomes: Sequence[Outcome], now: datetime) -> int:
        """Write how attempts ended; gives how many were written. An outcome whose lease was lost counts for nothing."""
        with self._database.writing() as connection:
            return settle(connection, outcomes, now)

    def requeue(self, command_id: int, now: datetime) -> None:
        """Put a dead, uncertain or dropped command back, unchanged, with all its attempts before it.

        An uncertain one is then sent without being looked for: whoever requeues it has decided that.

        Raises: LookupError when there is none, ValueError with the reason when its state does not allow it.
        """
        with self._database.writing() as connection:
            row = _find(connection, command_id, REQUEUED_FROM, "requeued")
            # Locked against claims, which could otherwise lease this command and a later one of its subject.
            queue = (commands.c.group_key == row.group_key) & (commands.c.subject == row.subject)
            connection.execute(
                select(commands.c.id)
                .where(queue, state_in(commands.c.state, OPEN_COMMANDS))
                .order_by(commands.c.id)
                .with_for_update()
            )
            waiting = {"state": CommandState.WAITING, "due_at": now, "attempts": 0, "answer_lost": False}
            _change(connection, row, waiting | {"settled_at": None})
            asked_again(connection, row)

    def drop(self, command_id: int, now: datetime) -> None:
        """Give a waiting, dead or uncertain command up for good.

        Raises: LookupError when there is none, ValueError with the reason when its state does not allow it.
        """
        with self._database.writing() as connection:
            row = _find(connection, command_id, DROPPED_FROM, "dropped")
            _change(connection, row, {"state": CommandState.DROPPED, "settled_at": now})
            # What may have reached SALESmanago all the same is not asked for again.
            if row.state != CommandState.UNCERTAIN and not row.answer_lost:
                came_to_nothing(connection, row)

    def of_delivery(self, delivery_id: int) -> list[CommandView]:
        """Give the commands of a delivery with their attempts, in order."""
        with self._database.reading() as connection:
            return commands_of(connection, delivery_id)


def store_commands(
    connection: Connection, delivery_id: int, group: str, asked_for: Iterable[Command], now: datetime
) -> None:
    """Store a delivery's commands in their order, due at once."""
    asked_for = tuple(asked_for)
    remember_lanes(connection, group, (command.kind.lane for command in asked_for))
    rows = [_row(connection, delivery_id, group, command, now) for command in asked_for]
    for command, row in zip(asked_for, rows, strict=True):
        asked(connection, command, group, row["contact"])
    if rows:
        # Numbers are drawn before the commit: while two transactions stored commands of one subject at once, the
        # later number could be seen, and sent, first.
        serialise(connection, *(("subject", group, row["subject"]) for row in rows))
        connection.execute(insert(commands), rows)


def keep_dry_run(
    connection: Connection, delivery_id: int, group: str, asked_for: Iterable[Command], now: datetime
) -> None:
    """Store commands that nobody will send, to be looked at; what SALESmanago was asked for stays what it was."""
    dropped = {"state": CommandState.DROPPED, "last_error": DRY_RUN, "settled_at": now}
    rows = [_row(connection, delivery_id, group, command, now) | dropped for command in asked_for]
    if rows:
        connection.execute(insert(commands), rows)


def supersede_waiting(connection: Connection, delivery_id: int, now: datetime) -> None:
    """Withdraw the commands of a delivery that wait and have certainly not reached SALESmanago."""
    rows = connection.execute(
        select(commands)
        .where(
            commands.c.delivery_id == delivery_id,
            commands.c.state == CommandState.WAITING,
            commands.c.answer_lost.is_(False),
        )
        .order_by(commands.c.id)
        .with_for_update()
    ).all()
    for row in rows:
        _change(connection, row, {"state": CommandState.SUPERSEDED, "settled_at": now})
        came_to_nothing(connection, row)


def _row(connection: Connection, delivery_id: int, group: str, command: Command, now: datetime) -> dict[str, Any]:
    contact, location = None, None
    if isinstance(command.subject, ContactSubject):
        contact = resolve_contact(connection, group, command.subject)
        subject = f"contact:{contact}"
    else:
        location = command.subject.location
        subject = f"product:{location}:{command.subject.product_id}"
    key = command.event
    return {
        "delivery_id": delivery_id,
        "group_key": group,
        "lane": command.kind.lane,
        "kind": command.kind,
        "subject": subject,
        "contact": contact,
        "location": location,
        "payload": dict(command.payload),
        "event_shop": key and key.shop,
        "event_kind": key and key.kind,
        "event_resource_id": key and key.resource_id,
        "event_slot": key and key.slot,
        "state": CommandState.WAITING,
        "due_at": now,
        "warnings": list(command.warnings),
        "created_at": now,
    }


def _find(connection: Connection, command_id: int, allowed: Sequence[CommandState], verb: str) -> Row[Any]:
    row = connection.execute(select(commands).where(commands.c.id == command_id).with_for_update()).one_or_none()
    if row is None:
        raise LookupError(f"There is no command {command_id}.")
    if row.state not in allowed:
        words = ", ".join(allowed)
        raise ValueError(f"Command {command_id} is {row.state}; only these can be {verb}: {words}.")
    return row


def _change(connection: Connection, row: Row[Any], values: dict[str, Any]) -> None:
    connection.execute(update(commands).where(commands.c.id == row.id).values(values))
