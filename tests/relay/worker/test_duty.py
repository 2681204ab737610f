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
