"""What has come in on a connection: whether it is a webhook that can be answered at once."""

from __future__ import annotations

import re
from enum import Enum

MOST_BYTES = 65_536
"""What a webhook may have to be answered without a thread, its head included. Shops' have 5 to 20 KB."""

_END_OF_HEAD = b"\r\n\r\n"
_WEBHOOK = b"POST /webhooks/"
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_WAITS_FOR_US = b"\r\nexpect:"


class Arrived(Enum):
    """How much of a request has come in."""

    WEBHOOK = "webhook"  # a small one, whole
    PART = "part"  # what may become one
    OTHER = "other"  # anything else


def arrived(data: bytes) -> Arrived:
    """Tell what ``data``, all that has come of a request, is.

    This only sorts. What a request says is for gunicorn's parser to find, and it reads the same bytes afterwards.
    """
    if not data.startswith(_WEBHOOK[: len(data)]) or len(data) > MOST_BYTES:
        return Arrived.OTHER
    end = data.find(_END_OF_HEAD)
    if end < 0:
        return Arrived.PART
    length = _LENGTH.search(data, 0, end + 2)
    if length is None or _WAITS_FOR_US in data[:end].lower():
        return Arrived.OTHER
    whole = end + len(_END_OF_HEAD) + int(length[1])
    if len(data) < whole <= MOST_BYTES:
        return Arrived.PART
    return Arrived.WEBHOOK if len(data) == whole else Arrived.OTHER
