"""Webhook signatures: base64 HMAC-SHA256 over the raw bytes, several secrets, constant time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

from relay.errors import SignatureMismatch


def sign(body: bytes, secret: str) -> str:
    """Give the base64 signature a shop would send for ``body``."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode("ascii")


def verify_hmac(body: bytes, given: str | None, secrets: Iterable[str]) -> None:
    """Check that ``given`` (base64 of 32 bytes) signs ``body`` with one of ``secrets``.

    Every secret is tried whatever came before, so that the time taken does not tell which one matched.

    Raises: SignatureMismatch when it is missing, malformed or wrong. An empty secret never matches: anyone can sign
    with it.
    """
    if not given:
        raise SignatureMismatch("The signature header is missing.")
    try:
        digest = base64.b64decode(given.strip().encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise SignatureMismatch("The signature header is not base64.") from None
    if len(digest) != hashlib.sha256().digest_size:
        raise SignatureMismatch("The signature header has the wrong length.")
    matched = False
    for secret in secrets:
        if secret:
            matched |= hmac.compare_digest(hmac.digest(secret.encode(), body, "sha256"), digest)
    if not matched:
        raise SignatureMismatch("The signature matches none of the shop's secrets.")
