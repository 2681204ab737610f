"""What logs and metrics say about an attempt."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache

from relay.commands import Verdict
from relay.log import get_logger
from relay.metrics import ATTEMPT_SECONDS, ATTEMPTS
from relay.worker.sending import Report

log = get_logger(__name__)

# Looked up by their labels once: there are few of them.
_seconds = cache(ATTEMPT_SECONDS.labels)
_number = cache(ATTEMPTS.labels)

_LINES: Mapping[Verdict, tuple[int, str]] = {
    Verdict.DONE: (logging.INFO, "command_done"),
    Verdict.RELEASED: (logging.INFO, "command_released"),
    Verdict.SUPERSEDED: (logging.INFO, "command_superseded"),
    Verdict.RETRY: (logging.WARNING, "command_put_off"),
    Verdict.UNCERTAIN: (logging.ERROR, "command_uncertain"),
    Verdict.DEAD: (logging.ERROR, "command_dead"),
}


def tell(report: Report) -> None:
    """Count an attempt's outcomes and write one line for each."""
    first = report.outcomes[0].command
    if report.seconds is not None:
        _seconds(first.group, first.kind.value).observe(report.seconds)
    for outcome in report.outcomes:
        command, verdict = outcome.command, outcome.verdict
        _number(command.group, command.kind.value, verdict.value).inc()
        level, slug = _LINES[verdict]
        log.log(
            level,
            slug,
            command=command.id,
            delivery=command.delivery_id,
            group=command.group,
            kind=command.kind.value,
            attempt=command.attempts + 1,
            status=outcome.status,
            duration_ms=outcome.duration_ms,
            message=outcome.message,
        )
