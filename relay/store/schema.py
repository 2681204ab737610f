"""Bringing a database to the newest schema, by Alembic, from the migrations beside this file."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from relay.store.engine import Database
from relay.store.locking import serialise

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_WAIT_S = 300.0  # another process may be rebuilding a large table


def migrate(database: Database) -> None:
    """Upgrade to the newest schema in one transaction; a second process waits, then finds nothing to do."""
    config = _config()
    with database.writing(wait_s=MIGRATION_WAIT_S) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{round(MIGRATION_WAIT_S)}s'"))
        serialise(connection, ("migration",))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(database: Database) -> bool:
    """Tell whether the database has the schema this version of the relay was written for."""
    newest = set(ScriptDirectory.from_config(_config()).get_heads())
    with database.reading() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == newest


def _config() -> Config:
    config = Config()
    # The path goes through a parser that takes % for a placeholder.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
