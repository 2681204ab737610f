"""How long a feed of 100,000 products takes, and that it never stands in memory as a whole.

    python -m benchmarks.feed [--items 100000]

A real gunicorn with one web process serves it from SQLite; its resident memory is read before, during and after. A flat
feed costs the same memory at any number of products: compare two runs.
"""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import requests

from benchmarks.machine import machine
from benchmarks.serving import scratch
from relay.deliveries import DeliveryState, NewDelivery, Translation
from relay.memory import CatalogItem
from tests.support.road import FEED_TOKEN, Road, running_road

_LOCATION = "nordljus_shop"
_BATCH = 1000
_MIB = 1024 * 1024
_DESCRIPTION = "Woven in small numbers from the wool of one valley; each one is a little different. " * 8


@dataclass
class Peak:
    """The most memory seen, in MiB."""

    rss: float = 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=100_000)
    given = parser.parse_args()
    print(machine())
    with scratch() as folder, running_road(folder, started=False, web_processes="1") as road:
        _fill(road, given.items)
        road.start()
        fetch(road, compressed=True, at_most=1)  # everything is imported now
        print(f"{given.items:,} items; resident memory of gunicorn {rss(road):.1f} MiB before")
        for compressed in (False, True, False, True):
            with watched(road) as peak:
                seconds, sent, whole = fetch(road, compressed)
            print(
                f"{'gzip ' if compressed else 'plain'}: {seconds:5.1f} s,"
                f" {sent / _MIB:6.1f} MiB sent of {whole / _MIB:6.1f};"
                f" memory {peak.rss:.1f} MiB at most during, {rss(road):.1f} after"
            )


def _fill(road: Road, items: int) -> None:
    with road.store() as store:
        store.migrate()
        for first in range(0, items, _BATCH):
            batch = tuple(_item(number) for number in range(first, min(first + _BATCH, items)))
            new = NewDelivery("api", "main", None, "products", f"fill-{first}", {}, b"{}", datetime.now(UTC))
            store.deliveries.record(new, Translation(DeliveryState.TRANSLATED, items=batch))


def _item(number: int) -> CatalogItem:
    fields = {
        "id": str(number),
        "name": f"Blanket {number} & more",
        "description": _DESCRIPTION,
        "category": "Home",
        "brand": "Example",
        "price": Decimal("129.90"),
        "special_price": Decimal("99.90"),
        "url": f"https://shop.example/products/blanket-{number}",
        "image_url": f"https://shop.example/images/{number}.jpg",
        "stock_available": number % 50,
    }
    return CatalogItem("main", _LOCATION, str(number), None, None, fields, True)


def fetch(road: Road, compressed: bool, at_most: int | None = None) -> tuple[float, int, int]:
    """Read the feed as it comes, or its first piece; gives the seconds, the bytes sent, and those of the XML."""
    url = f"{road.url}/feeds/main.xml"
    headers = {"Accept-Encoding": "gzip" if compressed else "identity"}
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if compressed else None
    started, sent, whole = time.monotonic(), 0, 0
    with requests.get(url, params={"token": FEED_TOKEN}, headers=headers, stream=True, timeout=600) as answer:
        answer.raise_for_status()
        for number, piece in enumerate(answer.raw.stream(65_536, decode_content=False), start=1):
            sent += len(piece)
            whole += len(unpack.decompress(piece)) if unpack else len(piece)
            if number == at_most:
                break
    return time.monotonic() - started, sent, whole


def rss(road: Road) -> float:
    """Give the resident memory of all processes that answer requests, in MiB."""
    kilobytes = 0
    for pid in road.processes("gunicorn"):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return kilobytes / 1024


@contextmanager
def watched(road: Road) -> Iterator[Peak]:
    """Look at the memory several times a second."""
    peak, done = Peak(), threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            peak.rss = max(peak.rss, rss(road))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


if __name__ == "__main__":
    main()
