"""Fields of what callers of the REST API send: the types and lengths of the integration's tables, nothing cut.

Their messages tell the caller what to send instead; they never repeat a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from schemas.salesmanago import LOCATION_PATTERN
from schemas.values import as_decimal, as_text, is_empty

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS = 10**11  # March 1973: whatever is below was meant as seconds
_LATEST_MS = 10**14
_WHOLE_DIGITS = 18
_MISSING = "Missing or empty."
_FLAGS = {True: True, False: False, "true": True, "false": False}


class Text(fields.String):
    """A text; a number becomes its digits. One longer than ``limit`` characters is refused."""

    default_error_messages = {"required": _MISSING}

    def __init__(self, limit: int, **kwargs: Any) -> None:
        longer = validate.Length(max=limit, error="Longer than {max} characters.")
        super().__init__(validate=longer, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = _text(value)
        if not text:
            raise ValidationError(_MISSING)
        return text


class Location(Text):
    """An e-shop's id in SALESmanago."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        location = super()._deserialize(value, attr, data, **kwargs)
        if not LOCATION_PATTERN.fullmatch(location):
            raise ValidationError("May hold letters, digits and / _ - . only.")
        return location


class Email(fields.String):
    """An e-mail address: 64 characters before the at sign, 254 in all."""

    default_error_messages = {"required": _MISSING}
    _shape = validate.Email()
    _longest = validate.Length(max=254, error="Longer than {max} characters.")
    _longest_name = validate.Length(max=64, error="More than {max} characters before the @.")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        address = self._longest(_text(value))
        self._shape(address)
        self._longest_name(address.rpartition("@")[0])
        return address


class Texts(fields.Field[str | list[str]]):
    """A text of at most ``limit`` characters, or a list of texts, to be joined and shortened between its items.

    With ``separator`` a text counts as the list it spells.
    """

    def __init__(self, limit: int, *, separator: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit
        self.separator = separator

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str | list[str]:
        if not isinstance(value, list | tuple):
            if self.separator is None:
                return self._short(_text(value))
            value = _text(value).split(self.separator)
        return [self._short(_text(item)) for item in value if self.separator is None or not is_empty(item)]

    def _short(self, text: str) -> str:
        if len(text) > self.limit:
            raise ValidationError(f"Longer than {self.limit} characters.")
        return text


class Amount(fields.Decimal):
    """An amount of money, number or text, of at most 19 digits before the point. It is rounded when it is sent."""

    default_error_messages = {"required": _MISSING}

    def __init__(self, *, negative: bool = True, **kwargs: Any) -> None:
        super().__init__(validate=[] if negative else validate.Range(min=0, error="Must not be negative."), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        amount = as_decimal(value)
        if amount.adjusted() > _WHOLE_DIGITS:
            raise ValidationError(f"More than {_WHOLE_DIGITS + 1} digits before the point.")
        return amount


class Whole(fields.Integer):
    """A whole number, or the text of one."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        number = as_decimal(value)
        if number.adjusted() > _WHOLE_DIGITS or number != int(number):
            raise ValidationError("Must be a whole number.")
        return int(number)


class Flag(fields.Boolean):
    """A yes or no: true or false, as such or as text."""

    default_error_messages = {"required": _MISSING}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool | str) or value not in _FLAGS:
            raise ValidationError("Must be true or false.")
        return _FLAGS[value]


class Moment(fields.AwareDateTime):
    """A time: ISO 8601 with its offset, or milliseconds since 1970; gives aware UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        text = _text(value)
        return _from_epoch(int(text)) if text.isascii() and text.isdigit() else _from_iso(text)


class Properties(fields.Dict):
    """Texts under names of the caller's own choice."""

    def __init__(self, limit: int, **kwargs: Any) -> None:
        super().__init__(keys=fields.String(), values=Text(limit), **kwargs)
        self.text = Text(limit)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise ValidationError("Must be an object of names and texts.")
        texts: dict[str, str] = {}
        faults: dict[str, list[Any]] = {}
        for name, item in value.items():
            try:
                texts |= {} if is_empty(item) else {name: str(self.text.deserialize(item))}
            except ValidationError as error:
                faults[name] = list(error.messages)
        if faults:
            raise ValidationError(dict(faults))
        return texts


def _text(value: object) -> str:
    if isinstance(value, list | tuple | Mapping):
        raise ValidationError("Must be one text or number.")
    return as_text(value)


def _from_epoch(milliseconds: int) -> datetime:
    if milliseconds < _EARLIEST_MS:
        raise ValidationError("Too early; give milliseconds since 1970, not seconds.")
    if milliseconds > _LATEST_MS:
        raise ValidationError("Too late; give milliseconds since 1970.")
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _from_iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValidationError("Give the offset from UTC too, like 2026-11-24T10:00:00Z.")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, ValidationError):
            raise
        raise ValidationError("Not a time; give ISO 8601 or milliseconds since 1970.") from None
