"""The same road on PostgreSQL: one host's web processes and two workers share it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.road import ROOT, SHOPIFY, WOOCOMMERCE, running_road, samples_of, wait_for

pytestmark = [pytest.mark.road, pytest.mark.postgres, pytest.mark.xdist_group("road")]


def test_deliveries_of_both_platforms_reach_salesmanago_through_postgresql(tmp_path: Path, postgres_url: str):
    with running_road(tmp_path, database_url=postgres_url) as road:
        second = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "worker"], cwd=ROOT, env=road.environment
        )
        try:
            wait_for(lambda: len(road.processes("--app app worker")) == 3, "a third worker")
            [(_, order)] = samples_of("shopify", ["orders_create__three-lines-2025"])
            [(_, paid)] = samples_of("woocommerce", ["order_created__draft-paid-v3"])
            for number in range(5):
                assert road.send(SHOPIFY, "orders/create", order, f"shopify-{number}").json()["status"] == "stored"
                assert road.send(WOOCOMMERCE, "order.created", paid, f"woo-{number}").json()["status"] == "stored"
            road.wait_until_idle()
        finally:
            second.terminate()
            second.wait(40)
        told = sorted((event["contactExtEventType"], event["externalId"], event["value"]) for event in road.events())
    assert told == [("PURCHASE", "1520", 62.2), ("PURCHASE", "6100000000001", 239.33)]
