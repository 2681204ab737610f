"""SQLite's file is locked, full, or not to be written: only what is stored is acknowledged, and it heals by itself."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from relay.errors import StoreUnavailable
from relay.store import Store
from tests.support.stored import new_delivery

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def impatient(sqlite_url: str, tmp_path: Path) -> Iterator[Store]:
    """A store that waits 50 ms."""
    store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=0.05)
    yield store
    store.close()


@contextmanager
def locked_by_another_process(file: Path, how: str) -> Iterator[None]:
    """Hold the file as a person at SQLite's shell may: that knows nothing of the relay's lock file."""
    program = (
        "import sqlite3, sys\n"
        f"connection = sqlite3.connect({str(file)!r}, isolation_level=None)\n"
        f"connection.execute('BEGIN {how}')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
    finally:
        process.communicate()


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_file_that_another_program_holds_is_unavailable_until_it_lets_go(impatient: Store, tmp_path: Path, how: str):
    refused = new_delivery()
    with locked_by_another_process(tmp_path / "relay.db", how):
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="locked"):
                impatient.deliveries.record(refused)
        assert impatient.reading.deliveries() == []
    assert not impatient.deliveries.record(refused).repeated
    assert len(impatient.reading.deliveries()) == 1


FILLING = """
import json, os, resource, sys
from pathlib import Path
from relay.errors import StoreUnavailable
from relay.store import Store
from tests.support.stored import new_delivery

soon = sys.argv[3] == "soon"
store = Store.open(sys.argv[1], folder=Path(sys.argv[2]), commit_wait_s=1.0)
acknowledged, refused = [], []

def record(number):
    try:
        new = new_delivery(body=os.urandom(20_000))
        repeated = store.deliveries.record_soon(new).kept() if soon else store.deliveries.record(new).repeated
        return repeated or acknowledged.append(new.dedupe)
    except StoreUnavailable as error:
        refused.append(str(error))

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
for number in range(200):
    record(number)
full = len(acknowledged), len(refused)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
for number in range(3):
    record(number)
print(json.dumps({"full": full, "acknowledged": acknowledged, "refused": refused}))
os._exit(0)  # as if killed: nothing is tidied up
"""


@pytest.mark.parametrize(("way", "file", "table"), [("at once", "", "deliveries"), ("soon", "-inbox", "arrivals")])
def test_disk_that_is_full_keeps_what_was_acknowledged_and_refuses_the_rest(
    sqlite_url: str, tmp_path: Path, way: str, file: str, table: str
):
    """A limit on the size of files stands for the disk; the error comes from the operating system in both cases."""
    ran = subprocess.run(
        [sys.executable, "-c", FILLING, sqlite_url, str(tmp_path), way],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(ran.stdout)
    taken, refused = found["full"]
    assert taken > 10
    assert refused > 10
    assert len(found["acknowledged"]) == taken + 3, "it goes on once there is room"

    with closing(sqlite3.connect(tmp_path / f"relay.db{file}")) as connection:
        stored = [row[0] for row in connection.execute(f"SELECT dedupe FROM {table} ORDER BY id")]
        assert stored == found["acknowledged"]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write whatever the file's mode says")
def test_file_without_the_right_to_write_is_unavailable(sqlite_url: str, tmp_path: Path):
    file = tmp_path / "relay.db"
    file.chmod(0o400)
    try:
        store = Store.open(sqlite_url, folder=tmp_path, commit_wait_s=0.05)
        with pytest.raises(StoreUnavailable):
            store.deliveries.record(new_delivery())
        store.close()
    finally:
        file.chmod(0o600)
