from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def url_in_data(sqlite_url: str, tmp_path: Path) -> str:
    """The URL of a migrated SQLite file in the folder that a house takes for RELAY_DATA."""
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "relay.sqlite3"
    Path(sqlite_url.removeprefix("sqlite:///")).rename(file)
    return f"sqlite:///{file}"
