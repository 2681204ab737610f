"""Metrics: one text over all processes, with what waits read from the store."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from relay.commerce import ResourceKind
from relay.errors import StoreUnavailable
from relay.metrics import DELIVERIES, DIRECTORY_VARIABLE, REFUSALS, render, topic_label
from relay.platforms import Platform, Topic
from relay.settings import HOME


@dataclass
class Counts:
    deliveries: dict = field(default_factory=dict)
    commands: dict = field(default_factory=dict)


@pytest.fixture(autouse=True)
def single_process(monkeypatch):
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)


def test_counters_and_what_the_store_counts_come_in_one_text():
    DELIVERIES.labels(shop="metrics-shop", topic="orders/create", outcome="stored").inc()
    REFUSALS.labels(reason="metrics-reason").inc()
    text, content_type = render(lambda: Counts({"received": 3}, {("main", "dead"): 2}))
    lines = text.decode().splitlines()
    assert content_type.startswith("text/plain")
    assert 'relay_deliveries_total{outcome="stored",shop="metrics-shop",topic="orders/create"} 1.0' in lines
    assert 'relay_refusals_total{reason="metrics-reason"} 1.0' in lines
    assert 'relay_queue_deliveries{state="received"} 3.0' in lines
    assert 'relay_queue_commands{group="main",state="dead"} 2.0' in lines
    assert "relay_store_readable 1.0" in lines


def test_counters_still_come_when_the_store_cannot_be_read():
    def broken():
        raise StoreUnavailable

    text, _ = render(broken)
    assert b"relay_store_readable 0.0" in text
    assert b"relay_deliveries_total" in text
    assert b"relay_queue" not in text


def test_topics_nobody_declared_share_one_label():
    platform = Platform(
        name="toy",
        verify=lambda *_: None,
        identify=lambda *_: None,
        topics={"orders/create": Topic(ResourceKind.ORDER, lambda *_: None)},
        ignored={"themes/update": "no use"},
    )
    labels = [topic_label(platform, topic) for topic in ("orders/create", "themes/update", "x" * 50, "")]
    assert labels == ["orders/create", "themes/update", "other", "other"]


COUNT = "from relay.metrics import TRANSLATIONS; TRANSLATIONS.labels(state='translated').inc(2)"
RENDER = """
from types import SimpleNamespace
from relay.metrics import render
print(render(lambda: SimpleNamespace(deliveries={}, commands={}))[0].decode())
"""


def test_counters_add_up_over_processes(tmp_path):
    environ = os.environ | {DIRECTORY_VARIABLE: str(tmp_path)}
    for program in (COUNT, COUNT):
        subprocess.run([sys.executable, "-c", program], env=environ, cwd=HOME, check=True)
    shown = subprocess.run(
        [sys.executable, "-c", RENDER], env=environ, cwd=HOME, check=True, capture_output=True, text=True
    )
    assert 'relay_translations_total{state="translated"} 4.0' in shown.stdout.splitlines()
