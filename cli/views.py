"""What lists and details say of deliveries and commands. A list names ids, states and reasons, never a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from cli.showing import columns, plain, printable, show_columns
from relay.commands import CommandState
from relay.deliveries import DeliveryState
from relay.store import AttemptView, CommandView, DeliveryView

_DELIVERY_HEADINGS = ("ID", "RECEIVED", "STATE", "GROUP", "SHOP", "TOPIC", "RESOURCE", "REASON")
_COMMAND_HEADINGS = ("ID", "CREATED", "STATE", "GROUP", "KIND", "SUBJECT", "DELIVERY", "ATTEMPTS", "NEXT", "LAST ERROR")


def show_deliveries(views: Iterable[DeliveryView]) -> None:
    """Print deliveries, a line each."""
    show_columns(_DELIVERY_HEADINGS, map(_delivery_row, views))


def show_commands(views: Iterable[CommandView]) -> None:
    """Print commands, a line each."""
    show_columns(_COMMAND_HEADINGS, map(_command_row, views))


def show_commands_in_full(views: Sequence[CommandView]) -> None:
    """Print commands, each with its warnings and attempts below it."""
    heading, *lines = columns([_COMMAND_HEADINGS, *map(_command_row, views)])
    click.echo(heading)
    for view, line in zip(views, lines, strict=True):
        click.echo(line)
        show_attempts(view)


def show_attempts(view: CommandView) -> None:
    """Print the warnings of a command and the attempts at it, a line each."""
    show_warnings(view.warnings)
    for line in columns(map(_attempt_row, view.attempts), indent="  "):
        click.echo(line)


def show_warnings(warnings: Iterable[str]) -> None:
    """Print warnings, a line each."""
    for warning in warnings:
        click.echo(f"  warning: {printable(warning)}")


def delivery_record(view: DeliveryView, *, headers: bool = False, body: bool = False) -> dict[str, Any]:
    """Give a delivery for JSON, with headers and body only where they are asked for."""
    record: dict[str, Any] = plain(view)
    wanted = {"headers": headers, "body": body}
    return {name: value for name, value in record.items() if wanted.get(name, True)}


def command_record(view: CommandView, *, payload: bool = False) -> dict[str, Any]:
    """Give a command with its attempts for JSON; its payload, which is about a person, only where it is asked for."""
    record: dict[str, Any] = plain(view)
    return {name: value for name, value in record.items() if payload or name != "payload"}


def show_older(views: Sequence[DeliveryView | CommandView], limit: int) -> None:
    """Say how to go on where the list may be longer; on stderr, so that columns can be piped."""
    if len(views) == limit:
        click.echo(f"Older ones: --before {views[-1].id}", err=True)


def resource_of(view: DeliveryView) -> str | None:
    """Give what a delivery was about in the spelling that ``--resource`` takes."""
    return f"{view.resource_kind}:{view.resource_id}" if view.resource_kind else None


def _delivery_row(view: DeliveryView) -> Sequence[Any]:
    state: Any = view.state
    if state is DeliveryState.HELD:
        state = f"{state} until {plain(view.due_at)}"
    return view.id, view.received_at, state, view.group, view.shop, view.topic, resource_of(view), view.reason


def _command_row(view: CommandView) -> Sequence[Any]:
    next_at = view.due_at if view.state is CommandState.WAITING else None
    return (
        view.id,
        view.created_at,
        view.state,
        view.group,
        view.kind,
        view.subject,
        view.delivery_id,
        len(view.attempts),
        next_at,
        view.last_error,
    )


def _attempt_row(attempt: AttemptView) -> Sequence[Any]:
    duration = None if attempt.duration_ms is None else f"{attempt.duration_ms} ms"
    return f"attempt {attempt.number}", attempt.started_at, _ended(attempt), duration, attempt.status, attempt.message


def _ended(attempt: AttemptView) -> str:
    if attempt.verdict is not None:
        return attempt.verdict
    return "under way" if attempt.finished_at is None else "answer lost"
