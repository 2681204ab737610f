"""``flask mappings``: check the mapping files, and see which of their lines made which value."""

from __future__ import annotations

import os
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cli.choosing import known_shop
from cli.explaining import as_record, show_explained
from cli.sample_files import Sample, find_sample
from cli.showing import counted, json_option, show_json
from cli.telling import TellingGroup
from handlers.context import Parts, current_joint
from relay.clock import SystemClock
from relay.deliveries import Delivery
from relay.errors import ConfigurationError
from relay.settings import Settings, load_settings
from relay.shops import Shop
from relay.translation.loading import load_mappings, mapping_names

_DEFAULT = "default"  # the mapping of a group that names none


@click.group("mappings", cls=TellingGroup)
def mappings() -> None:
    """Check mapping files, and see what they make of a delivery."""


@mappings.command("check")
def check() -> None:
    """Check all mapping files.

    Those of the folder and those the configuration names, even if the rest of that is broken. Tells every fault with
    its file and key.
    """
    settings = _settings()
    names = dict.fromkeys([*mapping_names(settings.mappings), *_named(settings.config)])
    load_mappings(settings.mappings, names)
    click.echo(f"{counted(len(names), 'mapping is', 'mappings are')} fine.")


@mappings.command("explain")
@click.argument("shop")
@click.argument("sample")
@click.option("--topic", help="The topic, spelt the platform's way, where the sample's name does not begin with it.")
@json_option
def explain(shop: str, sample: str, topic: str | None, as_json: bool) -> None:
    """Show which line made which field.

    Tells what a delivery of SHOP becomes, as if it was the shop's first: every field's value and the mapping line that
    made it. Nothing is stored or sent. SAMPLE is a file with a delivery's body, or the name of a sample that
    `flask --app app samples list` shows.
    """
    joint = current_joint()
    parts = joint.parts()
    known = known_shop(shop, parts.directory)
    chosen = _sample(sample, known, parts)
    spelt = topic or chosen.topic
    if spelt is None:
        raise click.ClickException(f"The name of {chosen.path.name} does not begin with a topic; add --topic.")
    now = SystemClock().now()
    translation, explained = joint.translator().explain(_delivery(known, spelt, chosen, now), now)
    if as_json:
        show_json({"shop": shop, "topic": spelt, **as_record(translation, explained)})
    else:
        show_explained(f"{spelt} of {shop}", translation, explained)


def _settings() -> Settings:
    """Give the settings, or, where one of them is wrong, what tells where the mappings are."""
    try:
        return current_joint().settings()
    except ConfigurationError:
        return load_settings({name: text for name, text in os.environ.items() if name == "RELAY_MAPPINGS"})


def _named(config: Path | None) -> list[str]:
    """Give the mappings a configuration file names, however broken the rest of it is."""
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8")) if config else {"groups": {"demo": {}}}
    except (OSError, ValueError):
        return []
    groups, shops = (_tables(document.get(section)) for section in ("groups", "shops"))
    names = [*(table.get("mapping", _DEFAULT) for table in groups), *(table.get("mapping") for table in shops)]
    # What refers to the environment is told by whoever reads the configuration as a whole.
    return [name for name in names if isinstance(name, str) and "{{" not in name]


def _tables(section: Any) -> list[dict[str, Any]]:
    return [table for table in section.values() if isinstance(table, dict)] if isinstance(section, dict) else []


def _sample(given: str, shop: Shop, parts: Parts) -> Sample:
    try:
        return find_sample(given, parts.platforms[shop.platform])
    except LookupError as error:
        raise click.ClickException(str(error)) from error


def _delivery(shop: Shop, topic: str, sample: Sample, now: datetime) -> Delivery:
    return Delivery(
        id=0,
        platform=shop.platform,
        group=shop.group,
        shop=shop.key,
        topic=topic,
        headers={},
        body=sample.path.read_bytes(),
        received_at=now,
    )
