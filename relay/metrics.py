"""Prometheus metrics: what arrived, what was refused, what became of it, and what waits.

Counters and histograms add up over all processes of this machine through the files in PROMETHEUS_MULTIPROC_DIR; set it
before this module is imported. What waits is read from the store when it is asked for, so it is true for all machines.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from relay.errors import StoreUnavailable
from relay.platforms import Platform

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_REGISTRY = CollectorRegistry()
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

DELIVERIES = Counter(
    "relay_deliveries",
    "Deliveries answered 2xx, by what was done with them.",
    ["shop", "topic", "outcome"],
    registry=_REGISTRY,
)
REFUSALS = Counter("relay_refusals", "Requests refused before anything was stored.", ["reason"], registry=_REGISTRY)
TRANSLATIONS = Counter(
    "relay_translations", "Deliveries translated, by the state they ended in.", ["state"], registry=_REGISTRY
)
ATTEMPTS = Counter(
    "relay_attempts", "Attempts at commands, by how they ended.", ["group", "kind", "verdict"], registry=_REGISTRY
)
ATTEMPT_SECONDS = Histogram(
    "relay_attempt_seconds",
    "How long SALESmanago took to answer.",
    ["group", "kind"],
    buckets=_SLOW,
    registry=_REGISTRY,
)
WEBHOOK_SECONDS = Histogram(
    "relay_webhook_seconds", "How long a webhook waited for its answer.", buckets=_FAST, registry=_REGISTRY
)
WORKERS_LOST = Counter(
    "relay_workers_lost",
    "Workers whose work another took over, because nothing was heard of them.",
    registry=_REGISTRY,
)


class QueueCounts(Protocol):
    """What the store counts when it is asked."""

    @property
    def deliveries(self) -> Mapping[str, int]:
        """Open and dead deliveries by state."""
        ...

    @property
    def commands(self) -> Mapping[tuple[str, str], int]:
        """Open, uncertain and dead commands by (group, state)."""
        ...


def topic_label(platform: Platform, topic: str) -> str:
    """Give the topic where the platform declares it, else ``other``: what strangers send must not make new series."""
    return topic if topic in platform.topics or topic in platform.ignored else "other"


def render(counts: Callable[[], QueueCounts]) -> tuple[bytes, str]:
    """Give all metrics in Prometheus' text format, and its content type; ``counts`` reads the store."""
    registry = CollectorRegistry()
    registry.register(_Queue(counts))
    return generate_latest(_processes()) + generate_latest(registry), CONTENT_TYPE_LATEST


def _processes() -> CollectorRegistry:
    if DIRECTORY_VARIABLE not in os.environ:
        return _REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


class _Queue(Collector):
    """Reads the store; when it cannot be read the other metrics must still come, with a gauge that says so."""

    def __init__(self, counts: Callable[[], QueueCounts]) -> None:
        self._counts = counts

    def describe(self) -> Iterable[Metric]:
        """Give nothing, so that registering does not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give the gauges of what waits in the store."""
        try:
            counts = self._counts()
        except StoreUnavailable:
            yield GaugeMetricFamily("relay_store_readable", "Whether the store could be read.", value=0)
            return
        yield GaugeMetricFamily("relay_store_readable", "Whether the store could be read.", value=1)
        deliveries = GaugeMetricFamily("relay_queue_deliveries", "Deliveries that are open or dead.", labels=["state"])
        for state, number in counts.deliveries.items():
            deliveries.add_metric([state], number)
        yield deliveries
        commands = GaugeMetricFamily(
            "relay_queue_commands", "Commands that are open, uncertain or dead.", labels=["group", "state"]
        )
        for (group, state), number in counts.commands.items():
            commands.add_metric([group, state], number)
        yield commands
