from __future__ import annotations

import stat

from relay.store import Store
from tests.support.cli import a_cli


def test_it_makes_the_store_ready(tmp_path, clock):
    with a_cli(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, clock) as cli:
        assert not cli.store.is_current()
        assert cli.lines("prepare") == ["The configuration is fine and the store is ready."]
        assert cli.store.is_current()
        assert cli.lines("prepare") == ["The configuration is fine and the store is ready."]
        assert cli.joint.closed == 2


def test_its_folder_is_for_the_owner_alone(tmp_path, clock):
    folder = tmp_path / "deep" / "data"
    with a_cli(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, clock, RELAY_DATA=str(folder)) as cli:
        cli.lines("prepare")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_faulty_configuration_leaves_the_store_alone(tmp_path, clock, monkeypatch):
    mappings = tmp_path / "mappings"
    mappings.mkdir()
    (mappings / "default.toml").write_text('[contact]\nnmae = "x"\n')
    monkeypatch.setattr(Store, "migrate", lambda self: (_ for _ in ()).throw(AssertionError("migrated")))
    with a_cli(f"sqlite:///{tmp_path / 'new.db'}", tmp_path, clock, RELAY_MAPPINGS=str(mappings)) as cli:
        assert "mappings/default.toml:2 contact.nmae" in cli.error("prepare")


def test_a_damaged_store_is_told_and_left_alone(tmp_path, clock, monkeypatch):
    file = tmp_path / "relay.db"
    monkeypatch.setattr(Store, "migrate", lambda self: (_ for _ in ()).throw(AssertionError("migrated")))
    with a_cli(f"sqlite:///{file}", tmp_path, clock) as cli:
        file.write_bytes(b"torn" * 1000)
        told = cli.error("prepare")
    assert str(file) in told
    assert "backup" in told
