from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from relay.store import Store
from relay.store.tables import metadata

PROCESSES = 3


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_postgres_url(postgres_server):
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request) -> str:
    return str(request.getfixturevalue(f"empty_{request.param}_url"))


def test_migrations_lead_from_an_empty_database_to_the_tables_of_the_code(empty_url, tmp_path):
    store = Store.open(empty_url, folder=tmp_path)
    assert not store.is_current()
    store.migrate()
    assert store.is_current()
    store.close()

    engine = create_engine(empty_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrated_indexes_cover_the_same_rows_as_those_of_the_code(database_url):
    """Alembic's comparison does not look at the conditions of partial indexes."""
    engine = create_engine(database_url)
    migrated = _indexes(engine)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    created = _indexes(engine)
    engine.dispose()

    assert migrated == created
    assert len(migrated) > 5


def _indexes(engine):
    inspector = inspect(engine)
    return {
        index["name"]: (table, index["column_names"], *map(str, index.get("dialect_options", {}).values()))
        for table in metadata.tables
        for index in inspector.get_indexes(table)
    }


def test_migrating_again_changes_nothing(store):
    store.migrate()
    assert store.is_current()


def _migrate(url: str, folder: Path) -> None:
    store = Store.open(url, folder=folder)
    store.migrate()
    store.close()


def test_processes_that_migrate_at_once_do_not_disturb_each_other(empty_url, tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_migrate, args=(empty_url, tmp_path)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    store = Store.open(empty_url, folder=tmp_path)
    assert store.is_current()
    store.close()
