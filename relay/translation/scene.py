"""One translation under way: whose delivery it is, what may be read, and what the rules have asked for so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from relay.commands import Command
from relay.commerce import OrderStatus, Record
from relay.deliveries import Delivery, DeliveryState
from relay.platforms import Platform
from relay.privacy import PrivacyWish
from relay.shops import Group, Shop
from relay.translation.mapping import Mapping as FieldMapping
from relay.translation.mapping import Source
from relay.translation.names import GroupView, ShopView
from relay.translation.notebook import Notebook


@dataclass(frozen=True, slots=True)
class ExplainedField:
    """One field of a command: its value, and the mapping line that made it (None: the rules or SALESmanago's shape)."""

    target: str
    value: Any
    source: Source | None


@dataclass(frozen=True, slots=True)
class ExplainedCommand:
    """A command with the rule that asked for it, in words, and every field of it."""

    command: Command
    rule: str
    fields: tuple[ExplainedField, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that was asked for, with what it takes to explain it."""

    command: Command
    rule: str
    values: Mapping[str, Any]
    sources: Mapping[str, Source]

    def explained(self) -> ExplainedCommand:
        """Give every field under the name a mapping gives it, with the line that made it."""
        fields = (ExplainedField(target, value, self.sources.get(target)) for target, value in _flat(self.values))
        return ExplainedCommand(self.command, self.rule, tuple(fields))


@dataclass(frozen=True, slots=True)
class Ending:
    """How a delivery ends, apart from its commands: state, the reason for it, and with HELD when to look again."""

    state: DeliveryState = DeliveryState.TRANSLATED
    reason: str | None = None
    due_at: datetime | None = None
    erased: bool = False  # it tells about somebody who was forgotten: neither the delivery nor memory may keep it
    stays: bool = False  # but what memory has of its resource already is newer


TRANSLATED = Ending()


def ignored(reason: str) -> Ending:
    """End a delivery that means nothing for SALESmanago; ``reason`` is a slug."""
    return Ending(DeliveryState.IGNORED, reason)


@dataclass(slots=True)
class Scene:
    """What every rule works on."""

    delivery: Delivery
    shop: Shop
    group: Group
    platform: Platform
    mapping: FieldMapping
    notes: Notebook
    now: datetime
    test_orders: bool = False
    shops: tuple[str, ...] = ()  # all of the group's
    asked: list[Asked] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)  # contact field -> the mapping line that fills it
    warnings: list[str] = field(default_factory=list)
    delivered: tuple[Mapping[str, Any], Record] | None = None  # the delivery's own body, and what its schema made of it
    privacy: list[PrivacyWish] = field(default_factory=list)
    _views: dict[str, Any] = field(default_factory=dict)  # what expressions see of shop and group

    @property
    def happened_at(self) -> datetime:
        """When what the delivery tells happened, for bodies that do not say it themselves."""
        return self.delivery.triggered_at or self.delivery.received_at

    @property
    def currency(self) -> str | None:
        """The currency of the e-shop the delivery's events and products go to."""
        return self.group.currency if self.shop.location == self.group.location else self.shop.currency

    def status(self, word: str | None) -> OrderStatus:
        """Give what a status word amounts to, the shop's own words first."""
        mapped = self.shop.statuses.get(word or "", word or "")
        return self.platform.statuses.get(mapped, OrderStatus.UNKNOWN)

    def names(self, raw: Mapping[str, Any], **records: Any) -> dict[str, Any]:
        """Give the names a mapping's expressions may use."""
        if not self._views:
            self._views = {"shop": ShopView.of(self.shop), "group": GroupView.of(self.group)}
        return {**self._views, "raw": raw} | {name: record for name, record in records.items() if record is not None}

    def ask(
        self,
        command: Command,
        rule: str,
        sources: Mapping[str, Source] = MappingProxyType({}),
        *,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask for a command, saying which rule wants it and which line of the mapping made each field.

        ``values`` are the fields where they are not the payload's.
        """
        self.notes.note_asked(command)
        shown = command.payload if values is None else values
        self.asked.append(Asked(command, rule, shown, dict(sources)))

    def warn(self, text: str) -> None:
        """Note something about the delivery that somebody may want to know; no personal data."""
        if text not in self.warnings:
            self.warnings.append(text)


def _flat(payload: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in payload.items():
        if isinstance(value, Mapping):
            # Properties have names of the user's choice; the other levels are SALESmanago's and no mapping knows them.
            yield from _flat(value, "properties." if key == "properties" else "")
        else:
            yield f"{prefix}{key}", value
