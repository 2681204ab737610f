"""Keeps the processes beside the web server running: ``python -m relay.worker.supervisor --parent 1 '["program"]'``.

Each argument is one child as a JSON list. A child that ends is started again, after a growing pause when it keeps
ending. The supervisor ends, and takes its children along, when it is told to or when the process that started it is
gone. It imports nothing of the product, so that a broken configuration stops its children and never the supervisor.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SUPERVISOR_VARIABLE = "SUPERVISOR_PID"
"""Tells a child its supervisor's process id. It is no RELAY_* setting, since nobody should set it."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
_TICK_S = 0.1
_NICENESS = 15
_OWN_GROUP = Path("/proc/self/autogroup")
_PR_SET_PDEATHSIG = 1


def parent_is_gone() -> bool:
    """Tell a supervised process whether its supervisor has died; False for one that somebody started by hand."""
    expected = os.environ.get(SUPERVISOR_VARIABLE, "")
    return expected.isdigit() and os.getppid() != int(expected)


def pause_s(failures: int) -> float:
    """Give the seconds to wait before a child that ended ``failures`` times in a row is started again."""
    return min(_FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16), _LONGEST_PAUSE_S)


def start_supervisor(children: Sequence[Sequence[str]], grace_s: float) -> subprocess.Popen[bytes]:
    """Start a supervisor of ``children`` (argument vectors) as a child of this process.

    It gets a session of its own: Ctrl-C must reach the web server alone, which then stops its parts in order.
    """
    arguments = [json.dumps(list(child)) for child in children]
    command = [sys.executable, "-m", "relay.worker.supervisor", f"--parent={os.getpid()}", f"--grace={grace_s:g}"]
    environment = os.environ | {"PYTHONPATH": _with_home(os.environ.get("PYTHONPATH", ""))}
    return subprocess.Popen([*command, *arguments], env=environment, start_new_session=True)  # noqa: S603 - our own program


def _with_home(python_path: str) -> str:
    home = str(Path(__file__).resolve().parent.parent.parent)
    return os.pathsep.join([home, *filter(None, [python_path])])


class Child:
    """One supervised program: its process while it runs, and when it may be started again."""

    def __init__(self, command: Sequence[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.command = list(command)
        self._monotonic = monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._due_at = 0.0
        self._failures = 0

    def tend(self) -> None:
        """Note whether the process has ended, and start it again once its pause is over."""
        if self._process is not None and self.ended():
            self._note_end(self._process.returncode)
        if self._process is None and self._monotonic() >= self._due_at:
            self._start()

    def ended(self) -> bool:
        """Tell whether no process runs."""
        return self._process is None or self._process.poll() is not None

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Wait for the process's end until the given moment, then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(until - self._monotonic(), 0))
        except subprocess.TimeoutExpired:
            _say("child_killed", command=self.command)
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        environment = os.environ | {SUPERVISOR_VARIABLE: str(os.getpid())}
        self._started_at = self._monotonic()
        try:
            # The supervisor has one thread, so running a function between fork and exec is safe.
            self._process = subprocess.Popen(  # noqa: S603 - the command line of whoever started us
                self.command, env=environment, stdin=subprocess.DEVNULL, preexec_fn=_prepare_child
            )
        except OSError as error:
            _say("child_not_started", command=self.command, error=str(error))
            self._note_end(None)

    def _note_end(self, code: int | None) -> None:
        self._process = None
        steady = self._monotonic() - self._started_at >= _STEADY_S
        self._failures = 1 if steady else self._failures + 1
        pause = pause_s(self._failures)
        self._due_at = self._monotonic() + pause
        _say("child_ended", command=self.command, code=code, failures=self._failures, restart_in_s=pause)


def supervise(commands: Sequence[Sequence[str]], grace_s: float, parent: int, tick_s: float = _TICK_S) -> None:
    """Run the children until SIGTERM or SIGINT comes or ``parent`` is not our parent any more; then end them all.

    ``grace_s`` is the time they have to finish what they are doing.
    """
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stopping.append(number))
    children = [Child(command) for command in commands]
    while not stopping and os.getppid() == parent:
        for child in children:
            child.tend()
        time.sleep(tick_s)
    for child in children:
        child.terminate()
    until = time.monotonic() + grace_s
    for child in children:
        child.wait(until)


def _come_second() -> None:
    """Let the session of this process have less time than others where the kernel shares it out by sessions first.

    Desktop kernels do (autogroups), and niceness then tells only the processes of one session apart.
    """
    with contextlib.suppress(OSError):
        _OWN_GROUP.write_text(f"{_NICENESS}")


def _prepare_child() -> None:
    # Shops wait for the web processes and nobody for the children: where cores are short, these come second, by far.
    # With a niceness of 5 an answer took up to twice as long while the children had work, and they did no more of it.
    os.nice(_NICENESS)
    _end_with_parent()


def _end_with_parent() -> None:
    """Let the kernel send SIGTERM when the parent dies, which also holds for kill -9.

    Only Linux knows this; elsewhere a child has to ask ``parent_is_gone`` now and then, as it should here too: the
    parent may have died before this call.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _say(event: str, **fields: Any) -> None:
    record = {"event": event, "level": "warning", "logger": __name__, "timestamp": datetime.now(UTC).isoformat()}
    print(json.dumps(record | fields), file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(prog="python -m relay.worker.supervisor")
    parser.add_argument("--parent", type=int, required=True, help="process id of the process to end with")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds the children have to end")
    parser.add_argument("commands", nargs="+", type=json.loads, help="a child's program and arguments as a JSON list")
    given = parser.parse_args()
    _come_second()
    supervise(given.commands, given.grace, given.parent)


if __name__ == "__main__":
    main()
