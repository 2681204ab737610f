"""``flask groups``: which SALESmanago accounts are being sent to, and how to go on after a pause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from cli.choosing import Word
from cli.opening import opened_relay
from cli.showing import json_option, plain, show_columns, show_json
from cli.telling import TellingGroup
from handlers.context import Relay
from relay.commands import Lane
from relay.hints import listed, nearest

_HEADINGS = ("GROUP", "LANE", "STATE", "SINCE", "UNTIL", "REASON")


@click.group("groups", cls=TellingGroup)
def groups() -> None:
    """Look at the groups' lanes and end their pauses."""


@groups.command("list")
@json_option
def list_groups(as_json: bool) -> None:
    """List every group's lanes and why one is paused."""
    with opened_relay() as relay:
        lanes = list(_lanes(relay))
    if as_json:
        show_json(lanes)
    else:
        show_columns(_HEADINGS, map(_row, lanes))


@groups.command("resume")
@click.argument("group")
@click.option("--lane", type=Word(Lane), help="Only this lane; all of the group's otherwise.")
@json_option
def resume_group(group: str, lane: Lane | None, as_json: bool) -> None:
    """End a group's pause.

    For example after its credentials were mended. Its commands are sent at once.
    """
    with opened_relay() as relay:
        mine = [each for each in _lanes(relay) if each["group"] == group]
        if not mine:
            raise click.ClickException(_unknown(group, relay))
        resumed = [each["lane"] for each in mine if each["state"] == "paused" and lane in (None, each["lane"])]
        relay.store.lanes.resume(group, lane)
        relay.wake()
    if as_json:
        show_json({"group": group, "resumed": resumed})
    elif resumed:
        click.echo(f"Group {group} goes on: {listed(resumed)}.")
    else:
        click.echo(f"Nothing of group {group} was paused.")


def _lanes(relay: Relay) -> Iterator[dict[str, Any]]:
    """Give the lanes of every configured group, and paused ones of groups that are configured no more."""
    paused = {(view.group, view.lane): view for view in relay.store.lanes.paused(relay.clock.now())}
    configured = [
        (key, lane)
        for key, group in relay.directory.groups.items()
        for lane in Lane
        if lane is not Lane.CATALOG or "catalog" in group.products
    ]
    for key, lane in dict.fromkeys([*configured, *paused]):
        view = paused.get((key, lane))
        yield {
            "group": key,
            "lane": plain(lane),
            "state": "paused" if view else "open",
            "since": view and view.paused_at,
            "until": view and view.until,
            "reason": view and view.reason,
        }


def _row(lane: dict[str, Any]) -> tuple[Any, ...]:
    for_good = lane["state"] == "paused" and lane["until"] is None
    return tuple((lane | {"until": "it is resumed"} if for_good else lane).values())


def _unknown(group: str, relay: Relay) -> str:
    known = relay.directory.groups
    return f"There is no group {group}{nearest(group, known) or f'; there are: {listed(known)}'}"
