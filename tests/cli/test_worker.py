from __future__ import annotations

import logging
import os
import signal

import pytest

from cli import worker as module
from cli.worker import stop_on_signal
from relay.news import NOTHING, News
from relay.worker.duty import Duty
from tests.support.cli import a_cli


class Recorder:
    """Stands for the worker: notes what it was given and what it was told."""

    made: list[Recorder]

    def __init__(self, **parts):
        self.parts = parts
        self.ran = False
        self.stopped = 0
        self.made.append(self)

    def run(self):
        self.ran = True
        assert self.parts["ear"].wait(0) == NOTHING  # it listens
        self.scheduled = os.sched_getscheduler(0) if hasattr(os, "SCHED_BATCH") else None
        self.gives_way = self.parts["store"]._database._lock.gives_way
        signal.raise_signal(signal.SIGTERM)
        assert self.stopped == 1

    def stop(self):
        self.stopped += 1


@pytest.fixture
def signals():
    """Give the stopping signals and the usual turns on a core back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def made(monkeypatch):
    """The workers a test makes."""
    monkeypatch.setattr(Recorder, "made", [], raising=False)
    monkeypatch.setattr(module, "Worker", Recorder)
    return Recorder.made


@pytest.fixture
def root_log():
    """Give the root logger's level and handlers back afterwards."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield root
    root.setLevel(level)
    root.handlers[:] = handlers


def test_it_runs_a_worker_with_the_relays_parts_until_a_signal(sqlite_url, tmp_path, clock, signals, made, root_log):
    with a_cli(sqlite_url, tmp_path, clock, RELAY_LOG_LEVEL="warning") as cli:
        cli.joint.translation = object()
        assert cli.run("worker").exit_code == 0
    (worker,) = made
    assert worker.ran
    assert worker.gives_way, "shops wait for the receiver, and nobody for a worker"
    assert worker.parts["store"] is cli.store
    worker.parts["announce"]()
    assert cli.joint.told == News.COMMANDS, "translating leaves work for those that send"
    assert worker.parts["translator"] is cli.joint.translation
    assert worker.parts["directory"] is cli.joint.directory
    assert worker.parts["clock"] is clock
    assert worker.parts["settings"].log_level == "warning"
    assert root_log.level == logging.WARNING
    assert cli.joint.closed == 1
    assert list(tmp_path.glob("wake-*")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_stops_and_the_next_one_ends(signals, monkeypatch, number):
    monkeypatch.setattr(Recorder, "made", [], raising=False)
    worker = Recorder()
    stop_on_signal(worker)
    signal.raise_signal(number)
    assert worker.stopped == 1
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux knows it")
def test_kernel_is_asked_not_to_interrupt_others_for_it(sqlite_url, tmp_path, clock, signals, made, root_log):
    with a_cli(sqlite_url, tmp_path, clock) as cli:
        cli.joint.translation = object()
        assert cli.run("worker").exit_code == 0
    assert made[0].scheduled == os.SCHED_BATCH


def test_worker_may_have_a_part_of_the_work(sqlite_url, tmp_path, clock, signals, made, root_log):
    with a_cli(sqlite_url, tmp_path, clock) as cli:
        cli.joint.translation = object()
        assert cli.run("worker", "--duty=translate").exit_code == 0
    assert made[0].parts["duty"] is Duty.TRANSLATE
