"""Looking for a person in everything a relay leaves behind: decoded rows, raw files, logs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select

from relay import jsontext
from relay.clock import ManualClock
from relay.privacy import Erasure, Person
from relay.store import Store
from relay.store.columns import PACKED
from relay.store.tables import metadata
from relay.worker.privacy import PrivacyStage
from tests.support.stored import NOW

SQLITE = "sqlite:///"
LONGEST_PACKED = 8192


def person(*addresses: str, **names: Any) -> Person:
    """Give somebody of the shop "acme" of the group "main"."""
    return Person(**{"group": "main", "shops": ("acme",), "addresses": addresses} | names)


def erasure(*addresses: str, until: datetime = NOW, thorough: bool = True, **names: Any) -> Erasure:
    """Give the wish that somebody is forgotten."""
    return Erasure(person(*addresses, **names), until, thorough)


def tidy(store: Store, folder: Path, at: datetime = NOW) -> bool:
    """Carry all privacy tasks on as far as they go; tells whether none is left."""
    stage = PrivacyStage(store, ManualClock(at), folder)
    while stage.step(at_once=True):
        pass
    return all(task.finished_at is not None for task in store.privacy.list())


def rows(url: str) -> Iterator[tuple[str, str]]:
    """Give every row of every table as (table, its decoded values as text)."""
    engine = create_engine(url)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield table.name, " ".join(map(_text, row))
    engine.dispose()


def tables_naming(url: str, *traces: str) -> set[str]:
    """Give the tables whose decoded rows hold one of the traces, whatever its case."""
    return {table for table, text in rows(url) for trace in traces if trace.casefold() in text.casefold()}


def files_naming(folder: Path, *traces: str) -> set[str]:
    """Give the names of files at or below a folder whose bytes hold one of the traces, whatever its case.

    Bytes that are packed in there count as what they hold, in places of a file that nothing points to as well.
    """
    sought = [trace.casefold().encode() for trace in traces]
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file()
        for content in _contents(file)
        if any(trace in content.lower() for trace in sought)
    }


def _contents(file: Path) -> Iterator[bytes]:
    """Give a file's bytes, then those of every packed value in it as far as they can be unpacked."""
    content = file.read_bytes()
    yield content
    at = content.find(PACKED)
    while at >= 0:
        at += len(PACKED)
        yield _unpacked(content[at : at + LONGEST_PACKED])
        at = content.find(PACKED, at)


def _unpacked(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    found = b""
    with suppress(zlib.error):  # the rest may be overwritten
        for place in range(0, len(packed), 16):
            found += unpacking.decompress(packed[place : place + 16])
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    return jsontext.dumps(value) if isinstance(value, dict | list) else str(value)
