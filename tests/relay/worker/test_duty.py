from __future__ import annotations

import pytest

from relay.worker.duty import Duty, duties


@pytest.mark.parametrize(
    ("processes", "shares"),
    [
        (1, [Duty.ALL]),
        (2, [Duty.TRANSLATE, Duty.DISPATCH]),
        (3, [Duty.TRANSLATE, Duty.DISPATCH, Duty.TRANSLATE]),
    ],
)
def test_whoever_is_there_does_all_the_work_together(processes, shares):
    assert duties(processes) == shares


@pytest.mark.parametrize("duty", Duty)
def test_name_of_a_worker_tells_its_duty(duty):
    assert Duty.of(f"web-1:77:0a1b2c3d-{duty.value}") is duty


def test_worker_whose_name_tells_no_duty_does_everything():
    assert Duty.of("web-1:77:0a1b2c3d") is Duty.ALL
