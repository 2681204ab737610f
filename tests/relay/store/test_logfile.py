"""The write-ahead log is synced, whichever file it is, and a disk that failed once is not believed again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from relay.errors import StoreUnavailable
from relay.store import Store
from relay.store.logfile import LogFile
from relay.store.tables import deliveries
from tests.support.stored import LEASE_S, NOW, new_delivery


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[LogFile]:
    log_file = LogFile(tmp_path / "store.sqlite3")
    yield log_file
    log_file.close()


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3-wal"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that were synced."""
    inodes: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: inodes.append(os.fstat(descriptor).st_ino))
    return inodes


def test_log_that_is_not_there_cannot_be_synced(log_file: LogFile, wal: Path, synced: list[int]) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened: No such file"):
        log_file.sync()
    wal.touch()
    log_file.sync()  # that was no fault of the disk's
    assert synced == [wal.stat().st_ino]


def test_log_stays_open_from_one_sync_to_the_next(log_file: LogFile, wal: Path, synced: list[int]) -> None:
    wal.touch()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        log_file.sync()
    assert synced == [wal.stat().st_ino] * 3
    assert len(os.listdir("/proc/self/fd")) == before + 1


def test_log_that_took_the_place_of_another_is_the_one_that_is_synced(
    log_file: LogFile, wal: Path, synced: list[int]
) -> None:
    wal.touch()
    log_file.sync()
    other = wal.with_name("other")
    other.touch()
    other.replace(wal)
    log_file.sync()
    assert synced[1] == wal.stat().st_ino != synced[0]


def test_nothing_is_left_open(log_file: LogFile, wal: Path) -> None:
    before = os.listdir("/proc/self/fd")
    wal.touch()
    log_file.sync()
    wal.unlink()
    wal.touch()
    log_file.sync()
    log_file.close()
    assert os.listdir("/proc/self/fd") == before


def test_disk_that_failed_once_is_not_believed_again(
    log_file: LogFile, wal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wal.touch()
    with monkeypatch.context() as failing:
        failing.setattr(os, "fdatasync", _fail)
        with pytest.raises(StoreUnavailable, match="Input/output error.*restart the relay"):
            log_file.sync()
    for again in (log_file.check, log_file.sync):
        with pytest.raises(StoreUnavailable, match="Input/output error"):
            again()


def test_log_may_be_closed_while_it_is_synced(log_file: LogFile, wal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wal.touch()
    synced: list[int] = []

    def sync(descriptor: int) -> None:
        log_file.close()
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fdatasync", sync)
    log_file.sync()
    log_file.sync()
    assert synced == [wal.stat().st_ino] * 2


@pytest.mark.parametrize("way", ["plain", "link", "uri", "relative"])
def test_log_is_found_however_the_database_is_called(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: list[int], way: str
) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "relay.db"
    link.symlink_to(tmp_path / "relay.db")
    monkeypatch.chdir(tmp_path)
    urls = {"link": f"sqlite:///{link}", "uri": f"sqlite:///file:{tmp_path}/relay.db?uri=true"}
    store = Store.open(urls.get(way, sqlite_url if way == "plain" else "sqlite:///relay.db"), folder=tmp_path)
    monkeypatch.chdir("/")
    store.deliveries.record(new_delivery())
    log = (tmp_path / "relay.db-wal").stat().st_ino
    store.close()
    assert synced == [log]


def test_nothing_is_acknowledged_any_more_once_the_disk_has_failed(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=1.0)
    new = new_delivery()
    with monkeypatch.context() as failing:
        failing.setattr(os, "fdatasync", _fail)
        with pytest.raises(StoreUnavailable):
            store.deliveries.record(new)
    for write in (lambda: store.deliveries.record(new), lambda: store.deliveries.record(new_delivery())):
        with pytest.raises(StoreUnavailable):
            write()
    with pytest.raises(StoreUnavailable):
        store.deliveries.claim(NOW, LEASE_S, 10)  # what need not be synced is not written either
    with store._database.reading() as connection:
        assert connection.execute(select(deliveries.c.dedupe, deliveries.c.attempts)).all() == [(new.dedupe, 0)]
    store.close()
    restarted = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=1.0)
    assert restarted.deliveries.record(new).repeated
    restarted.close()


def _fail(descriptor: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
