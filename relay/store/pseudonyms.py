"""The key behind pseudonyms: made once, kept in the store, so that all hosts know an erased person again."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select

from relay.store.engine import insert_into
from relay.store.tables import keys

_NAME = "pseudonyms"
_KEY_BYTES = 32


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
