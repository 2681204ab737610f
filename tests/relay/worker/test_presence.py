from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.worker.presence import Presence

ROOT = Path(__file__).resolve().parents[3]


def test_worker_that_lives_is_not_gone_and_leaves_nothing(tmp_path: Path):
    with Presence(tmp_path, "one"), Presence(tmp_path, "other/..:%") as other:
        assert not other.is_gone("one")
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []


def test_worker_nobody_knows_may_be_alive_elsewhere(tmp_path: Path):
    with Presence(tmp_path, "one") as one:
        assert not one.is_gone("on another machine")
    assert not Presence(tmp_path / "missing", "one").is_gone("other")


def test_worker_that_was_killed_is_gone_and_one_that_is_stopped_is_not(tmp_path: Path):
    program = (
        "import sys\nfrom pathlib import Path\nfrom relay.worker.presence import Presence\n"
        f"with Presence(Path({str(tmp_path)!r}), 'killed'):\n    print('here', flush=True)\n    sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    watcher = Presence(tmp_path, "watcher")
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        assert not watcher.is_gone("killed")
    finally:
        process.kill()
        process.communicate()
    assert watcher.is_gone("killed")
    assert watcher.is_gone("killed"), "looking at it does not change it"
    watcher.forget("killed")
    assert not watcher.is_gone("killed")
    assert list(tmp_path.iterdir()) == []


def test_worker_that_cannot_show_itself_says_so_and_does_not_seem_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_locks(*_arguments: object) -> None:
        raise OSError("No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with capture_logs() as logs, Presence(tmp_path, "one"), Presence(tmp_path / "missing", "other"):
        assert list(tmp_path.iterdir()) == []
    assert [line["event"] for line in logs] == ["presence_not_shown"] * 2
