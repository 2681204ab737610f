"""``flask samples``: list the samples, and send them to a running relay to see what SALESmanago receives."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import click

from cli.choosing import known_shop
from cli.opening import opened_relay
from cli.posting import Mode
from cli.sample_files import DEMO_LIVES, FOLDER, samples_of
from cli.sending import as_record, is_real, run, show_run
from cli.showing import json_option, show_columns, show_json
from cli.telling import TellingGroup
from handlers import discover_platforms
from handlers.context import Relay
from relay.hints import listed
from relay.readers import Address
from relay.shops import Shop

_NONE_HERE = f"There are no samples in {FOLDER}; run this in the project's folder."


@click.group("samples", cls=TellingGroup)
def samples() -> None:
    """List samples, and send them to a running relay."""


@samples.command("list")
@json_option
def list_samples(as_json: bool) -> None:
    """List the samples and their topics."""
    rows = [
        {
            "platform": each.platform,
            "name": each.name,
            "topic": each.topic,
            "demo": each.name in DEMO_LIVES.get(name, ()),
        }
        for name, platform in discover_platforms().items()
        for each in samples_of(platform)
    ]
    if as_json:
        show_json(rows)
    elif rows:
        show_columns(("PLATFORM", "NAME", "TOPIC", "DEMO"), [tuple(row.values()) for row in rows])
    else:
        raise click.ClickException(_NONE_HERE)


@samples.command("send")
@click.argument("shops", metavar="[SHOP]...", nargs=-1)
@click.option("--to", "url", metavar="URL", help="Where the relay listens; RELAY_BIND otherwise.")
@click.option("--fresh", "mode", flag_value=Mode.FRESH.value, help="Send new orders, under ids never used before.")
@click.option("--as-is", "mode", flag_value=Mode.AS_IS.value, help="Send the very same deliveries each time: repeats.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 600),
    default=20,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait until everything is through.",
)
@click.option("--real", is_flag=True, help="Let shops send whose SALESmanago account is not the simulator.")
@json_option
def send(shops: tuple[str, ...], url: str | None, mode: str | None, wait_s: float, real: bool, as_json: bool) -> None:
    """Send signed samples, show what SALESmanago got.

    Sends a short life of each SHOP (without one: of the demo's) to a running relay, waits, and shows what SALESmanago
    received. Without --fresh or --as-is the same orders go out under new delivery ids: sent twice, they change nothing.
    """
    with opened_relay() as relay:
        address = (url or reachable(relay.settings.bind)).rstrip("/")
        done = run(relay, _chosen(shops, relay, real=real), address, Mode(mode or Mode.AGAIN), wait_s)
    if as_json:
        show_json(as_record(done))
    else:
        show_run(done)
    if not done.taken:
        click.get_current_context().exit(1)


def reachable(bind: Address) -> str:
    """Give the URL of what listens at ``bind`` on this machine."""
    try:
        everywhere = ipaddress.ip_address(bind.host).is_unspecified
    except ValueError:
        everywhere = False
    return Address("127.0.0.1", bind.port).url if everywhere else bind.url


def _chosen(keys: Sequence[str], relay: Relay, *, real: bool) -> list[Shop]:
    """Give the shops to send for. Invented people must not reach somebody's account by accident."""
    directory = relay.directory
    if not keys and not relay.settings.demo:
        raise click.ClickException(f"Name the shops to send for; there are: {listed(directory.shops)}.")
    shops = [known_shop(key, directory) for key in dict.fromkeys(keys or directory.shops)]
    for shop in shops:
        if is_real(shop, directory.group_of(shop), relay.settings) and not real:
            raise click.ClickException(
                f"Shop {shop.key} feeds a SALESmanago account, which would get the samples' invented people; "
                "add --real if that is wanted."
            )
    return shops
