"""API keys: which group a REST call may work on."""

from __future__ import annotations

import hashlib
import hmac

from flask import request

from relay.errors import KeyForbidden, KeyInvalid
from relay.shops import Directory, Group

KEY_HEADER = "X-API-Key"
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", KEY_HEADER.lower()})
"""Headers that are never stored, in lower case."""

_SCHEME = "bearer"


def authenticated(directory: Directory) -> Group:
    """Give the group that this request's key opens; raises KeyInvalid."""
    return group_of_key(directory, _given_key())


def group_of_key(directory: Directory, given: str) -> Group:
    """Give the group that a key opens; raises KeyInvalid.

    Digests are compared, all of them whatever came before, so that the time taken tells neither how much of a key
    was right nor whose it is.
    """
    digest = secret_digest(given)
    found: Group | None = None
    for group in directory.groups.values():
        for key in group.api_keys:
            if hmac.compare_digest(secret_digest(key), digest) and key:
                found = group
    if found is None:
        raise KeyInvalid
    return found


def check_group_key(group: Group, named: str | None) -> None:
    """Raise KeyForbidden unless ``named``, the group_key of a request, is that of the key's own group or left out."""
    if named is not None and named != group.key:
        raise KeyForbidden


def _given_key() -> str:
    key = request.headers.get(KEY_HEADER)
    if key is not None:
        return key.strip()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == _SCHEME else ""


def secret_digest(key: str) -> bytes:
    """Give what stands for a secret where it is compared, so that the time taken tells nothing of its length."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
