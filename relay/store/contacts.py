"""The relay's own contacts: one id per person and group, whatever addresses the person has had.

Commands about a person queue under this id, so a changed address cannot let a later command overtake an earlier one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from relay.commands import ContactSubject
from relay.store.bulk import Bulk
from relay.store.engine import insert_into
from relay.store.locking import serialise
from relay.store.tables import contact_addresses, contacts

CONTACT_SUBJECT = "contact:"
"""What the subject of commands about a contact begins with; its id follows."""

_MOST_DIGITS = 18  # larger numbers are no ids


def contact_of(subject: str | None) -> int | None:
    """Give the contact that commands of a subject are about, None where they are about something else."""
    digits = (subject or "").removeprefix(CONTACT_SUBJECT)
    is_one = subject == f"{CONTACT_SUBJECT}{digits}" and digits.isdecimal() and len(digits) <= _MOST_DIGITS
    return int(digits) if is_one else None


def resolve_contact(connection: Connection, group: str, subject: ContactSubject) -> int:
    """Give the id of the contact a command is about, made when nobody has asked for this person before.

    A known address wins over SALESmanago's id, the present address over the new one. Both addresses become this
    contact's; what other contact had one of them keeps its open commands, but gets no new ones by it.
    """
    addresses = [address.lower() for address in (subject.email, subject.new_email) if address]
    serialise(connection, *_things(group, addresses, subject.contact_id))
    known = _by_address(connection, group, addresses)
    contact = next((known[address] for address in addresses if address in known), None)
    if contact is None:
        contact = _by_contact_id(connection, group, subject.contact_id) or _make(connection, group, subject)
    for address in addresses:
        if known.get(address) != contact:
            _assign(connection, group, address, contact)
    return contact


def resolve_contacts(
    connection: Connection, people: Iterable[tuple[str, ContactSubject]]
) -> dict[tuple[str, str], int]:
    """Give the contacts of people known by their present address alone, by (group, lower-cased address)."""
    given = {(group, subject.email.lower()): subject.email for group, subject in people}
    serialise(connection, *(("address", *each) for each in given))
    found = _known(connection, given)
    new = sorted(given.keys() - found.keys())
    if new:
        rows = [{"group_key": group, "email": given[group, address], "address": address} for group, address in new]
        made = dict(zip(new, _make_all(connection, rows), strict=True))
        links = [{"group_key": group, "address": address, "contact": id_} for (group, address), id_ in made.items()]
        _LINK_ADDRESSES.run(connection, links)
        found |= made
    return found


def _make_all(connection: Connection, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Insert contacts and give their ids, in the order of the rows."""
    if connection.dialect.name != "sqlite":
        return connection.scalars(_MAKE, rows).all()
    # With RETURNING each row would be a statement. Who writes is alone, and may number them as SQLite would.
    last = connection.exec_driver_sql(_LAST_ID).scalar() or 0
    ids = range(last + 1, last + 1 + len(rows))
    _INSERT.run(connection, [{**row, "id": id_} for row, id_ in zip(rows, ids, strict=True)])
    return ids


def _known(connection: Connection, addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    by_group: defaultdict[str, list[str]] = defaultdict(list)
    for group, address in addresses:
        by_group[group].append(address)
    for group, mine in by_group.items():
        found |= {(group, address): contact for address, contact in _by_address(connection, group, mine).items()}
    return found


def _things(group: str, addresses: list[str], contact_id: str | None) -> list[tuple[str, ...]]:
    things: list[tuple[str, ...]] = [("address", group, address) for address in addresses]
    if contact_id:
        things.append(("contact", group, contact_id))
    return things


def _by_address(connection: Connection, group: str, addresses: list[str]) -> dict[str, int]:
    rows = connection.execute(_CONTACTS, {"of_group": group, "among": addresses})
    return {row.address: row.contact for row in rows}


def _by_contact_id(connection: Connection, group: str, contact_id: str | None) -> int | None:
    if not contact_id:
        return None
    return connection.scalar(
        select(contacts.c.id)
        .where(contacts.c.group_key == group, contacts.c.contact_id == contact_id)
        .order_by(contacts.c.id)
        .limit(1)
    )


def _make(connection: Connection, group: str, subject: ContactSubject) -> int:
    email = subject.email or None
    row = {"group_key": group, "email": email, "address": email and email.lower(), "contact_id": subject.contact_id}
    return int(connection.execute(insert(contacts).values(row).returning(contacts.c.id)).scalar_one())


def _assign(connection: Connection, group: str, address: str, contact: int) -> None:
    statement = insert_into(connection, contact_addresses).values(group_key=group, address=address, contact=contact)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["group_key", "address"], set_={"contact": contact})
    )
    # Somebody known by SALESmanago's id alone gets the first address that is learnt.
    connection.execute(
        update(contacts)
        .where(contacts.c.id == contact, contacts.c.email.is_(None))
        .values(email=address, address=address)
    )


_LAST_ID = "SELECT seq FROM sqlite_sequence WHERE name = 'contacts'"
_INSERT = Bulk(insert(contacts))
_LINK_ADDRESSES = Bulk(insert(contact_addresses))
# One id for each row, in the order given.
_MAKE = insert(contacts).returning(contacts.c.id, sort_by_parameter_order=True)
_CONTACTS = select(contact_addresses.c.address, contact_addresses.c.contact).where(
    contact_addresses.c.group_key == bindparam("of_group"),
    contact_addresses.c.address.in_(bindparam("among", expanding=True)),
)
