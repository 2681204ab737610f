"""What the command line and the console show: plain values of deliveries, commands and attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from relay.commands import CommandKind, CommandState, Lane, Verdict
from relay.deliveries import DeliveryState


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A stored delivery. ``headers`` and ``body``, as received, are there only when one delivery is asked for."""

    id: int
    platform: str
    group: str
    shop: str | None
    topic: str
    state: DeliveryState
    reason: str | None
    warnings: tuple[str, ...]
    resource_kind: str | None
    resource_id: str | None
    received_at: datetime
    triggered_at: datetime | None
    due_at: datetime  # when it is looked at (again), while it is open
    attempts: int
    api_version: str | None
    delivery_id: str | None
    webhook_id: str | None
    event_id: str | None
    headers: Mapping[str, str] | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try at a command. Without ``finished_at`` it is under way; finished without verdict, its answer was lost."""

    number: int
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    status: int | None
    verdict: Verdict | None
    message: str | None


@dataclass(frozen=True, slots=True)
class CommandView:
    """A stored command with its attempts, oldest first."""

    id: int
    delivery_id: int
    group: str
    lane: Lane
    kind: CommandKind
    subject: str
    state: CommandState
    payload: Mapping[str, Any]
    warnings: tuple[str, ...]
    last_error: str | None
    contact_id: str | None
    event_id: str | None
    due_at: datetime  # when it is sent (again), while it waits
    created_at: datetime
    settled_at: datetime | None
    attempts: tuple[AttemptView, ...]


def delivery_view(row: Row[Any], headers: Mapping[str, str] | None = None, body: bytes | None = None) -> DeliveryView:
    """Give a row of ``deliveries`` as a view."""
    return DeliveryView(
        id=row.id,
        platform=row.platform,
        group=row.group_key,
        shop=row.shop,
        topic=row.topic,
        state=DeliveryState(row.state),
        reason=row.reason,
        warnings=tuple(row.warnings),
        resource_kind=row.resource_kind,
        resource_id=row.resource_id,
        received_at=row.received_at,
        triggered_at=row.triggered_at,
        due_at=row.due_at,
        attempts=row.attempts,
        api_version=row.api_version,
        delivery_id=row.delivery_id,
        webhook_id=row.webhook_id,
        event_id=row.event_id,
        headers=headers,
        body=body,
    )


def command_view(row: Row[Any], attempts: tuple[AttemptView, ...]) -> CommandView:
    """Give a row of ``commands`` as a view."""
    return CommandView(
        id=row.id,
        delivery_id=row.delivery_id,
        group=row.group_key,
        lane=Lane(row.lane),
        kind=CommandKind(row.kind),
        subject=row.subject,
        state=CommandState(row.state),
        payload=row.payload,
        warnings=tuple(row.warnings),
        last_error=row.last_error,
        contact_id=row.contact_id,
        event_id=row.event_id,
        due_at=row.due_at,
        created_at=row.created_at,
        settled_at=row.settled_at,
        attempts=attempts,
    )


def attempt_view(row: Row[Any]) -> AttemptView:
    """Give a row of ``attempts`` as a view."""
    return AttemptView(
        number=row.number,
        started_at=row.started_at,
        finished_at=row.finished_at,
        duration_ms=row.duration_ms,
        status=row.status,
        verdict=row.verdict and Verdict(row.verdict),
        message=row.message,
    )
