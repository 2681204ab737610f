"""The REST API described: what goes into ``/openapi.json``, and the page at ``/docs`` that shows it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Response, render_template
from flask_smorest import Blueprint as ApiBlueprint
from marshmallow import Schema

from schemas.api_answers import AnswerSchema

View = TypeVar("View", bound=Callable[..., Any])

blueprint = Blueprint("docs", __name__, template_folder="templates")

_DESCRIPTION = """\
For systems that are not shops: contacts, external events and products for SALESmanago.

Send your key as `X-API-Key` or as `Authorization: Bearer`. A call is stored first and then sent: the answer is 200 with
SALESmanago's ids, or 202 when SALESmanago has not answered in time (the call is kept and goes on; `GET /requests/<id>`
tells the outcome). `Prefer: wait=N` sets the seconds to wait, `Prefer: respond-async` asks not to wait at all. With an
`Idempotency-Key` a repeat within 24 hours is given the first answer and nothing is sent twice.

Keys of `data` may be your own where the group's mapping names them; all others are the ones below.
Every address also answers under `/v1` and `/Production`.
"""

_SECURITY: list[dict[str, list[str]]] = [{"apiKey": []}, {"bearer": []}]
_KEY_ERRORS = {
    HTTPStatus.UNAUTHORIZED: "The API key is missing or unknown.",
    HTTPStatus.FORBIDDEN: "The key does not open the group named in group_key.",
}
_WRITE_ANSWERS = {
    HTTPStatus.ACCEPTED: "Stored; SALESmanago has not answered yet.",
    HTTPStatus.BAD_REQUEST: "The body is not JSON.",
    HTTPStatus.CONFLICT: "A request with this Idempotency-Key is still being worked on.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is compressed.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Fields do not fit; nothing was stored.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Nothing could be stored; send it again.",
}
_HEADERS = [
    {
        "in": "header",
        "name": "Prefer",
        "schema": {"type": "string"},
        "description": "wait=N (seconds) or respond-async.",
    },
    {
        "in": "header",
        "name": "Idempotency-Key",
        "schema": {"type": "string"},
        "description": "Any text of your own that names this request.",
    },
]


def openapi_config(version: str, *, published: bool) -> dict[str, Any]:
    """Give what ``app.config`` has to hold for flask-smorest; not ``published``, there is no /openapi.json."""
    return {
        "API_TITLE": "SALESmanago relay",
        "API_VERSION": version,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/" if published else None,
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {
            "info": {"description": _DESCRIPTION},
            "components": {
                "securitySchemes": {
                    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                    "bearer": {"type": "http", "scheme": "bearer"},
                }
            },
        },
    }


def write(
    blueprint: ApiBlueprint, method: str, rule: str, body: type[Schema], example: object
) -> Callable[[View], View]:
    """Route a view that takes ``body``, and describe it: every REST write has the same headers and answers."""
    content = {"application/json": {"schema": body, "example": example}}

    def decorate(view: View) -> View:
        described: View = blueprint.doc(requestBody={"required": True, "content": content}, parameters=_HEADERS)(view)
        return endpoint(blueprint, method, rule, AnswerSchema, _WRITE_ANSWERS)(described)

    return decorate


def endpoint(
    blueprint: ApiBlueprint, method: str, rule: str, answer: type[Schema], others: Mapping[HTTPStatus, str]
) -> Callable[[View], View]:
    """Route a view that needs an API key, and describe it: ``answer`` with a 200, and the ``others`` it may give."""

    def decorate(view: View) -> View:
        described = blueprint.response(200, answer, description="Settled; success tells how.")(view)
        for status, description in (_KEY_ERRORS | dict(others)).items():
            described = blueprint.alt_response(status.value, schema=AnswerSchema, description=description)(described)
        described = blueprint.doc(security=_SECURITY)(described)
        routed: View = blueprint.route(rule, methods=[method])(described)
        return routed

    return decorate


@blueprint.get("/docs")
def docs() -> Response:
    """Show the API on one page that needs nothing from elsewhere."""
    nonce = secrets.token_urlsafe(16)
    page = Response(render_template("docs.html", nonce=nonce))
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    page.headers["X-Content-Type-Options"] = "nosniff"
    return page
