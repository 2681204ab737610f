"""Time, passed in wherever it matters, so that tests move it instead of sleeping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """Give the current time as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the current time as an aware UTC datetime."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Give the time the clock was last moved to."""
        return self._at

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds``."""
        self._at += timedelta(seconds=seconds)


def epoch_ms(moment: datetime) -> int:
    """Give ``moment`` (aware) as milliseconds since 1970, the form SALESmanago's v2 API takes."""
    return round(moment.timestamp() * 1000)


def iso(moment: datetime | None) -> str | None:
    """Give ``moment`` as ISO 8601 in UTC with a Z, or None."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
