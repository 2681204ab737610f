"""app.py: parts are joined lazily, faults are told whole, and both servers and commands find the app."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask, request

import app as app_module
from app import VERSION, Joined, assemble, create_app, load_parts, translator
from handlers.context import Joint, joint_of
from relay.clock import ManualClock
from relay.errors import ConfigurationError, StoreUnavailable
from relay.settings import HOME
from relay.worker.crew import CALLS_PER_LANE
from tests.support.platforms import NOW, Edge, configuration, status

MAPPING = '[contact]\nname = "{{ customer.name }}"\n'


@pytest.fixture
def environ(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of an installation that is fine, all in one folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "default.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "relay.toml").write_text(configuration(), encoding="utf-8")
    return {
        "RELAY_CONFIG": str(tmp_path / "relay.toml"),
        "RELAY_DATA": str(tmp_path / "data"),
        "RELAY_DATABASE_URL": sqlite_url,
        "RELAY_MAPPINGS": str(tmp_path / "mappings"),
    }


@pytest.fixture
def joint(environ: dict[str, str]) -> Iterator[Joint]:
    joint = Joined(environ)
    yield joint
    joint.close()


def faults_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load_parts(environ)
    return [fault.where for fault in raised.value.faults]


def test_parts_hold_the_whole_configuration(environ: dict[str, str]) -> None:
    parts = load_parts(environ)
    assert {"shopify", "woocommerce"} <= parts.platforms.keys()
    assert parts.directory.shops.keys() == parts.platforms.keys()
    assert parts.mappings.keys() == {"default"}
    assert not parts.settings.data.exists()


def test_faults_of_configuration_and_mappings_are_told_together(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text('[groups.main]\nmapping = "missing"\n[shops.acme]\nplatform = "nonesuch"\n')
    (tmp_path / "mappings" / "default.toml").write_text('[contact]\nnme = "{{ customer.name }}"\n')
    faults = faults_of(environ)
    assert {"groups.main.endpoint", "shops.acme.platform"} <= set(faults)
    assert any(where.startswith("mappings/default.toml") for where in faults)


def test_faults_of_mappings_alone_are_told(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mappings" / "default.toml").write_text('[contact]\nnme = "x"\nphone = "{{ customr.phone }}"\n')
    faults = faults_of(environ)
    assert len(faults) == 2
    assert all(where.startswith("mappings/default.toml") for where in faults)


def test_mappings_of_shops_are_loaded_and_those_nobody_uses_are_left_alone(
    environ: dict[str, str], tmp_path: Path
) -> None:
    text = configuration().replace('group    = "main"', 'group    = "main"\nmapping  = "own"', 1)
    (tmp_path / "relay.toml").write_text(text, encoding="utf-8")
    (tmp_path / "mappings" / "unused.toml").write_text("[contact]\nnme = 5\n")
    assert faults_of(environ) == ['mapping "own"']
    (tmp_path / "mappings" / "own.toml").write_text('extends = "default"\n')
    assert load_parts(environ).mappings.keys() == {"default", "own"}


def test_faults_of_the_settings_come_alone(environ: dict[str, str], tmp_path: Path) -> None:
    """Where the settings are wrong, nobody knows which files were meant."""
    (tmp_path / "relay.toml").write_text("[groups.main]\n")
    assert faults_of(environ | {"RELAY_WORKER": "maybe", "RELAY_BNID": "x"}) == ["RELAY_WORKER", "RELAY_BNID"]


def test_relay_is_assembled_from_its_parts(environ: dict[str, str]) -> None:
    clock = ManualClock(NOW)
    parts = load_parts(environ)
    relay = assemble(parts, clock)
    try:
        assert relay.store.is_current()
        assert (relay.directory, relay.mappings, relay.platforms) == (parts.directory, parts.mappings, parts.platforms)
        assert relay.clock is clock
        relay.wake()  # nobody listens, which is no trouble
    finally:
        relay.client.close()
        relay.store.close()


@pytest.mark.parametrize(("given", "expected"), [("on", True), ("off", False)])
def test_translator_knows_the_setting_for_test_orders(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, given: str, expected: bool
) -> None:
    monkeypatch.setattr(app_module, "Translator", lambda *parts, **settings: (parts, settings))
    parts = load_parts(environ | {"RELAY_TEST_ORDERS": given})
    assert translator(parts) == ((parts.directory, parts.platforms, parts.mappings), {"test_orders": expected})


@pytest.mark.parametrize(("threads", "pool_size"), [("64", 64), ("1", 2 * CALLS_PER_LANE)])
def test_client_keeps_a_connection_for_every_call_there_may_be_at_once(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, threads: str, pool_size: int
) -> None:
    monkeypatch.setattr(app_module, "Client", lambda clock, **settings: settings)
    settings = {"RELAY_WEB_THREADS": threads, "RELAY_SEND_TIMEOUT_S": "7"}
    relay = assemble(load_parts(environ | settings))
    relay.store.close()
    assert relay.client == {
        "pool_size": pool_size,
        "read_timeout_s": 7.0,
        "user_agent": f"salesmanago-relay/{VERSION}",
    }


def test_joint_opens_the_relay_once_for_all_threads(joint: Joint, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []

    def counting(*arguments: object) -> object:
        opened.append(1)
        return assemble(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(app_module, "assemble", counting)
    with ThreadPoolExecutor(8) as pool:
        relays = list(pool.map(lambda _: joint.relay(), range(16)))
    assert len({id(relay) for relay in relays}) == 1
    assert opened == [1]


def test_joint_opens_nothing_for_settings_parts_and_translator(joint: Joint, environ: dict[str, str]) -> None:
    assert joint.settings().data == Path(environ["RELAY_DATA"])
    assert joint.parts() is joint.parts()
    assert joint.translator()
    assert not Path(environ["RELAY_DATA"]).exists()
    assert joint.relay().store.is_current()
    assert Path(environ["RELAY_DATA"]).exists()


def test_joint_tries_again_after_the_store_could_not_be_opened(joint: Joint, environ: dict[str, str]) -> None:
    data = Path(environ["RELAY_DATA"])
    data.write_text("in the way")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            joint.relay()
    data.unlink()
    assert joint.relay().store.is_current()


def test_joint_raises_faults_each_time_until_they_are_mended(joint: Joint, environ: dict[str, str]) -> None:
    config = Path(environ["RELAY_CONFIG"])
    config.write_text("[groups.main]\n")
    for ask in (joint.parts, joint.relay, joint.translator) * 2:
        with pytest.raises(ConfigurationError):
            ask()
    assert joint.settings().config == config
    config.write_text(configuration(), encoding="utf-8")
    assert joint.parts().directory.groups.keys() == {"main"}


def test_closed_joint_opens_anew(joint: Joint) -> None:
    first = joint.relay()
    joint.close()
    joint.close()
    second = joint.relay()
    assert second is not first
    assert second.store.is_current()


def test_given_relay_is_used_and_stays_open(tmp_path: Path, sqlite_url: str) -> None:
    with Edge(tmp_path, sqlite_url) as edge:
        joint = joint_of(edge.app)
        assert joint.relay() is edge.relay
        assert joint.settings() is edge.relay.settings
        assert joint.parts().directory is edge.relay.directory
        joint.close()
        assert status(edge.deliver("shopify")) == "stored"


@pytest.mark.parametrize(
    "wrong", [{"RELAY_BIND": "nowhere"}, {"RELAY_CONFIG": "missing.toml"}, {"RELAY_DATABASE_URL": "mysql://x"}]
)
def test_app_with_faulty_settings_is_made_and_says_what_it_can(environ: dict[str, str], wrong: dict[str, str]) -> None:
    made = create_app(environ | wrong)
    with pytest.raises(ConfigurationError):
        joint_of(made).settings()
    assert made.test_client().get("/healthz").status_code == 200
    assert made.test_client().post("/webhooks/shopify", data=b"{}").status_code >= 500


def test_making_an_app_and_asking_whether_it_is_alive_writes_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    del environ["RELAY_CONFIG"]  # the demo, which keeps secrets of its own in RELAY_DATA
    (tmp_path / "relay.toml").unlink()
    made = create_app(environ)
    assert made.test_client().get("/healthz").status_code == 200
    assert not (tmp_path / "data").exists()


@pytest.fixture
def made(environ: dict[str, str]) -> Iterator[Flask]:
    made = create_app(environ)
    yield made
    joint_of(made).close()


def test_app_stores_what_shops_deliver(made: Flask, environ: dict[str, str], tmp_path: Path, sqlite_url: str) -> None:
    with Edge(tmp_path, sqlite_url) as other:
        headers = other.headers("shopify", body=b"{}")
        for expected in ("stored", "repeated"):
            assert status(made.test_client().post("/webhooks/shopify", data=b"{}", headers=headers)) == expected
        [stored] = other.deliveries()
        assert stored.body == b"{}"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/webhooks/shopify", 401),
        ("POST", "/contacts", 401),
        ("DELETE", "/contacts", 401),
        ("POST", "/events", 401),
        ("POST", "/products", 401),
        ("GET", "/contact/c-1", 401),
        ("GET", "/requests/r-1", 401),
        ("POST", "/v1/contacts", 401),
        ("POST", "/Production/contacts", 401),
        ("GET", "/feeds/main.xml", 404),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 503),
        ("GET", "/metrics", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs", 200),
        ("GET", "/", 404),
    ],
)
def test_app_answers_every_route_of_the_contract(made: Flask, method: str, path: str, expected: int) -> None:
    assert made.test_client().open(path, method=method).status_code == expected


def test_app_serves_no_folder_of_files(made: Flask) -> None:
    assert "static" not in made.view_functions


def test_description_and_metrics_can_be_closed(environ: dict[str, str]) -> None:
    client = create_app(environ | {"RELAY_DOCS": "off", "RELAY_METRICS": "off"}).test_client()
    assert {client.get(path).status_code for path in ("/docs", "/openapi.json", "/metrics")} == {404}


@pytest.mark.parametrize(
    ("proxies", "address", "scheme"), [(0, "127.0.0.1", "http"), (1, "192.0.2.3", "https"), (2, "192.0.2.2", "http")]
)
def test_exactly_the_trusted_proxies_are_believed(
    environ: dict[str, str], proxies: int, address: str, scheme: str
) -> None:
    made = create_app(environ | {"RELAY_TRUSTED_PROXIES": str(proxies)})
    forwarded = {
        "X-Forwarded-For": "192.0.2.1, 192.0.2.2, 192.0.2.3",
        "X-Forwarded-Proto": "https, http, https",
        "X-Forwarded-Host": "elsewhere.example",
        "X-Forwarded-Prefix": "/elsewhere",
    }
    with made.test_client() as client:
        client.get("/healthz", headers=forwarded)
        assert (request.remote_addr, request.scheme) == (address, scheme)
        assert (request.host, request.script_root) == ("localhost", "")


def test_version_is_that_of_the_project(made: Flask) -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
    assert made.test_client().get("/openapi.json").json["info"]["version"] == VERSION  # type: ignore[index]


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments, as a demo whose files are all in ``folder``."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HOME),
        "RELAY_DATA": str(folder / "data"),
        **more,
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environ, cwd=folder, check=False, capture_output=True, text=True, timeout=60)


def test_importing_the_module_makes_no_app(tmp_path: Path) -> None:
    asked = "import app; print('app' in vars(app)); made = app.app; print(made is app.app, type(made).__name__)"
    done = run(tmp_path, "-c", asked)
    assert (done.stdout.splitlines(), done.stderr) == (["False", "True Flask"], "")
    assert list(tmp_path.iterdir()) == []


def test_mistake_in_making_the_app_is_not_taken_for_a_missing_app(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise AttributeError("an invented mistake")

    monkeypatch.setattr(app_module, "create_app", broken)
    with pytest.raises(RuntimeError):
        app_module.app  # noqa: B018 - asking for it makes it
    assert not hasattr(app_module, "application")


def test_app_for_a_server_logs_in_the_form_of_all_logs(tmp_path: Path) -> None:
    asked = "from app import app; from relay.log import get_logger; get_logger('x').info('told', shop='acme')"
    done = run(tmp_path, "-c", asked)
    assert done.stdout == ""
    assert '"event": "told"' in done.stderr
    assert run(tmp_path, "-c", asked, RELAY_LOG_LEVEL="warning").stderr == ""


def test_gunicorn_finds_the_app(tmp_path: Path) -> None:
    (tmp_path / "data" / "metrics").mkdir(parents=True)  # which gunicorn's hook makes before it starts anything
    done = run(tmp_path, "-m", "gunicorn", "--check-config", "--config", str(HOME / "gunicorn.conf.py"), "app:app")
    assert (done.returncode, done.stderr) == (0, "")


def test_flask_finds_the_app_and_its_commands(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "flask", "--app", "app", "--help")
    assert done.returncode == 0
    assert {"prepare", "worker", "settings", "mappings"} <= set(done.stdout.split())


def test_faulty_settings_do_not_keep_commands_from_being_found(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "flask", "--app", "app", "settings", RELAY_WORKER="maybe")
    assert done.returncode == 1
    assert "RELAY_WORKER" in done.stderr
    assert "Traceback" not in done.stderr
