"""Reading a request's body as it came, under a size limit, and as JSON."""

from __future__ import annotations

import re
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from relay import jsontext
from relay.errors import BodyEncodingRefused, BodyTooLarge, RequestMalformed

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def raw_body(max_bytes: int) -> bytes:
    """Give the body's bytes, chunked or not, untouched: a signature may have to fit them.

    Raises: BodyEncodingRefused for a compressed body, BodyTooLarge as soon as it is longer than ``max_bytes``.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise BodyEncodingRefused
    # One byte more than allowed: werkzeug cuts a chunked body at its limit without a word.
    request.max_content_length = max_bytes + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise BodyTooLarge from None
    if len(body) > max_bytes:
        raise BodyTooLarge
    return body


def parsed(body: bytes) -> Any:
    """Read a body as JSON without floats; raises RequestMalformed.

    Half a surrogate pair, which JSON can spell, is refused too: no text that has one can be stored or sent.
    """
    try:
        value = jsontext.loads(body)
        broken = _SURROGATE.search(body) is not None and jsontext.has_half_pairs(value)
    except (ValueError, RecursionError):
        raise RequestMalformed from None
    if broken:
        raise RequestMalformed
    return value
