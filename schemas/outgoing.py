"""Fields of what goes out to SALESmanago: each cuts what may be cut, with a warning, and refuses what may not.

Refused are identities (e-mail, ids, e-shop id), money and time: half of one is another one. Cut are texts. Left out are
extras that cannot be read (a link, a birthday): the rest is worth sending without them. Warnings and refusals name the
field, never its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, missing, validate

from relay.clock import epoch_ms
from relay.errors import PayloadInvalid
from schemas.direct import DirectSchema
from schemas.values import as_decimal, as_link, as_text, is_empty

_CENT = Decimal("0.01")
_WHOLE_DIGITS = 19

_warnings: ContextVar[list[str]] = ContextVar("warnings of the schema being loaded")


@dataclass(frozen=True, slots=True)
class Shaped:
    """What may be sent, and what had to be changed for it."""

    payload: dict[str, Any]
    warnings: tuple[str, ...] = ()


class OutgoingSchema(DirectSchema):
    """A schema over flat target names; ``attribute`` says where a field stands in the body.

    A mapping may yield more than one body needs; its own check has refused names that do not exist.
    """

    def load(self, data: Any, **options: Any) -> dict[str, Any]:
        """Load what is not empty: no None, blank texts, and empty lists and tables; 0 and false are values."""
        said = {name: value for name, value in data.items() if not is_empty(value)}
        return self.completed(super().load(said, **options))

    def completed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Settle what depends on several fields."""
        return body


def shape(schema: Schema, values: Mapping[str, Any]) -> Shaped:
    """Load ``values`` with an outgoing schema; raises PayloadInvalid naming every field that does not fit."""
    with _collected() as warnings:
        try:
            payload: dict[str, Any] = schema.load(values)
        except ValidationError as error:
            raise PayloadInvalid(" ".join(_faults(error.messages_dict))) from None
    return Shaped(payload, tuple(warnings))


def warn(text: str) -> None:
    """Note a change on the schema that is being loaded."""
    _warnings.get().append(text)


def cut(text: str, limit: int, name: str) -> str:
    """Cut ``text`` to ``limit`` characters, with a warning that tells how long it was."""
    if len(text) <= limit:
        return text
    warn(f"{name}: cut from {len(text)} to {limit} characters.")
    return text[:limit].rstrip()


class Text(fields.Field[str]):
    """A text that may be cut."""

    def __init__(self, limit: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = cut(as_text(value), self.limit, str(self.name))
        if not text and self.required:
            raise self.make_error("required")
        return text or missing


class Identifier(fields.Field[str]):
    """A text that means something else when it is cut, so a longer one is refused."""

    def __init__(self, limit: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = as_text(value)
        if not text:
            raise ValidationError("Missing or empty.")
        if len(text) > self.limit:
            raise ValidationError(f"Has {len(text)} characters; at most {self.limit} are allowed.")
        return text


class EmailAddress(Identifier):
    """An e-mail address: 64 characters before the at sign, 254 in all."""

    _LOCAL_LIMIT = 64
    _shape = validate.Email()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(254, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        address = super()._deserialize(value, attr, data, **kwargs)
        self._shape(address)
        if address.index("@") > self._LOCAL_LIMIT:
            raise ValidationError(f"Has more than {self._LOCAL_LIMIT} characters before the @.")
        return address


class Amount(fields.Field[Decimal]):
    """An amount of money with two decimals, rounded half up; at most 19 digits before the point."""

    def __init__(self, *, negative: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative = negative

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        amount = as_decimal(value)
        if amount.adjusted() >= _WHOLE_DIGITS:
            raise ValidationError(f"Has more than {_WHOLE_DIGITS} digits before the point.")
        if amount < 0 and not self.negative:
            raise ValidationError("Must not be negative.")
        rounded = amount.quantize(_CENT, ROUND_HALF_UP)
        if rounded != amount:
            warn(f"{self.name}: rounded to two decimals.")
        return abs(rounded) if rounded == 0 else rounded  # no "-0.00"


class Whole(fields.Field[int]):
    """A whole number; a fraction is cut off, with a warning."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        number = as_decimal(value)
        if number.adjusted() >= _WHOLE_DIGITS:
            raise ValidationError("Is too large.")
        if number != int(number):
            warn(f"{self.name}: the fraction was left out.")
        return int(number)


class WebAddress(fields.Field[str]):
    """A link. One that is invalid or too long is left out with a warning: a cut link leads nowhere."""

    _shape = validate.URL(schemes={"http", "https"})

    def __init__(self, limit: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            address = self._shape(as_link(value))
        except (ValidationError, ValueError):
            warn(f"{self.name}: left out, not a valid link.")
        else:
            if len(address) <= self.limit:
                return address
            warn(f"{self.name}: left out, {len(address)} characters are more than {self.limit}.")
        return missing


class Extra(fields.Field[Any]):
    """Something the rest is worth sending without: where ``read`` gives None, it is left out with a warning."""

    def __init__(self, read: Callable[[object], Any], expected: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.read = read
        self.expected = expected

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        result = self.read(value)
        if result is None:
            warn(f"{self.name}: left out, not {self.expected}.")
            return missing
        return result


class Moment(fields.Field[int]):
    """An aware datetime, or ISO 8601 text with an offset, as milliseconds since 1970."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            raise ValidationError("Not a readable time.") from None
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise ValidationError("Must be a time with its offset from UTC.")
        return epoch_ms(moment)


@contextmanager
def _collected() -> Iterator[list[str]]:
    warnings: list[str] = []
    token = _warnings.set(warnings)
    try:
        yield warnings
    finally:
        _warnings.reset(token)


def _faults(messages: Mapping[Any, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    for key, inner in messages.items():
        if isinstance(inner, Mapping):
            yield from _faults(inner, (*path, str(key)))
        else:
            yield f"{'.'.join((*path, str(key)))}: {' '.join(map(str, inner))}"
