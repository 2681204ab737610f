"""An upgrade with a backlog, while processes of the version before go on storing: nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from relay.commands import CommandState
from relay.errors import StoreUnavailable
from relay.store import Store, schema
from relay.store.engine import open_database
from tests.support.patience import PATIENCE_S
from tests.support.stored import NOW, after, new_delivery

FIRST = "0001"
BACKLOG = 300

# As the first version wrote them; a constant, because that version does not change any more.
OLD_COMMAND = text(
    "INSERT INTO commands (delivery_id, group_key, lane, kind, subject, payload, state, due_at, warnings, created_at) "
    "VALUES (:delivery_id, 'main', 'contacts', 'contact.upsert', :subject, '{}', 'waiting', :now, '[]', :now)"
)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'relay.db'}"


@pytest.fixture
def empty_postgres_url(postgres_server) -> Iterator[str]:
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_url(request, tmp_path: Path) -> str:
    """A database as the first version left it, empty."""
    url = str(request.getfixturevalue(f"empty_{request.param}_url"))
    database = open_database(url, tmp_path, PATIENCE_S)
    config = schema._config()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
    database.close()
    return url


def ask_as_before(url: str, delivery_ids: list[int]) -> None:
    """Store a waiting command for each delivery as the first version did."""
    engine = create_engine(url)
    now = NOW if engine.dialect.name == "postgresql" else NOW.replace(tzinfo=None).isoformat(" ")
    with engine.begin() as connection:
        rows = [{"delivery_id": id_, "subject": f"contact:{id_}", "now": now} for id_ in delivery_ids]
        connection.execute(OLD_COMMAND, rows)
        connection.execute(
            text("INSERT INTO lanes (group_key, lane) VALUES ('main', 'contacts') ON CONFLICT DO NOTHING")
        )
    engine.dispose()


class OldReceiver:
    """A web process of the version before, which stores one delivery after the other."""

    def __init__(self, url: str, folder: Path, wait_s: float) -> None:
        self.store = Store.open(url, folder=folder, commit_wait_s=wait_s)
        self.acknowledged: list[int] = []
        self.refused = 0
        self.tried = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> OldReceiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        self.store.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            new = new_delivery()
            self.tried.set()
            try:
                self.acknowledged.append(self.store.deliveries.record(new).id)
            except StoreUnavailable:
                self.refused += 1


def upgrade_while_it_stores(url: str, folder: Path, receiver: OldReceiver, monkeypatch, least_refused: int = 0) -> None:
    """Migrate; the tables are changed and not committed yet when the receiver comes to store the next delivery."""
    upgrade = command.upgrade
    refused = receiver.refused

    def upgrade_then_wait(config, revision) -> None:
        upgrade(config, revision)
        receiver.tried.clear()
        # Either it is waiting for the end of this already, or it gets so far now.
        if not receiver.tried.wait(0.2):
            assert least_refused == 0
        while receiver.refused < refused + least_refused:
            receiver.tried.clear()
            assert receiver.tried.wait(PATIENCE_S)

    monkeypatch.setattr(schema.command, "upgrade", upgrade_then_wait)
    new = Store.open(url, folder=folder, commit_wait_s=PATIENCE_S)
    new.migrate()
    assert new.is_current()
    new.close()


def backlog(url: str, folder: Path) -> list[int]:
    """Store deliveries of which every other has a waiting command; give all their ids."""
    old = Store.open(url, folder=folder)
    ids = [old.deliveries.record(new_delivery()).id for _ in range(BACKLOG)]
    old.close()
    ask_as_before(url, ids[::2])
    return ids


def everything(url: str, folder: Path) -> tuple[set[int], set[int], set[str]]:
    """Give the deliveries and the deliveries of commands that the new version can claim, and the commands' shops."""
    store = Store.open(url, folder=folder, commit_wait_s=PATIENCE_S)
    received: set[int] = set()
    while more := store.deliveries.claim(after(1), 60, 500):
        received.update(each.id for each in more)
    asked: set[int] = set()
    while claimed := store.commands.claim(after(1), 60, 500):
        asked.update(each.delivery_id for each in claimed)
    store.close()
    engine = create_engine(url)
    with engine.connect() as connection:
        shops = set(connection.scalars(text("SELECT DISTINCT shop FROM commands")))
    engine.dispose()
    return received, asked, shops


def test_backlog_and_what_arrives_meanwhile_are_all_there_afterwards(old_url: str, tmp_path: Path, monkeypatch):
    waiting = backlog(old_url, tmp_path)
    with OldReceiver(old_url, tmp_path, PATIENCE_S) as receiver:
        upgrade_while_it_stores(old_url, tmp_path, receiver, monkeypatch)
        during = len(receiver.acknowledged)
        receiver.tried.clear()
        assert receiver.tried.wait(PATIENCE_S)
    assert receiver.refused == 0
    assert len(receiver.acknowledged) > during, "the process of before goes on storing"

    received, asked, shops = everything(old_url, tmp_path)
    assert received == {*waiting, *receiver.acknowledged}
    assert asked == set(waiting[::2])
    assert shops == {"acme"}


def test_who_does_not_wait_for_the_upgrade_is_refused_and_nothing_is_acknowledged_in_vain(
    old_url: str, tmp_path: Path, monkeypatch
):
    with OldReceiver(old_url, tmp_path, 0.05) as receiver:
        assert receiver.tried.wait(PATIENCE_S)
        upgrade_while_it_stores(old_url, tmp_path, receiver, monkeypatch, least_refused=2)
        refused = receiver.refused
    assert refused >= 2
    received, _, _ = everything(old_url, tmp_path)
    assert received == set(receiver.acknowledged)


def test_what_the_version_before_asks_for_after_the_upgrade_is_sent_too(old_url: str, tmp_path: Path):
    store = Store.open(old_url, folder=tmp_path)
    store.migrate()
    [id_] = [store.deliveries.record(new_delivery()).id]
    ask_as_before(old_url, [id_])
    [claimed] = store.commands.claim(after(1), 60, 10)
    assert (claimed.delivery_id, claimed.subject) == (id_, f"contact:{id_}")
    assert [view.state for view in store.commands.of_delivery(id_)] == [CommandState.CLAIMED]
    store.close()


def test_version_before_refuses_to_start_on_newer_tables_and_goes_on_storing_where_it_runs(store: Store, database_url):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreUnavailable, match="newer version"):
        store.migrate()
    assert not store.is_current()
    assert not store.deliveries.record(new_delivery()).repeated
