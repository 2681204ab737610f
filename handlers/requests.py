"""GET /requests/<id>: what became of a REST write."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from flask_smorest import Blueprint

from handlers.auth import authenticated
from handlers.context import current_relay
from handlers.openapi import endpoint
from handlers.submission import outcome_of_request
from schemas.api_answers import AnswerSchema

blueprint = Blueprint("requests", __name__, description="What became of a write that was answered 202.")

_ERRORS = {
    HTTPStatus.ACCEPTED: "Stored; not yet answered by SALESmanago.",
    HTTPStatus.NOT_FOUND: "This key's group has no such request.",
}


@endpoint(blueprint, "GET", "/requests/<sought>", AnswerSchema, _ERRORS)
def request_outcome(sought: str) -> Response:
    """Tell what became of a request.

    The id is the `requestId` of its answer. While SALESmanago has not answered, this answers 202 too.
    """
    relay = current_relay()
    return outcome_of_request(relay, authenticated(relay.directory), sought)
