"""The supervisor: keeps its children running, and never leaves one behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relay.settings import HOME
from relay.worker.supervisor import SUPERVISOR_VARIABLE, Child, parent_is_gone, pause_s, start_supervisor
from tests.support.patience import PATIENCE_S, until

# Writes its process id to a file of its own and waits for a signal.
STEADY = """
import os, sys, time
folder = sys.argv[1]
open(f"{folder}/draft-{os.getpid()}", "w").close()
os.rename(f"{folder}/draft-{os.getpid()}", f"{folder}/up-{os.getpid()}")
while True:
    time.sleep(0.05)
"""
# Does not end on SIGTERM.
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STEADY
# Ignores SIGTERM too, and asks for its parent as a worker's loop does.
ASKING = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
from relay.worker.supervisor import parent_is_gone
open(f"{sys.argv[1]}/up-{os.getpid()}", "w").close()
while not parent_is_gone():
    time.sleep(0.02)
"""
# Starts a supervisor, tells its process id and waits.
STARTER = """
import json, sys, time
from relay.worker.supervisor import start_supervisor
print(start_supervisor(json.loads(sys.argv[1]), 5).pid, flush=True)
time.sleep(60)
"""


def child(program, folder):
    return [sys.executable, "-c", program, str(folder)]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def pids(folder):
    return {int(path.name.removeprefix("up-")) for path in folder.glob("up-*")}


@pytest.fixture
def supervise(tmp_path):
    started = []

    def supervise(*commands, grace_s=5.0):
        started.append(start_supervisor(commands, grace_s))
        return started[-1]

    yield supervise
    for process in started:
        process.kill()
        process.wait()
    until(lambda: not any(is_running(pid) for pid in pids(tmp_path)))


def test_children_run_and_end_with_the_supervisor(supervise, tmp_path):
    supervisor = supervise(child(STEADY, tmp_path), child(STEADY, tmp_path))
    running = until(lambda: len(pids(tmp_path)) == 2 and pids(tmp_path))
    supervisor.terminate()
    assert supervisor.wait(PATIENCE_S) == 0
    assert not any(is_running(pid) for pid in running)


def test_a_killed_child_is_started_again(supervise, tmp_path):
    supervise(child(STEADY, tmp_path))
    (first,) = until(lambda: pids(tmp_path))
    os.kill(first, signal.SIGKILL)
    until(lambda: len(pids(tmp_path)) == 2)
    assert not is_running(first)


def test_a_child_that_does_not_end_is_killed_after_the_grace_time(supervise, tmp_path):
    supervisor = supervise(child(STUBBORN, tmp_path), grace_s=0.2)
    (pid,) = until(lambda: pids(tmp_path))
    supervisor.terminate()
    assert supervisor.wait(PATIENCE_S) == 0
    assert not is_running(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_children_end_when_the_supervisor_is_killed(supervise, tmp_path):
    supervisor = supervise(child(STEADY, tmp_path))
    (pid,) = until(lambda: pids(tmp_path))
    supervisor.kill()
    supervisor.wait()
    until(lambda: not is_running(pid))


def test_a_child_can_see_by_itself_that_the_supervisor_was_killed(supervise, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HOME))
    supervisor = supervise(child(ASKING, tmp_path))
    (pid,) = until(lambda: pids(tmp_path))
    assert is_running(pid)
    supervisor.kill()
    supervisor.wait()
    until(lambda: not is_running(pid))


def test_everything_ends_when_the_process_that_started_it_is_killed(tmp_path):
    commands = json.dumps([child(STEADY, tmp_path)])
    with subprocess.Popen([sys.executable, "-c", STARTER, commands], cwd=HOME, stdout=subprocess.PIPE) as starter:
        supervisor = int(starter.stdout.readline())
        (pid,) = until(lambda: pids(tmp_path))
        starter.kill()
    until(lambda: not is_running(pid) and not is_running(supervisor))


def test_ctrl_c_in_the_terminal_does_not_reach_the_supervisor(supervise, tmp_path):
    supervisor = supervise(child(STEADY, tmp_path))
    assert os.getsid(supervisor.pid) == supervisor.pid


def test_children_come_second_where_processors_are_short(supervise, tmp_path):
    """Among the processes of a session by niceness, and among sessions where the kernel shares time out by these."""
    supervise(child(STEADY, tmp_path))
    [pid] = until(lambda: pids(tmp_path))
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    group = Path(f"/proc/{pid}/autogroup")
    if not group.exists():
        pytest.skip("this kernel has no autogroups")
    theirs = int(group.read_text().split()[-1])
    assert theirs > 0


def test_pauses_grow_to_a_bound():
    assert [pause_s(failures) for failures in (1, 2, 3, 7, 1000)] == [0.5, 1.0, 2.0, 30.0, 30.0]


def test_a_child_that_keeps_ending_waits_longer_each_time_until_it_runs_steadily(monkeypatch, capfd):
    now = [0.0]
    tended = Child([sys.executable, "-c", "raise SystemExit(7)"], monotonic=lambda: now[0])

    def run_once(lasting_s):
        tended.tend()
        until(lambda: tended.ended())
        now[0] += lasting_s
        tended.tend()

    for lasting_s in (1.0, 1.0, 1.0, 61.0):
        run_once(lasting_s)
        now[0] += 100.0
    reports = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [report["code"] for report in reports] == [7, 7, 7, 7]
    assert [report["restart_in_s"] for report in reports] == [0.5, 1.0, 2.0, 0.5]


def test_a_child_is_not_started_before_its_pause_is_over(tmp_path, capfd):
    now = [0.0]
    tended = Child(child("import sys; open(sys.argv[1] + '/ran', 'a').write('x')", tmp_path), monotonic=lambda: now[0])
    tended.tend()
    until(tended.ended)
    tended.tend()
    now[0] += 0.4
    tended.tend()
    assert tended.ended()
    assert (tmp_path / "ran").read_text() == "x"
    now[0] += 0.2
    tended.tend()
    until(lambda: (tmp_path / "ran").read_text() == "xx")
    until(tended.ended)


def test_a_program_that_is_not_there_is_tried_again_and_told(capfd):
    tended = Child(["/nonexistent/program"])
    tended.tend()
    assert '"child_not_started"' in capfd.readouterr().err
    assert tended.ended()


def test_only_a_supervised_process_asks_for_its_parent(monkeypatch):
    monkeypatch.delenv(SUPERVISOR_VARIABLE, raising=False)
    assert not parent_is_gone()
    monkeypatch.setenv(SUPERVISOR_VARIABLE, str(os.getppid()))
    assert not parent_is_gone()
    monkeypatch.setenv(SUPERVISOR_VARIABLE, "1" if os.getppid() != 1 else "2")
    assert parent_is_gone()
