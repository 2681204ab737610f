"""GET /healthz, /readyz and /metrics: whether this process answers, whether the relay can do its work, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock

from flask import Blueprint, Response

from handlers.context import Relay, current_relay
from handlers.replies import reply
from relay.errors import ConfigurationError, StoreUnavailable
from relay.log import get_logger
from relay.metrics import render
from relay.store import Counts
from relay.worker.duty import Duty

_log = get_logger(__name__)

WORKER_HEARD_WITHIN_S = 30.0
"""A worker not heard of for longer is taken for gone."""

_KEPT = timedelta(seconds=1)

_NO_CONFIGURATION = "The configuration cannot be used; `flask --app app prepare` lists its faults."
_OTHER_SCHEMA = "The store's tables are not those of this version; `flask --app app prepare` brings them up to date."
_NO_WORKER = "No worker was heard of lately, so what is stored waits; `flask --app app worker` runs one."
_NOBODY_HAS = "No worker with the duty to {0} was heard of lately; `flask --app app worker --duty {0}` runs one."


class Readiness:
    """Finds out what keeps the relay from its work. A finding serves all who ask within a second.

    Load balancers and monitors ask often, and the check writes to the store.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._problems: tuple[str, ...] = ()
        self._found_at: datetime | None = None

    def problems(self, relay: Relay) -> tuple[str, ...]:
        """Give what is wrong, in words for the operator; empty when all is well."""
        with self._lock:
            now = relay.clock.now()
            # A clock that was put back must not keep a finding alive.
            if self._found_at is None or abs(now - self._found_at) >= _KEPT:
                self._problems = tuple(_problems(relay, now))
                self._found_at = now
            return self._problems


def health_blueprint(*, metrics: bool) -> Blueprint:
    """Give the routes of one app; without ``metrics`` there is no /metrics."""
    blueprint = Blueprint("health", __name__)
    readiness = Readiness()
    blueprint.add_url_rule("/healthz", view_func=healthz)
    blueprint.add_url_rule("/readyz", "readyz", lambda: _readyz(readiness))
    if metrics:
        blueprint.add_url_rule("/metrics", view_func=show_metrics)
    return blueprint


def healthz() -> Response:
    """Say that this process answers. Nothing else is looked at: a restart would not mend the store."""
    return reply(HTTPStatus.OK, success=True)


def show_metrics() -> Response:
    """Give all metrics as Prometheus reads them, those of the store as far as it can be read."""
    text, content_type = render(_counts)
    return Response(text, content_type=content_type)


def _readyz(readiness: Readiness) -> Response:
    """Say whether deliveries can be stored here and are worked on somewhere; 503 with what is wrong."""
    try:
        problems = readiness.problems(current_relay())
    except ConfigurationError as error:
        _log.error("configuration_refused", faults=[str(fault) for fault in error.faults])
        problems = (_NO_CONFIGURATION,)
    except StoreUnavailable as error:
        problems = (str(error),)
    status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    return reply(status, success=not problems, messages=problems)


def _problems(relay: Relay, now: datetime) -> list[str]:
    store = relay.store
    try:
        if not store.is_current():
            return [_OTHER_SCHEMA]
        workers = store.workers.heard_of(now, WORKER_HEARD_WITHIN_S)
        store.check_writable()
    except StoreUnavailable as error:
        return [str(error)]
    return _missing([Duty.of(worker) for worker in workers])


def _missing(duties: Sequence[Duty]) -> list[str]:
    """Tell which part of the work nobody does."""
    if not duties:
        return [_NO_WORKER]
    done = {
        Duty.TRANSLATE: any(duty.translates for duty in duties),
        Duty.DISPATCH: any(duty.dispatches for duty in duties),
    }
    return [_NOBODY_HAS.format(duty.value) for duty, is_done in done.items() if not is_done]


def _counts() -> Counts:
    return current_relay().store.reading.counts()
