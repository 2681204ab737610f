"""Errors become answers: each class its status, all of them one JSON shape. The only place that catches everything."""

from __future__ import annotations

import math
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from handlers.context import request_id
from handlers.replies import reply
from relay.errors import (
    CommandRefused,
    ConfigurationError,
    CredentialsRefused,
    DispatchError,
    KeyInvalid,
    Refused,
    RequestInvalid,
    StoreUnavailable,
    TranslationError,
)
from relay.log import get_logger
from relay.metrics import REFUSALS
from schemas.api_answers import problem

_log = get_logger(__name__)

_UNEXPECTED = "Something went wrong in the relay; its log has the details under this requestId."
_NOT_CONFIGURED = "The relay's configuration cannot be used right now; nothing was stored, so send it again."
_MENDING_S = "60"
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


def install(app: Flask) -> None:
    """Have every error of ``app`` answered in the shape of the REST API."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(ConfigurationError, _not_configured)
    app.register_error_handler(TranslationError, _not_translatable)
    app.register_error_handler(DispatchError, _not_dispatched)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: Refused) -> Response:
    REFUSALS.labels(type(error).__name__).inc()
    if isinstance(error, RequestInvalid):
        return _invalid(error)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, KeyInvalid) else None
    return reply(error.status, success=False, messages=[str(error)], headers=headers)


def _invalid(error: RequestInvalid) -> Response:
    """Tell the faults three times over: as text for people, by path, and by item and field as a 200 tells them."""
    told = [f"{path}: {message}" for path, messages in error.fields.items() for message in messages]
    problems = [problem(text) for text in told]
    return reply(error.status, success=False, messages=told, fields=error.fields, problems=problems)


def _store_unavailable(error: StoreUnavailable) -> Response:
    REFUSALS.labels(type(error).__name__).inc()
    headers = {"Retry-After": str(error.retry_after_s)}
    return reply(HTTPStatus.SERVICE_UNAVAILABLE, success=False, messages=[str(error)], headers=headers)


def _not_configured(error: ConfigurationError) -> Response:
    """Answer while a file that was broken under a running server is mended; its faults are for the log alone."""
    _log.error("configuration_refused", faults=[str(fault) for fault in error.faults])
    REFUSALS.labels(type(error).__name__).inc()
    headers = {"Retry-After": _MENDING_S}
    return reply(HTTPStatus.SERVICE_UNAVAILABLE, success=False, messages=[_NOT_CONFIGURED], headers=headers)


def _not_translatable(error: TranslationError) -> Response:
    return reply(HTTPStatus.UNPROCESSABLE_ENTITY, success=False, messages=[str(error)])


def _not_dispatched(error: DispatchError) -> Response:
    """Answer for SALESmanago: 504 when a repeat may help, 502 when it refused."""
    refused = isinstance(error, CommandRefused | CredentialsRefused)
    status = HTTPStatus.BAD_GATEWAY if refused else HTTPStatus.GATEWAY_TIMEOUT
    headers = {} if error.retry_after_s is None else {"Retry-After": str(math.ceil(error.retry_after_s))}
    return reply(status, success=False, messages=[str(error)], headers=headers)


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error  # a redirect, or an answer somebody made already
    given = error.get_response().headers
    headers = {name: given[name] for name in _KEPT_HEADERS if name in given}
    return reply(error.code, success=False, messages=[error.description or error.name], headers=headers)


def _unexpected(error: Exception) -> Response:
    _log.error("request_failed", exc_info=error, request_id=request_id(), endpoint=request.endpoint)
    return reply(HTTPStatus.INTERNAL_SERVER_ERROR, success=False, messages=[_UNEXPECTED])
