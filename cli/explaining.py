"""What ``mappings explain`` shows: per command and target field the value, and the line that made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from cli.showing import cell, columns, counted, plain, printable
from cli.views import show_warnings
from relay import jsontext
from relay.commands import Command
from relay.deliveries import Translation
from relay.translation.translator import ExplainedCommand, ExplainedField

_WIDEST = 70
_NO_LINE = "(the relay itself)"


def as_record(translation: Translation, explained: Sequence[ExplainedCommand]) -> dict[str, Any]:
    """Give all of it for JSON."""
    return {
        "state": translation.state,
        "reason": translation.reason,
        "warnings": translation.warnings,
        "commands": [
            {
                "kind": each.command.kind,
                "event_type": _event_type(each.command),
                "rule": each.rule,
                "warnings": each.command.warnings,
                "fields": [
                    {"target": field.target, "value": field.value, "source": field.source} for field in each.fields
                ],
            }
            for each in explained
        ],
    }


def show_explained(what: str, translation: Translation, explained: Sequence[ExplainedCommand]) -> None:
    """Print all of it for a person."""
    reason = f" ({translation.reason})" if translation.reason else ""
    click.echo(f"{what}: {translation.state}{reason}, {counted(len(explained), 'command')}")
    show_warnings(translation.warnings)
    for each in explained:
        kind = " ".join(filter(None, [each.command.kind, _event_type(each.command)]))
        click.echo(f"\n{kind}: {printable(each.rule)}")
        show_warnings(each.command.warnings)
        rows = [("FIELD", "VALUE", "MADE BY"), *map(_row, each.fields)]
        click.echo("\n".join(columns(rows, indent="  ")))


def _row(field: ExplainedField) -> tuple[str, str, str]:
    return field.target, _short(field.value), field.source.where if field.source else _NO_LINE


def _short(value: Any) -> str:
    """Give a value as JSON spells it, so that text and number can be told apart, cut where it is long."""
    text = cell(jsontext.dumps(plain(value)))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _event_type(command: Command) -> str | None:
    event = command.payload.get("contactEvent")
    return event.get("contactExtEventType") if isinstance(event, dict) else None
