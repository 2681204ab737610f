"""What has been said about one person, field by field with its age.

Bodies overtake each other, leave fields out and blank them, and silence unsays nothing. So for each field the newest
body that gave one counts, and the result is the same in whatever order the bodies came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from marshmallow import ValidationError

from relay.commerce import Consent
from relay.translation.mapping import Fields
from relay.translation.versions import Version, microseconds, moment_of, storable
from schemas.mapping import PROPERTIES
from schemas.salesmanago import check_email
from schemas.values import as_text

EMAIL = "email"
CHANNELS: Mapping[str, tuple[str, str]] = {
    "email": ("forceOptIn", "forceOptOut"),
    "sms": ("forcePhoneOptIn", "forcePhoneOptOut"),
}
"""Channel -> the flags with which a mapping states, and SALESmanago is told, that somebody agrees or does not."""

_FLAGS = frozenset(flag for flags in CHANNELS.values() for flag in flags)
_TAGS = ("tags", "removeTags")
_STATEMENTS_KEPT = 20

Statement: TypeAlias = list[Any]
"""One word on consent, as JSON: [microseconds since 1970, whether it is a yes, whether it told its own date]."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one body says about a person: the mapped fields, how old they are, and the consent it states."""

    fields: Fields
    version: Version
    consent: Consent = Consent()


class Words:
    """Everything said about a person by one order, cart or account, or by all of them together."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self.fields: dict[str, list[Any]] = dict(kept.get("fields", {}))
        self.tags: dict[str, list[Any]] = dict(kept.get("tags", {}))
        self._statements: dict[str, list[Statement]] = dict(kept.get("consent", {}))
        self._account: list[Any] | None = kept.get("account")
        self.has_odd_email = bool(kept.get("odd_email"))  # an address was given that is none

    def kept(self) -> dict[str, Any]:
        """Give the words as JSON, for memory."""
        parts = {
            "fields": self.fields,
            "tags": self.tags,
            "consent": self._statements,
            "account": self._account,
            "odd_email": self.has_odd_email,
        }
        return {name: part for name, part in parts.items() if part}

    @property
    def email(self) -> str | None:
        """The newest address that is one, as it was given."""
        return str(self.fields[EMAIL][0]) if EMAIL in self.fields else None

    @property
    def account(self) -> str | None:
        """The id of the account that the newest body with one named."""
        return None if self._account is None else str(self._account[0])

    def name_account(self, customer_id: str, version: Version) -> None:
        """Add the account a body names; one that names none does not take it back."""
        if self._account is None or version >= self._account[1]:
            self._account = [customer_id, version]

    @property
    def newest(self) -> int:
        """When the newest word was said (microseconds since 1970), -1 when none was."""
        return max((word[1][0] for words in (self.fields, self.tags) for word in words.values()), default=-1)

    def consent(self) -> dict[str, list[Any]]:
        """Give, per channel with any word on it, the consent that counts: [whether it is a yes, since when].

        A word without a date of its own is a change only where it differs from what was said before it: mappings repeat
        a ticked box with every order, and that must not undo a later no. Of two words of one moment the no counts.
        """
        return {channel: _last_change(statements) for channel, statements in self._statements.items()}

    def add(self, said: Said) -> None:
        """Add what one body says."""
        for target, value in _single_fields(said.fields):
            if target == EMAIL and not _is_address(value):
                self.has_odd_email = True
            else:
                _take(self.fields, target, [value, said.version])
        for tag, is_set in _tag_changes(said.fields):
            _take(self.tags, tag, [is_set, said.version])
        stated = {"email": (said.consent.email, said.consent.email_at), "sms": (said.consent.sms, said.consent.sms_at)}
        for channel, (given, given_at) in stated.items():
            given = _ticked(said.fields, channel) if given is None else given
            if given is not None:
                self.state(channel, given, given_at or moment_of(said.version[0]), dated=given_at is not None)

    def state(self, channel: str, given: bool, at: datetime, *, dated: bool = True) -> None:
        """Add a word on consent; ``dated`` tells whether ``at`` is its own date or only that of its body."""
        self._join_statements(channel, [[microseconds(at), given, dated]])

    def join(self, other: Words, address: str, after: int) -> None:
        """Add what ``other`` holds, as far as it was said after ``after`` (microseconds since 1970).

        E-mail addresses other than ``address`` (lower case) are left out: the person had, or will have, those.
        """
        for target, word in other.fields.items():
            if word[1][0] > after and (target != EMAIL or str(word[0]).lower() == address):
                _take(self.fields, target, word)
        for tag, word in other.tags.items():
            if word[1][0] > after:
                _take(self.tags, tag, word)
        for channel, statements in other._statements.items():
            self._join_statements(channel, [statement for statement in statements if statement[0] > after])

    def _join_statements(self, channel: str, more: Iterable[Statement]) -> None:
        together = [*self._statements.get(channel, ()), *more]
        unique = {tuple(statement): statement for statement in together}
        statements = [unique[key] for key in sorted(unique, key=_statement_order)]
        while len(statements) > _STATEMENTS_KEPT:
            # A repetition leaves before what it repeats: how long somebody has agreed must not change by forgetting.
            first, second = statements[:2]
            del statements[1 if first[1] == second[1] and not second[2] else 0]
        if statements:
            self._statements[channel] = statements


def _statement_order(statement: tuple[Any, ...]) -> tuple[Any, ...]:
    at, given, dated = statement
    return at, not given, dated


def _last_change(statements: Iterable[Statement]) -> list[Any]:
    current: list[Any] = []
    for at, given, dated in statements:
        if not current or dated or given != current[0]:
            current = [given, at]
    return current


def _take(words: dict[str, list[Any]], name: str, word: list[Any]) -> None:
    if name not in words or word[1] >= words[name][1]:
        words[name] = word


def _is_address(value: Any) -> bool:
    try:
        check_email(as_text(value))
    except ValidationError:
        return False
    return True


def _ticked(fields: Fields, channel: str) -> bool | None:
    opt_in, opt_out = CHANNELS[channel]
    if fields.values.get(opt_out) is True:
        return False
    return True if fields.values.get(opt_in) is True else None


def _single_fields(fields: Fields) -> Iterable[tuple[str, Any]]:
    for target, value in fields.values.items():
        if target == PROPERTIES:
            yield from ((f"{PROPERTIES}.{name}", storable(inner)) for name, inner in value.items())
        elif target not in _TAGS and target not in _FLAGS and target != "newEmail":
            yield target, storable(value)


def _tag_changes(fields: Fields) -> Iterable[tuple[str, bool]]:
    for target, is_set in zip(_TAGS, (True, False), strict=True):
        value = fields.values.get(target)
        for tag in value if isinstance(value, list) else [value]:
            if tag is not None and (text := "_".join(as_text(tag).upper().split())):
                yield text, is_set
