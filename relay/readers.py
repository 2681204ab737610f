"""Readers of single values out of text: what a setting may hold, and what to say when it does not."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECRET_IN_URL = re.compile(r"(?<=://)([^/@:]*):.*(?=@)|(?i:(?<=[?&])((?:ssl)?password)=[^&]*)")
_DATABASE = re.compile(r"(.*@)?[^/?]*/[^/?]+.*")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: ``words`` complete "it must be ...", ``read`` raises ValueError saying what is wrong."""

    words: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """The address as the start of a URL, without a slash at the end."""
        return f"http://{self}"


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name or IP address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def masked_url(url: str) -> str:
    """Hide the passwords of a database URL; other texts come back unchanged."""
    return _SECRET_IN_URL.sub(lambda found: f"{found[1]}:***" if found[2] is None else f"{found[2]}=***", url)


def whole(least: int, most: int | None = None) -> Kind:
    """Give the kind of whole numbers from ``least`` to ``most``."""
    words = f"a whole number from {least} to {most}" if most is not None else f"a whole number from {least} up"

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text):
            raise ValueError(f'"{text}" is no whole number')
        _require_within(int(text), least, most)
        return int(text)

    return Kind(words, read)


def seconds(least: float, most: float) -> Kind:
    """Give the kind of seconds from ``least`` to ``most``; fractions are allowed."""

    def read(text: str) -> float:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
            raise ValueError(f'"{text}" is no number of seconds')
        _require_within(float(text), least, most)
        return float(text)

    return Kind(f"a number of seconds from {least:g} to {most:g}", read)


def _require_within(number: float, least: float, most: float | None) -> None:
    if number < least or (most is not None and number > most):
        raise ValueError(f"{number:g} is out of range")


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(f'"{text}" is neither')
    return text == "on"


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError(f'"{text}" is no address')
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _database_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return text
    # A bare postgresql:// leaves the choice of driver to the library's version; the one we ship is psycopg 3.
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and _DATABASE.fullmatch(rest):
        return f"postgresql+psycopg://{rest}"
    raise ValueError("neither a SQLite file nor a PostgreSQL database")


def _log_level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError(f'"{text}" is no level')
    return text.lower()


# Absolute from the start, so that the processes started later agree whatever folder they run in.
PATH = Kind("a path", lambda text: Path(text).expanduser().absolute())
SWITCH = Kind("on or off", _switch)
ADDRESS = Kind("host:port", _address)
DATABASE_URL = Kind("sqlite:///path or postgresql://user:password@host/name", _database_url)
LOG_LEVEL = Kind("debug, info, warning or error", _log_level)
