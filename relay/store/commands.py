"""Commands: claimed by subject, begun, settled, and mended by operators."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from relay.commands import CommandState, Outcome, StoredCommand, Verdict
from relay.store.ahead import ReadAhead
from relay.store.attempting import Progress, Step, write_attempts
from relay.store.claiming import MOST_FOLLOWERS, claim_commands, claimed, has_due
from relay.store.columns import state_in
from relay.store.effects import asked_again, came_to_nothing
from relay.store.engine import Database
from relay.store.group_commit import GroupCommit
from relay.store.lanes import LaneKey
from relay.store.reading import commands_of
from relay.store.tables import OPEN_COMMANDS, commands
from relay.store.views import CommandView

REQUEUED_FROM = (CommandState.DEAD, CommandState.UNCERTAIN, CommandState.DROPPED)
LINGER_S = 0.02
"""What the beginning or end of a call waits for others: who writes waits for each transaction, so there be few."""
DROPPED_FROM = (CommandState.WAITING, CommandState.DEAD, CommandState.UNCERTAIN)


class CommandStore:
    """The queue of commands."""

    def __init__(self, database: Database, ahead: ReadAhead) -> None:
        """Take the database, and what reads ahead in it."""
        self._database = database
        self._ahead = ahead
        self._turns = itertools.count()
        self._attempts = GroupCommit(database.writing, write_attempts, database.commit_wait_s, LINGER_S)

    def claim(
        self,
        now: datetime,
        lease_s: float,
        limit: int,
        skip: Collection[LaneKey] = (),
        holder: str = "",
        followers: int = MOST_FOLLOWERS,
        most: Mapping[LaneKey, int] | None = None,
    ) -> list[StoredCommand]:
        """Lease the due commands of up to ``limit`` subjects to ``holder`` for ``lease_s`` seconds, in their order.

        Of each subject its head is given, before which no other command of it is open, with up to ``followers`` that
        come after it and are due too. Lanes take turns, and so do the shops of a lane; those that are paused are left
        out, and those to ``skip``; ``most`` limits single lanes further. A lease that ran out is taken over;
        ``answer_lost`` then tells whether its worker had begun an attempt.
        """
        with self._database.reading() as connection:
            if not has_due(connection, now, skip):
                return []  # without having kept anybody from writing
        turn = next(self._turns)
        with self._database.writing(synced=False) as connection:
            claim = claim_commands(connection, now, lease_s, limit, turn, skip, holder, followers, most or {})
        if not claim.ids:
            return []
        with self._database.reading() as connection:
            return claimed(connection, claim)

    def begin(
        self, claimed: Sequence[StoredCommand], now: datetime, lease_s: float | None = None
    ) -> list[StoredCommand]:
        """Note, before the call, that an attempt begins; gives those whose lease still holds. Send no others.

        With ``lease_s`` their lease is renewed, so that the time since the claim does not shorten the call's. Calls
        that begin or end together share a transaction.
        """
        return self._attempts.submit(Step(now, claimed=claimed, lease_s=lease_s)).begun

    def settle(self, outcomes: Sequence[Outcome], now: datetime) -> int:
        """Write how attempts ended; gives how many were written. An outcome whose lease was lost counts for nothing."""
        if any(outcome.verdict is Verdict.DEAD for outcome in outcomes):
            # What came to nothing may be asked for again, which translation has to know.
            with self._database.remembering() as connection:
                [written] = write_attempts(connection, [Step(now, outcomes)])
            return written.settled
        self._look_ahead(outcomes)
        return self._attempts.submit(Step(now, outcomes)).settled

    def go_on(
        self, outcomes: Sequence[Outcome], claimed: Sequence[StoredCommand], now: datetime, lease_s: float
    ) -> Progress:
        """Settle one call and begin another in the same transaction, as ``settle`` and ``begin`` do; none is dead."""
        self._look_ahead(outcomes)
        return self._attempts.submit(Step(now, outcomes, claimed, lease_s))

    def requeue(self, command_id: int, now: datetime) -> None:
        """Put a dead, uncertain or dropped command back, unchanged, with all its attempts before it.

        An uncertain one is then sent without being looked for: whoever requeues it has decided that.

        Raises: LookupError when there is none, ValueError with the reason when its state does not allow it.
        """
        with self._database.remembering() as connection:
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
        with self._database.remembering() as connection:
            row = _find(connection, command_id, DROPPED_FROM, "dropped")
            _change(connection, row, {"state": CommandState.DROPPED, "settled_at": now})
            # What may have reached SALESmanago all the same is not asked for again.
            if row.state != CommandState.UNCERTAIN and not row.answer_lost:
                came_to_nothing(connection, row)

    def of_delivery(self, delivery_id: int) -> list[CommandView]:
        """Give the commands of a delivery with their attempts, in order."""
        with self._database.reading() as connection:
            return commands_of(connection, delivery_id)

    def _look_ahead(self, outcomes: Sequence[Outcome]) -> None:
        """Read what others would have to wait for while this is written."""
        self._ahead.contact_ids([(each.command.group, each.contact_id) for each in outcomes if each.contact_id])


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
