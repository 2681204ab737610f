"""Lease tokens: whose work a claimed row is. Whatever is written about it later has to name the same token."""

from __future__ import annotations

from uuid import uuid4

_SEPARATOR = "/"


def lease_token(holder: str) -> str:
    """Give a token nobody has had before, which tells whose it is."""
    return f"{holder}{_SEPARATOR}{uuid4().hex}"


def held_by(holder: str) -> str:
    """Give the pattern (of LIKE) that all tokens of a holder match, with ``!`` as its escape."""
    escaped = holder.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"{escaped}{_SEPARATOR}%"
