"""The simulator as a command: whose accounts it plays, where it listens, and when it ends."""

from __future__ import annotations

import socket
import sys
import threading
from dataclasses import replace

import pytest

from cli import simulator
from cli.sandbox import in_sandbox
from relay.demo import demo_accounts
from relay.readers import Address
from relay.settings import load_settings
from tests.support.cli import a_cli, a_directory, group

OTHER = "https://app2.salesmanago.example"


@pytest.fixture
def served(monkeypatch):
    """What the simulator would have been run with."""
    runs = []
    monkeypatch.setattr(simulator, "serve", lambda app, host, port, announce: runs.append((app, host, port)))
    return runs


def played(app):
    return app.extensions["sandbox"].accounts.by_client_id


def configured(sqlite_url, tmp_path, clock, **environ):
    """The commands with a configuration file, so without the demo."""
    (tmp_path / "relay.toml").write_text("")
    return a_cli(sqlite_url, tmp_path, clock, **environ)


def test_it_plays_the_demos_account_with_its_secrets(cli, tmp_path, served):
    cli.lines("sandbox")
    ((app, host, port),) = served
    (account,) = demo_accounts(cli.joint.given)
    assert (host, port) == ("127.0.0.1", 8001)
    assert list(played(app)) == [account.client_id]
    assert played(app)[account.client_id].api_secret == account.api_secret
    assert played(app)[account.client_id].owners == (account.owner,)
    assert list(app.extensions["sandbox"].accounts.by_v3_key) == [account.v3_key]


def test_beside_a_configuration_it_plays_every_group_that_sends_to_it(sqlite_url, tmp_path, clock, served):
    with configured(sqlite_url, tmp_path, clock) as cli:
        groups = [*a_directory().groups.values(), group("far", endpoint=OTHER)]
        cli.joint.directory = replace(a_directory(), groups={each.key: each for each in groups})
        cli.lines("sandbox")
    ((app, _, _),) = served
    assert list(played(app)) == ["client-of-main", "client-of-second"]
    assert list(app.extensions["sandbox"].accounts.by_v3_key) == ["invented-v3-key"]


def test_it_refuses_to_run_for_nobody(sqlite_url, tmp_path, clock, served):
    with configured(sqlite_url, tmp_path, clock, RELAY_SANDBOX_BIND="127.0.0.1:9009") as cli:
        assert 'give one the endpoint "http://127.0.0.1:9009"' in cli.error("sandbox")
    assert served == []


@pytest.mark.parametrize(
    ("endpoint", "bind", "same"),
    [
        ("http://127.0.0.1:8001", "127.0.0.1:8001", True),
        ("http://localhost:8001/", "127.0.0.1:8001", True),
        ("http://[::1]:8001", "[::1]:8001", True),
        ("http://127.0.0.1:8002", "127.0.0.1:8001", False),
        ("http://127.0.0.1", "127.0.0.1:8001", False),
        ("http://sandbox:8001", "sandbox:8001", True),
        ("https://app2.salesmanago.example:8001", "127.0.0.1:8001", False),
    ],
)
def test_an_endpoint_is_the_simulator_by_host_and_port(tmp_path, endpoint, bind, same):
    host, _, port = bind.rpartition(":")
    settings = replace(load_settings({}), sandbox_bind=Address(host.strip("[]"), int(port)))
    assert in_sandbox(endpoint, settings) is same


def test_an_address_in_use_is_told_with_the_way_out(sqlite_url, tmp_path, clock):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with a_cli(sqlite_url, tmp_path, clock, RELAY_SANDBOX_BIND=bind) as cli:
            assert f"cannot listen on {bind}" in (told := cli.error("sandbox"))
            assert "set RELAY_SANDBOX_BIND" in told


def test_an_installation_without_it_says_so(cli, monkeypatch):
    monkeypatch.delitem(sys.modules, "cli.simulator")
    monkeypatch.delattr("cli.simulator")
    monkeypatch.setitem(sys.modules, "sandbox", None)

    def gone(name, *args, _import=__import__, **kwargs):
        if name == "sandbox":
            raise ModuleNotFoundError("No module named 'sandbox'", name="sandbox")
        return _import(name, *args, **kwargs)

    monkeypatch.setattr("builtins.__import__", gone)
    assert cli.error("sandbox") == "The simulator is no part of this installation; run it from the project's folder."


def test_it_ends_once_its_supervisor_is_gone():
    looks = iter([False, False, True])
    ended = threading.Event()
    thread = simulator.end_with(lambda: next(looks), ended.set, look_s=0)
    assert ended.wait(10)
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(("variable", "watched"), [("4711", True), (None, False)])
def test_it_looks_for_its_supervisor_only_when_it_has_one(cli, served, monkeypatch, variable, watched):
    watching = []
    monkeypatch.setattr(simulator, "end_with", lambda *arguments: watching.append(arguments))
    if variable:
        monkeypatch.setenv("SUPERVISOR_PID", variable)
    else:
        monkeypatch.delenv("SUPERVISOR_PID", raising=False)
    cli.lines("sandbox")
    assert bool(watching) is watched
