"""What becomes of a row that the search found: deliveries, and sales that are nobody's, are the person's own.

All else only mentions them.

What is linked to the person is none of the search's business: it was forgotten before, or is newer and stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select

from relay.store.columns import state_in
from relay.store.privacy.erasing import blank_deliveries, forget_resources, withdraw_commands
from relay.store.privacy.finding import PERSONAL, Found, commands_of, find
from relay.store.privacy.forgetting import DISCLOSURE, person_of
from relay.store.privacy.searching import SHELVES, Hit, Place, is_row, mask_row
from relay.store.tables import OPEN_DELIVERIES, answers, attempts, commands, deliveries, resources

DELIVERIES, RESOURCES, COMMANDS, ATTEMPTS, ANSWERS = (
    each.name for each in (deliveries, resources, commands, attempts, answers)
)


class StillOpen(Exception):
    """A delivery that names the person is still to be translated; only then is known whether it is new or late."""

    def __init__(self, delivery_id: int) -> None:
        super().__init__()
        self.before: Place = [DELIVERIES, [delivery_id - 1]]


def note_hits(
    connection: Connection, kind: str, work: dict[str, Any], counts: dict[str, int], hits: Iterable[Hit], now: datetime
) -> None:
    """Erase or list what was found for a task, and note that in ``work`` and ``counts``.

    Raises: StillOpen; what came before it is done then.
    """
    recent = [hit for hit in hits if hit.shelf not in work["upto"] or hit.key[0] <= work["upto"][hit.shelf]]
    if not recent:
        return
    linked = find(connection, person_of(work["person"]))
    act = _list if kind == DISCLOSURE else _erase
    for hit in recent:
        if not _is_linked(linked, hit) and (what := act(connection, work, hit, now)):
            counts[what] = counts.get(what, 0) + 1


def _is_linked(linked: Found, hit: Hit) -> bool:
    if hit.shelf == RESOURCES:
        return hit.key in linked.resources
    if hit.shelf == DELIVERIES:
        return hit.key[0] in linked.deliveries
    return hit.shelf in (COMMANDS, ATTEMPTS) and hit.key[0] in linked.commands


def _is_of_group(connection: Connection, work: dict[str, Any], hit: Hit) -> bool:
    group = connection.scalar(select(commands.c.group_key).where(commands.c.id == hit.key[0]))
    return bool(group == work["person"]["group"])


def _nobodys(connection: Connection, hit: Hit) -> Row[Any] | None:
    """Give an account, order or cart that has not been linked to anybody yet, None for anything else."""
    unlinked = and_(is_row(SHELVES[RESOURCES], hit.key), resources.c.email.is_(None), resources.c.kind.in_(PERSONAL))
    return connection.execute(select(resources.c.since).where(unlinked)).one_or_none()


def _erase(connection: Connection, work: dict[str, Any], hit: Hit, now: datetime) -> str | None:
    if hit.shelf == DELIVERIES:
        delivery_id = hit.key[0]
        still_open = state_in(deliveries.c.state, OPEN_DELIVERIES)
        if connection.scalar(select(deliveries.c.id).where(deliveries.c.id == delivery_id, still_open)) is not None:
            raise StillOpen(delivery_id)
        blank_deliveries(connection, [delivery_id])
        left = withdraw_commands(connection, list(commands_of(connection, [delivery_id])), now)
        work["commands"] = sorted({*work["commands"], *left})
        return "deliveries"
    if hit.shelf == RESOURCES and (sale := _nobodys(connection, hit)) is not None:
        until = datetime.fromisoformat(work["until"])
        if sale.since is not None and sale.since > until:
            return None
        forget_resources(connection, [hit.key], until)
        return "resources"
    if hit.shelf == ANSWERS:
        connection.execute(delete(answers).where(is_row(SHELVES[ANSWERS], hit.key)))
        return "answers"
    if hit.shelf in (COMMANDS, ATTEMPTS) and (
        hit.key[0] in work["commands"] or not _is_of_group(connection, work, hit)
    ):
        return None  # it still has to be sent, and is blanked then
    mask_row(connection, hit, person_of(work["person"]))
    return "mentions"


def _list(connection: Connection, work: dict[str, Any], hit: Hit, now: datetime) -> str | None:
    if hit.shelf == DELIVERIES:
        work["deliveries"] = [*work["deliveries"], hit.key[0]]
        return "deliveries"
    if hit.shelf in (COMMANDS, ATTEMPTS) and hit.key[0] in set(commands_of(connection, work["deliveries"])):
        return None  # it is listed with its delivery
    if hit.shelf == RESOURCES and _nobodys(connection, hit) is not None:
        work["resources"] = [*work["resources"], list(hit.key)]
        return "resources"
    work["mentions"] = [*work["mentions"], [hit.shelf, list(hit.key)]]
    return "mentions"
