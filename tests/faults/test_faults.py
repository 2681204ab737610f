"""The short form of `make faults`: everything is killed in turn under load, and nothing is lost or sent twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.running import POSTGRESQL, SQLITE, Plan, run

pytestmark = [pytest.mark.road, pytest.mark.xdist_group("road"), pytest.mark.timeout(300)]

# As short a lease as the settings take, since what a killed worker had begun waits for its end.
SHORT = Plan(
    engine=SQLITE,
    kills=6,
    deliveries=300,
    seed=7,
    rate=40,
    longest_s=60,
    telling=0.4,
    gap_s=0.3,
    oddity_every_s=2,
    pausing=0,
    send_timeout_s=1,
    lease_s=11,
    stuck_after_s=40,
)


@pytest.mark.parametrize(
    "plan",
    [SHORT, pytest.param(replace(SHORT, engine=POSTGRESQL, kills=10), marks=pytest.mark.postgres)],
    ids=lambda plan: plan.engine,
)
def test_nothing_is_lost_or_sent_twice_whatever_is_killed(
    tmp_path: Path, plan: Plan, request: pytest.FixtureRequest
) -> None:
    if plan.engine == POSTGRESQL:
        request.getfixturevalue("postgres_server")  # skips, or fails, where there are no programs of a server
    result = run(plan, tmp_path)
    assert result.violations == [], result.table()
    assert len(result.chaos.kills) >= plan.kills
    assert len(result.books.acknowledged) >= plan.deliveries
    assert {kill.kind for kill in result.chaos.kills} == set(result.chaos.kinds)
