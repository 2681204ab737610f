"""Which of two bodies of one resource is newer, and what both say together.

Deliveries repeat, overtake each other and lack fields. What is remembered of a resource is therefore the same whatever
their order: for each key of the body the value that the newest body having that key gave it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from relay import jsontext
from relay.memory import Resource
from schemas.values import as_text

Version: TypeAlias = list[Any]
"""How new a body is, as JSON: [microseconds since 1970, ranks ..., digest of the body]; compared from the left.

The ranks decide between bodies of one second (shops count in seconds), the digest where these are equal too: then
neither is righter, but everybody has to choose the same.
"""

Digest: TypeAlias = Callable[[Mapping[str, Any]], str]
"""What gives a body's digest: ``jsontext.digest``, or one that remembers what it gave."""

Parsed: TypeAlias = Callable[[bytes], dict[str, Any]]
"""What gives a resource's body as an object: ``jsontext.loads``, or one that remembers what it gave."""

STAMPS = "stamps"
VERSION = "version"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Merged:
    """A resource's body as all bodies seen so far make it, with what ``facts`` keep for the next merge."""

    body: dict[str, Any]
    version: Version
    stamps: dict[str, Version]  # of the keys that the newest body lacks
    is_newest: bool  # whether the body just merged is the newest of all

    def facts(self) -> dict[str, Any]:
        """Give what has to stand in the resource's facts."""
        return {VERSION: self.version, STAMPS: self.stamps}


def version_of(
    at: datetime | None, body: Mapping[str, Any], ranks: Sequence[int] = (), digest: Digest = jsontext.digest
) -> Version:
    """Give the version of a body that was last changed at ``at``."""
    return [microseconds(at) if at else 0, *ranks, digest(body)]


def merged(
    known: Resource | None, body: Mapping[str, Any], version: Version, parsed: Parsed = jsontext.loads
) -> Merged:
    """Put a body beside what is remembered."""
    if known is None or known.body is None:
        return Merged(dict(body), version, {}, is_newest=True)
    kept: dict[str, Any] = parsed(known.body)
    kept_version: Version = known.facts[VERSION]
    kept_stamps: Mapping[str, Version] = known.facts.get(STAMPS, {})
    is_newest = version >= kept_version
    newest = max(version, kept_version)
    values: dict[str, Any] = {}
    stamps: dict[str, Version] = {}
    for key in {**kept, **body}:
        stamp = kept_stamps.get(key, kept_version) if key in kept else None
        taken = key in body and (stamp is None or version >= stamp)
        values[key] = body[key] if taken else kept[key]
        stamps[key] = version if taken else stamp or kept_version
    return Merged(values, newest, {key: stamp for key, stamp in stamps.items() if stamp != newest}, is_newest)


def microseconds(moment: datetime) -> int:
    """Give an aware moment as whole microseconds since 1970, the form in which facts keep time."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(count: int) -> datetime:
    """Give back what ``microseconds`` was made of."""
    return _EPOCH + timedelta(microseconds=count)


def storable(value: Any) -> Any:
    """Give a mapped value as JSON keeps it: exact numbers and dates as their text."""
    return as_text(value) if isinstance(value, Decimal | date) else value
