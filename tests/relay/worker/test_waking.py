"""Rings across processes, and what must not go wrong when nobody listens any more."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
from structlog.testing import capture_logs

from relay.worker.waking import Bell, Ear

PATIENCE_S = 20.0

LISTENER = """
import sys
from pathlib import Path
from relay.worker.waking import Ear
with Ear(Path(sys.argv[1])) as ear:
    print("listening", flush=True)
    print(ear.wait(20), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def listening(tmp_path):
    """Start processes that listen; each tells whether it heard a ring and then waits."""
    started = []

    def listening():
        process = subprocess.Popen(
            [sys.executable, "-c", LISTENER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "listening\n"
        return process

    yield listening
    for process in started:
        process.kill()
        process.communicate()


def sockets(folder):
    return sorted(path.name for path in folder.glob("wake-*"))


def test_ring_is_heard_at_once_and_once(tmp_path):
    with Ear(tmp_path) as ear:
        Bell(tmp_path).ring()
        Bell(tmp_path).ring()
        before = time.monotonic()
        assert ear.wait(PATIENCE_S)
        assert time.monotonic() - before < PATIENCE_S / 2
        assert not ear.wait(0)


def test_ring_wakes_somebody_who_is_waiting(tmp_path):
    heard = []
    with Ear(tmp_path) as ear:
        waiting = threading.Thread(target=lambda: heard.append(ear.wait(PATIENCE_S)))
        waiting.start()
        Bell(tmp_path).ring()
        waiting.join(PATIENCE_S)
    assert heard == [True]


def test_every_worker_of_the_machine_is_woken(tmp_path, listening):
    first, second = listening(), listening()
    Bell(tmp_path).ring()
    assert [first.stdout.readline(), second.stdout.readline()] == ["True\n", "True\n"]


def test_socket_of_a_killed_worker_is_removed_and_nobody_elses(tmp_path, listening):
    killed, alive = listening(), listening()
    killed.kill()
    killed.wait()
    assert len(sockets(tmp_path)) == 2

    Bell(tmp_path).ring()
    assert alive.stdout.readline() == "True\n"
    assert [name.split("-")[1] for name in sockets(tmp_path)] == [str(alive.pid)]


def test_ear_leaves_nothing_behind(tmp_path):
    with Ear(tmp_path) as ear:
        assert len(sockets(tmp_path)) == 1
    assert sockets(tmp_path) == []
    before = time.monotonic()
    assert not ear.wait(0.01), "an ear that is closed only waits"
    assert time.monotonic() - before >= 0.01


def test_half_made_socket_is_neither_rung_nor_removed(tmp_path):
    (tmp_path / "wake-1-abc.new").touch()
    (tmp_path / "wake-1-abc.sock").touch()  # no socket at all
    Bell(tmp_path).ring()
    assert sockets(tmp_path) == ["wake-1-abc.new", "wake-1-abc.sock"]


def test_nobody_listening_and_no_folder_are_fine(tmp_path):
    Bell(tmp_path).ring()
    Bell(tmp_path / "missing").ring()
    assert sockets(tmp_path) == []


def test_full_ear_does_not_keep_the_bell_waiting(tmp_path):
    with Ear(tmp_path) as ear:
        for _ in range(2000):
            Bell(tmp_path).ring()
        assert ear.wait(0)
        assert not ear.wait(0)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the long way round needs /proc")
def test_path_may_be_longer_than_a_sockets_address(tmp_path):
    folder = tmp_path / ("long-" * 15) / ("longer-" * 15)
    folder.mkdir(parents=True)
    opened = os.listdir("/proc/self/fd")
    with Ear(folder) as ear:
        Bell(folder).ring()
        assert ear.wait(PATIENCE_S)
        assert len(sockets(folder)) == 1
    assert sockets(folder) == []
    assert len(os.listdir("/proc/self/fd")) == len(opened), "the folder was closed again"


def test_path_that_is_too_long_everywhere_means_polling(tmp_path, monkeypatch):
    folder = tmp_path / ("long-" * 20)
    folder.mkdir()
    monkeypatch.setattr("relay.worker.waking._OPEN_FOLDERS", tmp_path / "no-proc")
    with capture_logs() as logs, Ear(folder) as ear:
        Bell(folder).ring()
        assert not ear.wait(0.01)
    assert [line["event"] for line in logs] == ["wake_up_unavailable"]


def test_folder_that_is_missing_means_polling(tmp_path):
    with capture_logs() as logs, Ear(tmp_path / "missing") as ear:
        assert not ear.wait(0.01)
    assert [line["event"] for line in logs] == ["wake_up_unavailable"]


def test_bell_rings_on_in_a_fork(tmp_path):
    bell = Bell(tmp_path)
    with Ear(tmp_path) as ear:
        bell.ring()
        assert ear.wait(PATIENCE_S)
        child = os.fork()
        if child == 0:
            bell.ring()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert ear.wait(PATIENCE_S)
