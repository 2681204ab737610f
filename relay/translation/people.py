"""What is remembered of a contact, and the commands its changes amount to.

Everything a shop says about a person is kept field by field with its age, whichever order, cart or account said it. So
the contact in SALESmanago ends the same in whatever order the deliveries come: each field as its newest source has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from relay import jsontext
from relay.commands import Command, CommandKind, ContactSubject
from relay.commerce import Consent
from relay.translation.mapping import Fields, Source
from relay.translation.scene import Scene, explained
from relay.translation.versions import Version, microseconds
from schemas.mapping import PROPERTIES
from schemas.salesmanago import contact_payload
from schemas.values import as_text

KIND = "contact"

_TAGS = ("tags", "removeTags")
_FLAGS = ("forceOptIn", "forceOptOut", "forcePhoneOptIn", "forcePhoneOptOut")
_CHANNELS = {"email": ("forceOptIn", "forceOptOut"), "sms": ("forcePhoneOptIn", "forcePhoneOptOut")}
_DOUBLE = "useApiDoubleOptIn"
_LONGEST_CHAIN = 10


@dataclass(frozen=True, slots=True)
class Said:
    """What one record says about a person: the mapped fields, how old they are, and the consent it states."""

    fields: Fields
    version: Version
    consent: Consent = Consent()
    account: str | None = None  # the customer id, when the record is the account itself

    @property
    def email(self) -> str | None:
        """The address the mapping gives."""
        value = self.fields.values.get("email")
        return as_text(value) if value is not None else None


def memory_of(scene: Scene) -> str:
    """Give the name under which contacts are remembered: people belong to the group, not to one of its shops."""
    return f"group:{scene.group.key}"


def resolved(scene: Scene, email: str) -> str:
    """Give the address a person has today, lower-cased."""
    address = email.lower()
    for _ in range(_LONGEST_CHAIN):
        known = scene.notes.resource(memory_of(scene), KIND, address)
        alias = known.facts.get("alias") if known else None
        if alias is None:
            break
        address = alias
    return address


class Contact:
    """One remembered contact. Call ``save`` once it has changed."""

    def __init__(self, scene: Scene, email: str) -> None:
        self._scene = scene
        self.address = resolved(scene, email)
        self._facts = scene.notes.facts(memory_of(scene), KIND, self.address)
        self._fields: dict[str, list[Any]] = dict(self._facts.get("fields", {}))
        self._tags: dict[str, list[Any]] = dict(self._facts.get("tags", {}))
        self._consent: dict[str, list[Any]] = dict(self._facts.get("consent", {}))
        self._told: dict[str, Any] = dict(self._facts.get("told", {}))
        self.claims: set[str] = set(self._facts.get("claims", ()))

    @property
    def is_known(self) -> bool:
        """Whether SALESmanago has been asked for this contact."""
        return bool(self._fields)

    @property
    def email(self) -> str:
        """The address as it was given last."""
        return str(self._fields["email"][0]) if "email" in self._fields else self.address

    def is_gone_by(self, moment: int) -> bool:
        """Tell whether the person was deleted at ``moment`` or later: words that old must resurrect nobody."""
        deleted_at = self._facts.get("deleted_at")
        return deleted_at is not None and moment <= deleted_at

    def absorb(self, said: Said) -> None:
        """Take over what is newer than what is known, field by field."""
        for target, value in _single_fields(said.fields):
            if target == "email" and as_text(value).lower() != self.address:
                continue  # an address the person had before
            known = self._fields.get(target)
            if known is None or said.version >= known[1]:
                self._fields[target] = [value, said.version]
        for tag, is_set in _tag_changes(said.fields):
            known = self._tags.get(tag)
            if known is None or said.version >= known[1]:
                self._tags[tag] = [is_set, said.version]
        self._absorb_consent(said)
        if said.account is not None:
            self.claims.add(said.account)

    def tell(self, rule: str, sources: Mapping[str, Source]) -> None:
        """Ask for an upsert, unless SALESmanago has been asked for just this."""
        self._upsert(rule, sources, ContactSubject(self.email))

    def rename(self, email: str, version: Version, rule: str) -> None:
        """Ask SALESmanago to give this contact another address, and remember it under that one."""
        before, old_address = self.email, self.address
        self._fields["email"] = [email, version]
        self._upsert(rule, {}, ContactSubject(before, new_email=email))
        self.address = email.lower()
        self.save()
        self._scene.notes.note_facts(memory_of(self._scene), KIND, old_address, {"alias": self.address})

    def delete(self, at: datetime, rule: str) -> None:
        """Ask for the contact's deletion; only the moment of it is remembered."""
        if self.is_known:
            command = Command(CommandKind.CONTACT_DELETE, ContactSubject(self.email), {"email": self.email})
            self._scene.ask(command, rule, explained(command.payload, {}))
        deleted_at = max(microseconds(at), self._facts.get("deleted_at", 0))
        self._fields, self._tags, self._consent, self._told = {}, {}, {}, {}
        self._facts = {"deleted_at": deleted_at}
        self.save()

    def opt_out(self, at: datetime, rule: str) -> None:
        """Ask for an opt-out of both channels."""
        for channel in _CHANNELS:
            self._note_consent(channel, False, microseconds(at))
        self.tell(rule, {})

    def save(self) -> None:
        """Keep what has changed."""
        parts = {
            "fields": self._fields,
            "tags": self._tags,
            "consent": self._consent,
            "told": self._told,
            "claims": sorted(self.claims),
            "deleted_at": self._facts.get("deleted_at"),
        }
        facts = {name: part for name, part in parts.items() if part}
        self._scene.notes.note_facts(memory_of(self._scene), KIND, self.address, facts)

    def _absorb_consent(self, said: Said) -> None:
        at = said.version[0]
        for channel, stated, stated_at in (
            ("email", said.consent.email, said.consent.email_at),
            ("sms", said.consent.sms, said.consent.sms_at),
        ):
            opt_in, opt_out = _CHANNELS[channel]
            if stated is None:
                wants = {flag: said.fields.values.get(flag) is True for flag in (opt_in, opt_out)}
                stated = False if wants[opt_out] else True if wants[opt_in] else None
            known = self._consent.get(channel)
            if stated is None or (stated_at is None and known is not None and known[0] == stated):
                continue  # without a time of its own, only a statement that differs is a change
            self._note_consent(channel, stated, microseconds(stated_at) if stated_at else at)

    def _note_consent(self, channel: str, stated: bool, at: int) -> None:
        known = self._consent.get(channel)
        # Of two statements of one moment the refusal counts.
        if known is None or (at, not stated) >= (known[1], not known[0]):
            self._consent[channel] = [stated, at]

    def _upsert(self, rule: str, sources: Mapping[str, Source], subject: ContactSubject) -> None:
        values = self._values()
        standing = jsontext.digest(contact_payload(values).payload)
        # Nothing stands in SALESmanago: it was never asked, or the last request came to nothing.
        nothing_stands = self._scene.notes.contact_digest(self._scene.group.key, self.address) is None
        flags = self._flags(everything=nothing_stands)
        if nothing_stands or flags or subject.new_email or self._told.get("digest") != standing:
            change = {"email": subject.email, "newEmail": subject.new_email} if subject.new_email else {}
            shaped = contact_payload(values | flags | change)
            command = Command(CommandKind.CONTACT_UPSERT, subject, shaped.payload, warnings=shaped.warnings)
            self._scene.ask(command, rule, explained(shaped.payload, sources))
            if not self._scene.shop.dry_run:
                self._told = {"digest": standing, "consent": {name: said[:] for name, said in self._consent.items()}}
        self.save()

    def _values(self) -> dict[str, Any]:
        """Give the flat target names with their newest values; consent is no standing part of a contact."""
        values: dict[str, Any] = {}
        for target, (value, _) in self._fields.items():
            if target.startswith(f"{PROPERTIES}."):
                values.setdefault(PROPERTIES, {})[target.partition(".")[2]] = value
            elif target != _DOUBLE:
                values[target] = value
        values["tags"] = sorted(tag for tag, (is_set, _) in self._tags.items() if is_set)
        values["removeTags"] = sorted(tag for tag, (is_set, _) in self._tags.items() if not is_set)
        return values

    def _flags(self, *, everything: bool) -> dict[str, bool]:
        """Give the consent SALESmanago has not been told yet, or all of it, as its force flags."""
        told = {} if everything else self._told.get("consent", {})
        flags: dict[str, bool] = {}
        for channel, said in self._consent.items():
            if told.get(channel) == said:
                continue
            opt_in, opt_out = _CHANNELS[channel]
            # With double opt-in the confirmation mail asks; forcing the status would answer for the person.
            double = channel == "email" and said[0] and bool(self._fields.get(_DOUBLE, [False])[0])
            flags[_DOUBLE if double else opt_in if said[0] else opt_out] = True
        return flags


def _single_fields(fields: Fields) -> Iterable[tuple[str, Any]]:
    for target, value in fields.values.items():
        if target == PROPERTIES:
            yield from ((f"{PROPERTIES}.{name}", _storable(inner)) for name, inner in value.items())
        elif target not in _TAGS and target not in _FLAGS and target != "newEmail":
            yield target, _storable(value)


def _tag_changes(fields: Fields) -> Iterable[tuple[str, bool]]:
    for target, is_set in (("tags", True), ("removeTags", False)):
        value = fields.values.get(target)
        for tag in value if isinstance(value, list) else [value]:
            if tag is not None and (text := "_".join(as_text(tag).upper().split())):
                yield text, is_set


def _storable(value: Any) -> Any:
    """Give a value as JSON keeps it: exact numbers and dates as their text."""
    return as_text(value) if isinstance(value, Decimal | date) else value
