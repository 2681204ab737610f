"""What the calls of a chain learn for those after them: ids that were not known when their commands were claimed."""

from __future__ import annotations

from dataclasses import replace

from relay.commands import CommandKind, EventKey, StoredCommand
from relay.worker.coalescing import Call
from relay.worker.sending import Report


class Learnt:
    """The ids of one contact and its events."""

    def __init__(self) -> None:
        self._contact_id: str | None = None
        self._event_ids: dict[EventKey, str | None] = {}

    def from_report(self, report: Report) -> bool:
        """Take over what a call has told; False when not all went well, so that no other call may follow."""
        for outcome in report.outcomes:
            if outcome.contact_id:
                self._contact_id = outcome.contact_id
            key = outcome.command.event
            if key is not None and outcome.command.kind is CommandKind.EVENT_DELETE:
                self._event_ids[key] = None
            elif key is not None and outcome.event_id:
                self._event_ids[key] = outcome.event_id
        return report.went_well

    def told_to(self, call: Call) -> Call:
        """Give a call whose commands know what was learnt."""
        if not self._contact_id and not self._event_ids:
            return call
        return Call(tuple(map(self._told, call.sent)), tuple(map(self._told, call.said)))

    def _told(self, command: StoredCommand) -> StoredCommand:
        if self._contact_id:
            command = replace(command, contact_id=self._contact_id)
        if command.event in self._event_ids and command.event is not None:
            command = replace(command, event_id=self._event_ids[command.event])
        return command
