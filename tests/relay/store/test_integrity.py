"""What a start finds out about its database before anything is opened."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from structlog.testing import capture_logs

from relay.errors import ConfigurationError, StoreUnavailable
from relay.store import Store
from relay.store.integrity import check_store
from tests.support.stored import NOW, new_delivery

PAGE = 4096


@pytest.fixture
def file(sqlite_url: str, tmp_path: Path) -> Path:
    """A store's file with some hundred deliveries; nobody has it open, and all is in it."""
    store = Store.open(sqlite_url, folder=tmp_path)
    for _ in range(300):
        store.deliveries.record(new_delivery(body=os.urandom(1500)))
    store.close()
    return Path(sqlite_url.removeprefix("sqlite:///"))


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def page_of_deliveries(file: Path) -> int:
    """Give where in the file the table of deliveries begins."""
    connection = sqlite3.connect(file)
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'deliveries'").fetchone()[0]
    connection.close()
    return (root - 1) * PAGE


def overwrite(file: Path, at: int, length: int = PAGE) -> bytes:
    """Damage a file; gives what it holds then."""
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(b"\xa5" * length)
    return file.read_bytes()


def test_whole_file_is_passed_in_silence(file: Path):
    with capture_logs() as logs:
        check_store(url_of(file))
    assert [line for line in logs if line["log_level"] != "debug"] == []


def test_file_that_is_not_there_yet_or_empty_is_passed_and_not_made(tmp_path: Path):
    check_store(url_of(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()
    (tmp_path / "empty.db").touch()
    check_store(url_of(tmp_path / "empty.db"))


@pytest.mark.parametrize("place", ["head", "table", "middle", "short"])
def test_damaged_file_is_named_with_what_to_do_and_left_as_it_is(file: Path, place: str):
    size = file.stat().st_size
    if place == "short":
        os.truncate(file, size // 2 // PAGE * PAGE)
        damaged = file.read_bytes()
    else:
        at = {"head": 0, "table": page_of_deliveries(file), "middle": size // 2 // PAGE * PAGE}[place]
        damaged = overwrite(file, at, PAGE * (1 if place != "middle" else 20))
    with pytest.raises(StoreUnavailable) as caught:
        check_store(url_of(file))
    for words in (str(file), "is damaged", "backup", ".recover"):
        assert words in str(caught.value)
    assert file.read_bytes() == damaged


def test_damaged_inbox_is_named_too(sqlite_url: str, tmp_path: Path):
    with closing(Store.open(sqlite_url, folder=tmp_path)) as store:
        for number in range(30):
            store.deliveries.record_soon(new_delivery(dedupe=str(number))).kept()
    check_store(sqlite_url)
    inbox = tmp_path / "relay.db-inbox"
    overwrite(inbox, PAGE)
    with pytest.raises(StoreUnavailable, match=f"{inbox} is damaged"):
        check_store(sqlite_url)


def test_what_an_unclean_stop_left_in_the_log_is_read_and_stays_there(file: Path, tmp_path: Path):
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE left_over (id INTEGER)")
    connection.commit()
    copy = tmp_path / "copy.db"
    for suffix in ("", "-wal"):
        shutil.copy(f"{file}{suffix}", f"{copy}{suffix}")
    connection.close()
    before = [Path(f"{copy}{suffix}").read_bytes() for suffix in ("", "-wal")]
    check_store(url_of(copy))
    assert [Path(f"{copy}{suffix}").read_bytes() for suffix in ("", "-wal")] == before


def test_check_that_takes_too_long_is_cut_short_and_says_so(file: Path, monkeypatch: pytest.MonkeyPatch):
    class Slow(sqlite3.Connection):
        """Reads for ever: only an interruption ends it."""

        def execute(self, *_arguments):
            return super().execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
            )

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *arguments, **named: connect(*arguments, factory=Slow, **named))
    with capture_logs() as logs:
        check_store(url_of(file), budget_s=0.05)
    warnings = [line for line in logs if line["log_level"] == "warning"]
    assert {(line["event"], line["seconds"]) for line in warnings} == {("store_check_cut_short", 0.05)}
    assert [line["file"] for line in warnings] == [str(file), f"{file}-inbox"]


def test_damage_met_while_working_is_unavailable_and_critical(file: Path, tmp_path: Path):
    overwrite(file, page_of_deliveries(file))
    store = Store.open(url_of(file), folder=tmp_path)
    with capture_logs() as logs, pytest.raises(StoreUnavailable, match="is damaged: database disk image is malformed"):
        store.deliveries.claim(NOW, 60, 10)
    with pytest.raises(StoreUnavailable):
        store.deliveries.record(new_delivery())
    store.close()
    assert [(line["event"], line["log_level"]) for line in logs] == [("store_damaged", "critical")]


def test_file_that_is_no_database_is_unavailable_and_critical(tmp_path: Path):
    (tmp_path / "relay.db").write_bytes(b"not a database, but long enough" * 100)
    with capture_logs() as logs, pytest.raises(StoreUnavailable, match="is damaged: file is not a database"):
        Store.open(url_of(tmp_path / "relay.db"), folder=tmp_path)
    assert [line["event"] for line in logs] == ["store_damaged"]


def test_other_urls_are_refused():
    with pytest.raises(ConfigurationError):
        check_store("mysql://host/relay")


@pytest.mark.postgres
def test_settings_of_postgresql_that_break_the_promise_are_named(postgres_url: str):
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        values = dict(connection.execute(text("SELECT name, setting FROM pg_settings")).all())
    engine.dispose()
    with capture_logs() as logs:
        check_store(postgres_url)
    told = [line["setting"] for line in logs if line["event"] == "postgresql_setting_risks_loss"]
    assert told == [f"{name} = off" for name in ("fsync", "full_page_writes") if values[name] == "off"]


@pytest.mark.postgres
def test_postgresql_that_is_away_is_unavailable(tmp_path: Path):
    with pytest.raises(StoreUnavailable):
        check_store(f"postgresql+psycopg://relay@/relay?host={tmp_path}")
