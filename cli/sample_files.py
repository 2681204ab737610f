"""The samples: bodies of each platform under tests/samples, whose names tell their topic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from relay.hints import listed, nearest
from relay.platforms import Platform
from relay.settings import HOME

FOLDER = HOME / "tests" / "samples"

DEMO_LIVES: Mapping[str, tuple[str, ...]] = {
    "shopify": (
        "products_create__variants-2026",
        "checkouts_create__known-buyer-2025",
        "orders_create__three-lines-2025",
        "orders_updated__three-lines-refunded-2025",
        "customers_create__short-lived-2026",
        "customers_delete__short-lived-2026",
    ),
    "woocommerce": (
        "product_created__simple-on-sale-v3",
        "order_updated__checkout-draft-v3",
        "order_created__draft-paid-v3",
        "order_updated__draft-partial-refund-v3",
        "customer_created__empty-names-v3",
        "customer_deleted__id",
    ),
}
"""Platform -> the samples that tell one story, in their order; the README beside the samples says what each shows."""

_NO_LETTER = re.compile(r"[^a-z]")


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample. ``topic`` is None when its name tells none that the platform knows."""

    platform: str
    name: str
    path: Path
    topic: str | None


def samples_of(platform: Platform, folder: Path = FOLDER) -> list[Sample]:
    """Give a platform's samples by name; none where there is no folder of them."""
    paths = sorted((folder / platform.name).glob("*__*.json"))
    return [Sample(platform.name, path.stem, path, topic_of(path.stem, platform)) for path in paths]


def topic_of(name: str, platform: Platform) -> str | None:
    """Give the topic that a sample's name begins with: ``orders_create__two-lines`` is ``orders/create``."""
    spelt = {_NO_LETTER.sub("_", topic): topic for topic in (*platform.ignored, *platform.topics)}
    return spelt.get(_NO_LETTER.sub("_", name.partition("__")[0].lower()))


def find_sample(given: str, platform: Platform, folder: Path = FOLDER) -> Sample:
    """Give the sample at a path or of a name; raises LookupError that says which there are."""
    path = Path(given)
    if path.is_file():
        return Sample(platform.name, path.stem, path, topic_of(path.stem, platform))
    known = {sample.name: sample for sample in samples_of(platform, folder)}
    name = given.removesuffix(".json")
    if name in known:
        return known[name]
    hint = nearest(name, known) or "; `flask --app app samples list` shows them"
    raise LookupError(f"There is no file {given} and no {platform.name} sample of that name{hint}.")


def demo_life(platform: Platform, folder: Path = FOLDER) -> list[Sample]:
    """Give the samples that a demo shop sends: its listed life, or everything whose topic is known.

    Raises: LookupError when there are none, or when one that is listed is missing.
    """
    known = {sample.name: sample for sample in samples_of(platform, folder)}
    if not known:
        raise LookupError(f"There are no {platform.name} samples in {folder}; run this in the project's folder.")
    names = DEMO_LIVES.get(platform.name) or [name for name, sample in known.items() if sample.topic in platform.topics]
    if missing := [name for name in names if name not in known]:
        raise LookupError(f"These samples are missing in {folder / platform.name}: {listed(missing)}.")
    return [known[name] for name in names]
