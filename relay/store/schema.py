"""Bringing a database to the newest schema, by Alembic, from the migrations beside this file."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from relay.errors import StoreUnavailable
from relay.store.engine import Database
from relay.store.locking import serialise

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_WAIT_S = 300.0  # another process may be rebuilding a large table


def migrate(database: Database) -> None:
    """Upgrade to the newest schema in one transaction; a second process waits, then finds nothing to do.

    Raises: StoreUnavailable when it cannot be upgraded, or was by a newer version of the relay.
    """
    config = _config()
    with database.writing(wait_s=MIGRATION_WAIT_S) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{round(MIGRATION_WAIT_S)}s'"))
        serialise(connection, ("migration",))
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(database: Database) -> bool:
    """Tell whether the database has the schema this version of the relay was written for."""
    newest = set(ScriptDirectory.from_config(_config()).get_heads())
    with database.reading() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == newest


def _refuse_newer(connection: Connection, config: Config) -> None:
    """Raise StoreUnavailable when a newer version of the relay has made the tables: their past is not known here."""
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if set(MigrationContext.configure(connection).get_current_heads()) - known:
        raise StoreUnavailable(
            "A newer version of the relay has changed the store's tables. Start that version, or restore the backup "
            "from before it; versions that run already go on storing meanwhile."
        )


def _config() -> Config:
    config = Config()
    # The path goes through a parser that takes % for a placeholder.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
