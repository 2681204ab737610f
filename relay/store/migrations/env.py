"""Alembic's entry: runs the migrations on the connection that ``relay.store.schema`` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from relay.store.tables import metadata

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite can alter hardly anything in place: Alembic then copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
