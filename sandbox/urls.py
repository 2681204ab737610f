"""Which URLs SALESmanago's catalogue takes: those of Apache Commons' UrlValidator with its defaults."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEMES = frozenset({"http", "https", "ftp"})
_HOST = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+([A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]|[0-9]{1,3})")
# Letters beyond ASCII have to be percent-encoded; that is what Apache's own pattern asks for.
_PATH = re.compile(r"(/[-A-Za-z0-9:@&?=+,.!/~*'%$_;()]*)?")
_REST = re.compile(r"[^\s\"<>\\^`{|}]*")


def is_url(value: str) -> bool:
    """Tell whether the catalogue would take ``value``: a full host name, no blanks, no double slash in the path."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme.lower() in _SCHEMES
        and _REST.fullmatch(value) is not None
        and _HOST.fullmatch(host) is not None
        and _PATH.fullmatch(parts.path) is not None
        and "//" not in parts.path
    )
