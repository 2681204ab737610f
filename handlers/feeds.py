"""The XML product feed SALESmanago fetches: GET /feeds/<group>.xml?token=..., streamed whatever its size."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Iterable, Iterator
from datetime import timedelta

from flask import Blueprint, Response, request

from handlers.auth import secret_digest
from handlers.context import current_relay
from handlers.feed_xml import feed_xml
from relay.clock import iso
from relay.errors import FeedNotFound
from relay.memory import CatalogItem
from relay.shops import Directory, Group
from relay.store import Store

blueprint = Blueprint("feeds", __name__)

_FORMAT = "1"  # goes into the ETag: to be raised whenever the same items would be written differently
_CHUNK_BYTES = 32 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_SECOND = timedelta(seconds=1)


class _Streamed(Response):
    """A response whose length is not known before its end: werkzeug would read it all into memory to count it."""

    automatically_set_content_length = False
    implicit_sequence_conversion = False


@blueprint.get("/feeds/<group>.xml")
def feed(group: str) -> Response:
    """Give a group's product feed: of its own e-shop, or of another one of its shops with ``?location=``."""
    relay = current_relay()
    location = feed_location(relay.directory, group, request.args.get("token", ""), request.args.get("location"))
    count, changed_at = relay.store.items.version(group, location)
    compressed = request.accept_encodings.quality("gzip") > 0
    # Nothing is read before the first piece is asked for, which a HEAD or a 304 never does.
    chunks = _chunked(feed_xml(_items(relay.store, group, location)))
    response = _Streamed(_gzipped(chunks) if compressed else chunks, mimetype="application/xml")
    if compressed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(_etag(group, location, count, iso(changed_at), compressed), weak=True)
    # A time in whole seconds cannot tell two changes of one second apart, so a change that fresh is not dated yet.
    if changed_at is not None and relay.clock.now() - changed_at > _SECOND:
        response.last_modified = changed_at
    response.make_conditional(request)
    return response


def feed_location(directory: Directory, group_key: str, token: str, location: str | None) -> str:
    """Give the e-shop whose feed is asked for; raises FeedNotFound, whatever it is that does not fit."""
    group = directory.groups.get(group_key)
    expected = (group.feed_token if group else None) or ""
    known = hmac.compare_digest(secret_digest(token), secret_digest(expected)) and bool(expected)
    if group is None or not known or "feed" not in group.products:
        raise FeedNotFound
    if location is not None and location not in _locations(directory, group):
        raise FeedNotFound
    return location or group.location


def _locations(directory: Directory, group: Group) -> set[str]:
    return {group.location, *(shop.location for shop in directory.shops.values() if shop.group == group.key)}


def _items(store: Store, group: str, location: str) -> Iterator[CatalogItem]:
    yield from store.items.stream(group, location)


def _etag(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, (_FORMAT, *parts))).encode()).hexdigest()[:32]


def _chunked(texts: Iterable[str]) -> Iterator[bytes]:
    """Gather small texts into chunks worth sending."""
    chunk = bytearray()
    for text in texts:
        chunk += text.encode()
        if len(chunk) >= _CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)


def _gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
