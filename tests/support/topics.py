"""The topics the relay knows, as a page. To renew it: ``python -m tests.support.topics > docs/topics.md``."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from pathlib import Path

from handlers import discover_platforms
from relay.platforms import Platform, Topic

PAGE = Path(__file__).resolve().parents[2] / "docs" / "topics.md"

READ_AS = {
    "Order": "an order: its buyer, its purchase, returns and cancellation",
    "Cart": "a checkout in progress: its buyer, and a cart",
    "Customer": "an account: a contact",
    "Product": "a product: for the feed and the catalogue",
    "Deletion": "a deletion",
    "Piece": "a part of an order, put into it whichever arrives first",
    "ConsentChange": "what an account agrees to or refuses",
    "TagChange": "tags an account was given or lost",
    "AccountMerge": "two accounts that are one from now on",
    "StockChange": "a count of stock at one place",
    "DataRequest": "somebody's question what is stored about them",
    "CustomerRedaction": "somebody's wish to be forgotten",
    "ShopRedaction": "the end of a shop, and of all it has sent",
}
"""What the page says of each kind of record that is more than an error body."""

_OPENING = """# Topics

What becomes of each webhook topic. Register those you want to use; a topic that is ignored does no harm, and one that
is in neither table is stored, shown as `topic-unknown` and otherwise left alone. Every delivery is answered with 200.

This page is made from the platforms' own tables by `python -m tests.support.topics > docs/topics.md`; a test tells when
it is out of date.
"""


def page() -> str:
    """Give the whole page."""
    return "\n".join([_OPENING, *(line for platform in discover_platforms().values() for line in _chapter(platform))])


def records_of(topic: Topic) -> set[str]:
    """Give the names of the records that a topic's reader gives, errors in place of a body left out."""
    given = typing.get_type_hints(topic.read)["return"]
    return {record.__name__ for record in typing.get_args(given) or (given,)} - {"PlatformError"}


def _chapter(platform: Platform) -> Iterator[str]:
    yield f"## {platform.name}\n"
    yield "| topic | about | read as |\n| --- | --- | --- |"
    for name, topic in platform.topics.items():
        yield f"| `{name}` | {topic.kind} | {'; '.join(READ_AS[record] for record in sorted(records_of(topic)))} |"
    yield "\n| ignored topic | because |\n| --- | --- |"
    for name, reason in platform.ignored.items():
        yield f"| `{name}` | {reason} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
