"""One run of ``samples send``: post, wait for the worker, and look what SALESmanago has received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from cli.outcomes import Outcome, find, wait
from cli.posting import Mode, Posted, post, sendings
from cli.received import read_holdings, received, show_received
from cli.sample_files import Sample, demo_life
from cli.sandbox import in_sandbox
from cli.showing import show_columns
from cli.views import command_record
from handlers.context import Relay
from relay.platforms import Sending
from relay.readers import is_loopback
from relay.settings import Settings
from relay.shops import Group, Shop

_HEADINGS = ("SHOP", "TOPIC", "CASE", "ANSWER", "BECAME")
_ELSEWHERE = "not in this store"

Holdings = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Run:
    """What was sent, what became of it by the platforms' delivery ids, and what the simulator holds of each group.

    ``through`` is False when something was still under way when the wait was over. ``holdings`` has the groups that
    send to the simulator, None for one it could not be asked about.
    """

    url: str
    mode: Mode
    posted: Sequence[Posted]
    outcomes: Mapping[str, Outcome]
    through: bool
    holdings: Mapping[str, Holdings | None]

    @property
    def taken(self) -> bool:
        """Whether the relay acknowledged everything."""
        return all(each.taken for each in self.posted)


def is_real(shop: Shop, group: Group, settings: Settings) -> bool:
    """Tell whether what a shop delivers reaches a SALESmanago account that is neither the simulator nor a local one."""
    local = is_loopback(urlsplit(group.endpoint).hostname) or in_sandbox(group.endpoint, settings)
    return not (shop.dry_run or local)


def run(relay: Relay, shops: Sequence[Shop], url: str, mode: Mode, wait_s: float) -> Run:
    """Send the demo life of every shop and wait up to ``wait_s`` seconds until it is through.

    Raises: ClickException when a sample is missing or no relay can be reached at ``url``.
    """
    outgoing = [pair for shop in shops for pair in _life(relay, shop, mode)]
    groups = {group.key: group for group in map(relay.directory.group_of, shops)}
    simulated = [group for group in groups.values() if in_sandbox(group.endpoint, relay.settings)]
    before = {group.key: read_holdings(group.endpoint, group.client_id) for group in simulated}
    posted = list(post(outgoing, url, relay.platforms))
    became, through = wait(relay.store, find(relay.store, posted), relay.clock, wait_s)
    after = {group.key: read_holdings(group.endpoint, group.client_id) for group in simulated}
    holdings = {key: None if held is None else received(before[key] or {}, held) for key, held in after.items()}
    return Run(url, mode, posted, became, through, holdings)


def as_record(done: Run) -> dict[str, Any]:
    """Give a run for JSON."""
    return {
        "url": done.url,
        "mode": done.mode,
        "through": done.through,
        "deliveries": [
            {
                "shop": each.sending.shop.key,
                "topic": each.sending.topic,
                "sample": each.sample.name,
                "delivery_id": each.sending.delivery_id,
                "status": each.status,
                "answer": each.answer,
                **_record(done.outcomes.get(each.sending.delivery_id)),
            }
            for each in done.posted
        ],
        "salesmanago": done.holdings,
    }


def show_run(done: Run) -> None:
    """Print a run for a person."""
    show_columns(_HEADINGS, [_row(each, done.outcomes.get(each.sending.delivery_id)) for each in done.posted])
    if not done.through:
        click.echo("Not everything is through yet; `flask --app app deliveries list` tells more. Is a worker running?")
    for group, holdings in done.holdings.items():
        if holdings is None:
            click.echo(f"\nThe simulator does not tell what it holds for group {group}; is it running?")
        else:
            click.echo(f"\nSALESmanago holds for group {group} (+ new, * changed, = as before):")
            show_received(holdings)


def _life(relay: Relay, shop: Shop, mode: Mode) -> list[tuple[Sample, Sending]]:
    platform = relay.platforms[shop.platform]
    try:
        return sendings(shop, platform, demo_life(platform), mode, relay.clock.now())
    except LookupError as error:
        raise click.ClickException(str(error)) from error


def _record(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {"id": None, "state": None, "reason": None, "commands": []}
    return {
        "id": outcome.delivery.id,
        "state": outcome.delivery.state,
        "reason": outcome.delivery.reason,
        "commands": [command_record(each) for each in outcome.commands],
    }


def _row(each: Posted, outcome: Outcome | None) -> tuple[str, ...]:
    case = each.sample.name.partition("__")[2]
    became = outcome.words if outcome else _ELSEWHERE if each.taken else "-"
    return each.sending.shop.key, each.sending.topic, case, f"{each.status} {each.answer}", became
