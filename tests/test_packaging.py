"""gunicorn.conf.py, Dockerfile, compose.yaml and .env.example agree with the product."""

from __future__ import annotations

import ast
import logging
import os
import re
import runpy
import sys
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from handlers.serving import Worker
from relay.metrics import DIRECTORY_VARIABLE
from relay.settings import SETTINGS, load_settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def conf(tmp_path, monkeypatch):
    """Run gunicorn.conf.py as gunicorn does and give its names."""
    for name in [name for name in os.environ if name.startswith("RELAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(DIRECTORY_VARIABLE, "")  # so that the value set by the file is taken back
    monkeypatch.setenv("RELAY_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return lambda: runpy.run_path(str(ROOT / "gunicorn.conf.py"))


def test_gunicorn_knows_every_name_and_takes_every_value(conf, monkeypatch):
    monkeypatch.setenv("RELAY_BIND", "[::1]:9000")
    monkeypatch.setenv("RELAY_WEB_THREADS", "4")
    body = ast.parse((ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    names |= {
        target.id for node in body if isinstance(node, ast.Assign) for target in node.targets if hasattr(target, "id")
    }
    values, config = conf(), Config()
    for name in names:
        if not name.startswith("_"):
            config.set(name, values[name])
    assert config.bind == ["[::1]:9000"]
    assert (config.threads, config.worker_connections) == (4, 512)
    assert config.worker_class is Worker
    assert config.forwarded_allow_ips == []
    assert config.control_socket_disable is True


@pytest.mark.parametrize(("level", "lines"), [("info", 1), ("warning", 0)])
def test_line_of_the_access_log_is_gathered_only_where_it_is_written(conf, monkeypatch, level, lines):
    monkeypatch.setenv("RELAY_LOG_LEVEL", level)
    gathered = []
    monkeypatch.setattr(Logger, "access", lambda *given: gathered.append(given))
    values = conf()
    access_log = logging.getLogger("gunicorn.access")
    monkeypatch.setattr(access_log, "level", access_log.level)
    access_log.setLevel(values["logconfig_dict"]["loggers"]["gunicorn.access"]["level"])
    log = object.__new__(values["logger_class"])
    log.access_log = access_log
    log.access(None, None, {}, None)
    assert len(gathered) == lines


def test_threads_of_web_processes_take_turns_more_often(conf):
    before = sys.getswitchinterval()
    try:
        conf()["post_fork"](None, None)
        assert sys.getswitchinterval() < before
    finally:
        sys.setswitchinterval(before)


def test_metrics_of_all_processes_meet_in_the_data_folder(conf, tmp_path):
    conf()
    assert os.environ[DIRECTORY_VARIABLE] == str(tmp_path / "metrics")


def test_faults_of_the_settings_stop_the_start_with_all_of_them(conf, monkeypatch):
    monkeypatch.setenv("RELAY_WORKER", "maybe")
    monkeypatch.setenv("RELAY_BIND", "0.0.0.0:8000")
    with pytest.raises(SystemExit, match=r"(?s)RELAY_WORKER.*RELAY_BIND"):
        conf()


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml"])
def test_containers_set_only_settings_there_are(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"\b(RELAY_[A-Z_]+)[=:] ?\S", text))
    assert {"RELAY_BIND", "RELAY_DATA", "RELAY_CONFIG"} <= named <= {setting.name for setting in SETTINGS}


def test_the_environment_example_names_what_the_configuration_example_needs():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))
    configuration = (ROOT / "relay.example.toml").read_text(encoding="utf-8")
    needed = set(re.findall(r"\{\{ env\.(\w+) \}\}", configuration)) - {"NAME"}
    assert needed
    assert needed <= given


def test_settings_of_the_environment_example_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    commented = dict(re.findall(r"^#(RELAY_[A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert load_settings(commented).trusted_proxies == 1


def test_the_image_gets_every_part_of_the_product_and_nothing_that_is_missing():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for name in line.split()}
    assert {"relay", "handlers", "schemas", "mappings", "gunicorn.conf.py", "app.py"} <= copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    sent = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    assert sent == copied
