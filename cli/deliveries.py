"""``flask deliveries``: look at what shops and REST callers sent, and translate it anew."""

from __future__ import annotations

from typing import Any

import click

from cli.choosing import ID, Resource, Word, act_on_each, ids_argument, page_options
from cli.opening import opened_relay
from cli.showing import json_option, printable, show_json, show_pairs
from cli.telling import TellingGroup
from cli.views import (
    command_record,
    delivery_record,
    resource_of,
    show_commands_in_full,
    show_deliveries,
    show_older,
    show_warnings,
)
from relay.deliveries import DeliveryState
from relay.store import CommandView, DeliveryFilter, DeliveryView

# Shown apart, or only when asked for.
_ELSEWHERE = ("resource_kind", "resource_id", "warnings", "headers", "body")


@click.group("deliveries", cls=TellingGroup)
def deliveries() -> None:
    """Look at deliveries and translate them anew."""


@deliveries.command("list")
@click.option("--state", type=Word(DeliveryState), help="Only those in this state.")
@click.option("--shop", help="Only those of this shop.")
@click.option("--group", help="Only those of this group.")
@click.option("--topic", help="Only those of this topic, spelt the platform's way.")
@click.option("--resource", type=Resource(), help="Only those about one resource, such as order:1001.")
@page_options
@json_option
def list_deliveries(
    state: DeliveryState | None,
    shop: str | None,
    group: str | None,
    topic: str | None,
    resource: tuple[str, str] | None,
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """List deliveries, newest first."""
    kind, resource_id = resource or (None, None)
    chosen = DeliveryFilter(
        state=state, shop=shop, group=group, topic=topic, resource_kind=kind, resource_id=resource_id
    )
    with opened_relay() as relay:
        views = relay.store.reading.deliveries(chosen, limit, before)
    if as_json:
        show_json([delivery_record(view) for view in views])
    elif views:
        show_deliveries(views)
        show_older(views, limit)
    else:
        click.echo("There are no such deliveries.")


@deliveries.command("show")
@click.argument("delivery_id", metavar="ID", type=ID)
@click.option("--headers", is_flag=True, help="Show its headers too.")
@click.option("--body", is_flag=True, help="Show its body too, which may tell about a person.")
@json_option
def show_delivery(delivery_id: int, headers: bool, body: bool, as_json: bool) -> None:
    """Show one delivery and what became of it.

    Its state and the reason, its commands and every attempt at them. What it says about people is shown only when
    asked for.
    """
    with opened_relay() as relay:
        view = relay.store.reading.delivery(delivery_id)
        if view is None:
            raise click.ClickException(f"There is no delivery {delivery_id}.")
        asked_for = relay.store.commands.of_delivery(delivery_id)
    if as_json:
        record = delivery_record(view, headers=headers, body=body)
        show_json(record | {"commands": [command_record(command) for command in asked_for]})
        return
    _show(view, asked_for)
    if headers:
        click.echo("\nHeaders")
        show_pairs(view.headers or {})
    if body:
        click.echo(f"\n{printable((view.body or b'').decode(errors='backslashreplace'), kept=_LAYOUT)}")


@deliveries.command("replay")
@ids_argument
@json_option
def replay_deliveries(ids: tuple[int, ...], as_json: bool) -> None:
    """Translate deliveries anew.

    For example after a mapping was mended. What SALESmanago has of them already is updated, not added again.
    """
    with opened_relay() as relay:

        def replay(each: int) -> None:
            relay.store.deliveries.replay(each, relay.clock.now())

        act_on_each(ids, replay, "Delivery", "is translated anew", wake=relay.wake, as_json=as_json)


_LAYOUT = "\n\t"


def _show(view: DeliveryView, asked_for: list[CommandView]) -> None:
    pairs: dict[str, Any] = {"id": view.id, "state": view.state, "reason": view.reason, "resource": resource_of(view)}
    rest = {name: getattr(view, name) for name in DeliveryView.__slots__ if name not in (*pairs, *_ELSEWHERE)}
    show_pairs(pairs | rest)
    show_warnings(view.warnings)
    click.echo()
    if asked_for:
        show_commands_in_full(asked_for)
    else:
        click.echo("It asked for no command.")
