from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.clock import ManualClock
from tests.support.cli import Cli, a_cli


@pytest.fixture
def cli(sqlite_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Cli]:
    """The commands on an empty SQLite store, in a folder without a configuration file."""
    with a_cli(sqlite_url, tmp_path, clock) as commands:
        yield commands


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test where no relay.toml is in reach."""
    monkeypatch.chdir(tmp_path)
