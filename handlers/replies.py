"""The one shape of every JSON answer: success, messages, requestId, and what else is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response

from handlers.context import request_id
from relay import jsontext


def reply(
    status: int,
    *,
    success: bool,
    messages: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Answer with the common keys and ``more``; numbers are written digit for digit."""
    body = {"success": success, "messages": list(messages), "requestId": request_id(), **more}
    return json_response(status, jsontext.dumps(body), headers)


def json_response(status: int, text: str | bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON that is written already. No cache may keep it: it is about people."""
    return Response(text, status, {"Cache-Control": "no-store", **(headers or {})}, mimetype="application/json")
