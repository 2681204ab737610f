"""Waiting for a file: woken when it is given back, and not for ever when nobody says so."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from relay.errors import StoreUnavailable
from relay.store import filelock
from relay.store.filelock import FileLock
from tests.support.patience import PATIENCE_S, until

HOLDER = """
import sys, time
from pathlib import Path
from relay.store.filelock import FileLock
with FileLock(Path(sys.argv[1])).held(time.monotonic() + 10):
    print("held", flush=True)
    sys.stdin.read()
"""


def soon() -> float:
    return time.monotonic() + PATIENCE_S


def waiting_for(path: Path) -> tuple[threading.Thread, list[bool]]:
    """Start a thread that takes the lock when it can; the list has something in it once it has."""
    taken: list[bool] = []

    def take() -> None:
        with FileLock(path).held(soon()):
            taken.append(True)

    thread = threading.Thread(target=take)
    thread.start()
    return thread, taken


def test_whoever_waits_is_woken_when_it_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(filelock, "LOOK_S", 2 * PATIENCE_S)
    path = tmp_path / "lock"
    with FileLock(path).held(soon()):
        threads = [waiting_for(path)[0] for _ in range(3)]
        until(lambda: (tmp_path / "lock.freed").exists())
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "nobody looks by himself here before the test is over"


def test_killed_holder_has_given_it_back(tmp_path: Path):
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    thread, taken = waiting_for(path)
    until(lambda: (tmp_path / "lock.freed").exists())
    assert not taken
    holder.kill()
    holder.communicate()
    thread.join(PATIENCE_S)
    assert taken


def test_where_there_are_no_pipes_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "mkfifo", refuse)
    path = tmp_path / "lock"
    with FileLock(path).held(soon()):
        thread, taken = waiting_for(path)
    thread.join(PATIENCE_S)
    assert taken


def test_time_limit_is_kept_and_the_next_one_finds_it_free(tmp_path: Path):
    path = tmp_path / "lock"
    with FileLock(path).held(soon()), pytest.raises(StoreUnavailable), FileLock(path).held(time.monotonic() + 0.05):
        raise AssertionError("held twice")
    with FileLock(path).held(time.monotonic()):
        pass
