"""The key behind pseudonyms: made once, kept in the store, so that all hosts know an erased person again."""

from __future__ import annotations

import secrets
from functools import cached_property

from sqlalchemy import Connection, select

from relay.store.engine import Database, insert_into
from relay.store.tables import keys

_NAME = "pseudonyms"
_KEY_BYTES = 32


class Pseudonyms:
    """The key of an open store, which is looked up, or made, when it is first asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def key(self) -> bytes:
        """The key. Raises: StoreUnavailable."""
        with self._database.reading() as connection:
            known = known_key(connection)
        if known is not None:
            return known
        with self._database.writing() as connection:
            return pseudonym_key(connection)


def pseudonym_key(connection: Connection) -> bytes:
    """Give the key, made now when there is none; the transaction must be a writing one."""
    known = known_key(connection)
    if known is not None:
        return known
    statement = insert_into(connection, keys).values(name=_NAME, value=secrets.token_bytes(_KEY_BYTES))
    connection.execute(statement.on_conflict_do_nothing())
    made: bytes = connection.scalars(select(keys.c.value).where(keys.c.name == _NAME)).one()
    return made


def known_key(connection: Connection) -> bytes | None:
    """Give the key, None when nothing has been kept under a pseudonym yet."""
    return connection.scalar(select(keys.c.value).where(keys.c.name == _NAME))
