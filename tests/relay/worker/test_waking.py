"""Rings across processes, and what must not go wrong when nobody listens any more."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from structlog.testing import capture_logs

from relay.news import EVERYTHING, NOTHING, News
from relay.store import Store
from relay.store.notifying import LOOK_AGAIN_S
from relay.worker.waking import RING_INTERVAL_S, Bell, Ear

PATIENCE_S = 20.0

LISTENER = """
import sys
from pathlib import Path
from relay.worker.waking import Ear
with Ear(Path(sys.argv[1])) as ear:
    print("listening", flush=True)
    print(ear.wait(20).name, flush=True)
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
    assert heard == [EVERYTHING]


def test_ring_tells_what_it_is_for_and_those_of_different_news_do_not_keep_each_other_back(tmp_path):
    bell = Bell(tmp_path)
    with Ear(tmp_path) as ear:
        bell.ring(News.DELIVERIES)
        assert ear.wait(PATIENCE_S) == News.DELIVERIES
        bell.ring(News.COMMANDS)
        assert ear.wait(PATIENCE_S) == News.COMMANDS
        Bell(tmp_path).ring(News.DELIVERIES)
        Bell(tmp_path).ring(News.COMMANDS)
        assert ear.wait(PATIENCE_S) == EVERYTHING


def test_ring_of_a_version_that_tells_nothing_is_for_everybody(tmp_path):
    with Ear(tmp_path) as ear, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as older:
        for word in (b"", b"what"):
            [name] = sockets(tmp_path)
            older.sendto(word, str(tmp_path / name))
            assert ear.wait(PATIENCE_S) == EVERYTHING


def test_every_worker_of_the_machine_is_woken(tmp_path, listening):
    first, second = listening(), listening()
    Bell(tmp_path).ring()
    assert [first.stdout.readline(), second.stdout.readline()] == ["DELIVERIES|COMMANDS\n"] * 2


def test_socket_of_a_killed_worker_is_removed_and_nobody_elses(tmp_path, listening):
    killed, alive = listening(), listening()
    killed.kill()
    killed.wait()
    assert len(sockets(tmp_path)) == 2

    Bell(tmp_path).ring()
    assert alive.stdout.readline() == "DELIVERIES|COMMANDS\n"
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


# Other machines


class FakeListener:
    """Stands for the connection to a database."""

    def __init__(self):
        self._theirs, self._mine = socket.socketpair()
        self.made_anew = False
        self.lost = self.closed = False

    def notify(self, news=EVERYTHING):
        self._theirs.send(news.text.encode())

    def connect(self):
        made_anew, self.made_anew = self.made_anew, False
        return made_anew

    def fileno(self):
        return -1 if self.lost or self.closed else self._mine.fileno()

    def heard(self):
        return News.read(self._mine.recv(100).decode())

    def close(self):
        self.closed = True
        self._theirs.close()
        self._mine.close()


@pytest.fixture
def listener():
    made = FakeListener()
    yield made
    made.close()


@pytest.fixture
def ear(tmp_path, listener, clock):
    """An ear whose time stands still; it looks again when the clock was moved."""
    with Ear(tmp_path, listener, lambda: clock.now().timestamp()) as opened:
        yield opened


def test_notification_counts_again_a_little_later_and_then_no_more(ear, listener, clock):
    listener.notify()
    assert ear.wait(PATIENCE_S)
    assert not ear.wait(0)
    clock.advance(LOOK_AGAIN_S + 0.001)
    assert ear.wait(PATIENCE_S)
    clock.advance(LOOK_AGAIN_S + 0.001)
    assert not ear.wait(0)


def test_second_look_is_for_what_was_told_and_each_kind_has_its_own(ear, listener, clock):
    listener.notify(News.DELIVERIES)
    assert ear.wait(PATIENCE_S) == News.DELIVERIES
    clock.advance(LOOK_AGAIN_S * 0.6)
    listener.notify(News.COMMANDS)
    assert ear.wait(PATIENCE_S) == News.COMMANDS
    clock.advance(LOOK_AGAIN_S * 0.6)
    assert ear.wait(0) == News.DELIVERIES
    clock.advance(LOOK_AGAIN_S * 0.6)
    assert ear.wait(0) == News.COMMANDS
    assert ear.wait(0) == NOTHING


def test_each_notification_puts_the_second_look_off(ear, listener, clock):
    for _ in range(3):
        listener.notify()
        assert ear.wait(PATIENCE_S)
        clock.advance(LOOK_AGAIN_S * 0.9)
        assert not ear.wait(0)
    clock.advance(LOOK_AGAIN_S * 0.2)
    assert ear.wait(PATIENCE_S)
    assert not ear.wait(0)


def test_rings_that_come_too_soon_are_left_out_and_made_up_for_by_a_second_look(ear, tmp_path, clock):
    bell = Bell(tmp_path, monotonic=lambda: clock.now().timestamp())
    bell.ring()
    assert ear.wait(PATIENCE_S)
    clock.advance(RING_INTERVAL_S * 0.9)
    bell.ring()
    assert not ear.wait(0), "a process that is busy would ring for each delivery"
    clock.advance(RING_INTERVAL_S * 1.2)
    assert ear.wait(0)
    assert not ear.wait(0)
    bell.ring()
    assert ear.wait(0), "the time is over"


def test_ear_that_begins_to_listen_looks_twice_for_what_it_missed(ear, listener, clock):
    listener.made_anew = True
    assert ear.wait(PATIENCE_S)
    assert not ear.wait(0)
    clock.advance(LOOK_AGAIN_S + 0.001)
    assert ear.wait(PATIENCE_S)


def test_ear_without_its_connection_hears_this_machine(ear, listener, tmp_path):
    listener.lost = True
    assert not ear.wait(0.01)
    Bell(tmp_path).ring()
    assert ear.wait(PATIENCE_S)


def test_ear_without_its_socket_hears_other_machines_and_closes_its_connection(tmp_path, listener):
    with capture_logs(), Ear(tmp_path / "missing", listener) as ear:
        listener.notify()
        assert ear.wait(PATIENCE_S)
    assert listener.closed


def test_bell_that_has_no_folder_rings_elsewhere(tmp_path):
    rung = []
    Bell(tmp_path / "missing", rung.append).ring(News.COMMANDS)
    assert rung == [News.COMMANDS]


@pytest.mark.postgres
def test_ring_is_heard_on_another_machine(postgres_url, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    stores = [Store.open(postgres_url, folder=folder) for folder in (here, there)]
    with Ear(there, stores[1].listener()) as ear:
        assert ear.wait(PATIENCE_S), "it has begun to listen"
        while ear.wait(2 * LOOK_AGAIN_S):
            pass
        Bell(here, stores[0].notify).ring()
        assert ear.wait(PATIENCE_S)
    for store in stores:
        store.close()
