"""Fields that read what shops really send, shared by every platform's schema.

Two rules decide what happens to an odd value. An amount, a number or a time that cannot be read is a fault, because a
guess would be wrong revenue or a wrong order of events. Anything else that cannot be read counts as not said (None, or
an empty tuple). ``""``, null and PHP's false count as not said everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Generic, TypeAlias, TypeVar

from marshmallow import Schema, ValidationError, fields, missing

from relay.errors import PayloadInvalid
from schemas.direct import DirectSchema
from schemas.text import exact_number, html_to_text, plain_text, utc_time

T = TypeVar("T")

Values: TypeAlias = dict[str, Any]
"""What a schema loads: every declared name is there, None or an empty list where the body does not say."""

_FAULTS_SHOWN = 10
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})


class LenientSchema(DirectSchema):
    """A schema that leaves alone what it does not know, since every platform adds keys with each version."""


class LenientField(fields.Field[T | None], Generic[T]):
    """A field that is None when the body does not say; ``required`` makes that a fault. Subclasses write ``_read``."""

    default_error_messages = {"required": "Missing or empty.", "null": "Missing or empty."}

    def __init__(self, *, required: bool = False, data_key: str | None = None) -> None:
        default = missing if required else None
        super().__init__(required=required, data_key=data_key, load_default=default)

    @property
    def directly(self) -> Callable[[Any], T | None]:
        """What reads a value; raises ValidationError."""
        return self._read_required if self.required else self._read

    def _read_required(self, value: Any) -> T | None:
        read = self._read(value)
        if read is None and self.required:
            raise self.make_error("required")
        return read

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> T | None:
        return self.directly(value)

    def _read(self, value: Any) -> T | None:
        """Give None for every way of saying nothing."""
        raise NotImplementedError


class Number(LenientField[Decimal]):
    """A number, or text that is one, as Decimal. A float is a fault: JSON is to be read without them."""

    default_error_messages = {"invalid": "Not a readable number."}

    def _read(self, value: Any) -> Decimal | None:
        if _is_unsaid(value):
            return None
        try:
            return exact_number(value)
        except ValueError:
            raise self.make_error("invalid") from None


class Money(Number):
    """An amount of money, string or number, as Decimal with the decimals it came with."""

    default_error_messages = {"invalid": "Not a readable amount."}


class Whole(LenientField[int]):
    """A whole number, as for stock; a fraction is cut off."""

    default_error_messages = {"invalid": "Not a readable number."}

    def _read(self, value: Any) -> int | None:
        if _is_unsaid(value):
            return None
        try:
            return int(exact_number(value))
        except ValueError:
            raise self.make_error("invalid") from None


class Timestamp(LenientField[datetime]):
    """An ISO 8601 time as aware UTC; one without an offset is read in ``zone``. ``0000-00-00`` counts as not said."""

    default_error_messages = {"invalid": "Not a readable time."}

    def __init__(self, *, zone: tzinfo = UTC, required: bool = False, data_key: str | None = None) -> None:
        super().__init__(required=required, data_key=data_key)
        self.zone = zone

    def _read(self, value: Any) -> datetime | None:
        if _is_unsaid(value):
            return None
        if not isinstance(value, str):
            raise self.make_error("invalid")
        try:
            return utc_time(value, self.zone)
        except ValueError:
            raise self.make_error("invalid") from None


class Text(LenientField[str]):
    """Text without blanks around it; a number becomes its digits."""

    _read = staticmethod(plain_text)


class MarkupText(Text):
    """Text that may hold HTML entities and tags, as plain text on one line."""

    def _read(self, value: Any) -> str | None:
        text = plain_text(value)
        return None if text is None else html_to_text(text) or None


class Id(LenientField[str]):
    """An id as text, whatever its size; 0 counts as not said."""

    def _read(self, value: Any) -> str | None:
        text = plain_text(value)
        return None if text == "0" else text


class Flag(LenientField[bool]):
    """A yes or no; the words and digits for it are read too. An unknown word counts as not said."""

    def _read(self, value: Any) -> bool | None:
        # Unlike elsewhere, false is an answer here.
        word = str(value).lower()
        return True if word in _TRUE else False if word in _FALSE else None


class TextList(fields.Field[tuple[str, ...]]):
    """Texts: a list of them, or one string with ``separator`` between them. Empty ones are left out."""

    def __init__(self, *, separator: str = ",", data_key: str | None = None) -> None:
        super().__init__(data_key=data_key, load_default=tuple, allow_none=True, pre_load=_or_empty)
        self.separator = separator

    def directly(self, value: Any) -> tuple[str, ...]:
        """Read a value."""
        return self._deserialize(_or_empty(value), None, None)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...]:
        parts = value.split(self.separator) if isinstance(value, str) else value
        if not isinstance(parts, list):
            return ()
        return tuple(text for text in map(plain_text, parts) if text is not None)


class NestedObject(fields.Nested):
    """An object read by ``schema``; None for null, for ``[]``, ``{}`` or anything else that stands in its place."""

    def __init__(self, schema: type[LenientSchema], *, data_key: str | None = None) -> None:
        super().__init__(schema, data_key=data_key, load_default=None, pre_load=_object)
        self._direct = schema()

    def directly(self, value: Any) -> Values | None:
        """Read a value; raises ValidationError."""
        return self._direct.load_directly(value) if isinstance(value, dict) and value else None


class NestedList(fields.List[dict[str, Any]]):
    """A list of objects read by ``schema``; never None. Items that are no objects are left out.

    PHP writes a list with gaps as an object of numbered keys; any other object counts as a list of one.
    """

    def __init__(self, schema: type[LenientSchema], *, data_key: str | None = None) -> None:
        super().__init__(
            fields.Nested(schema), data_key=data_key, load_default=list, allow_none=True, pre_load=_object_list
        )
        self._direct = schema()

    def directly(self, value: Any) -> list[Values]:
        """Read a value; raises ValidationError."""
        return [self._direct.load_directly(item) for item in _object_list(value)]


def items_of(value: Any) -> list[Any]:
    """Give a list's items, also of one that PHP wrote as an object of numbered keys. Anything else is a list of one."""
    if isinstance(value, dict) and all(str(key).isdigit() for key in value):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def load(schema: Schema, body: object) -> Values:
    """Read ``body`` (parsed JSON) with ``schema``.

    Raises: PayloadInvalid, naming the path of every field that does not fit (at most ten), never a value.
    """
    if not isinstance(body, dict):
        raise PayloadInvalid("The body is not a JSON object.")
    try:
        values: Values = schema.load(body)
    except ValidationError as error:
        faults = list(_faults(error.messages_dict))
        shown = " ".join(faults[:_FAULTS_SHOWN])
        raise PayloadInvalid(f"The body does not fit its topic. {shown}") from None
    return values


def _is_unsaid(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str) and not value.strip())


def _or_empty(value: Any) -> Any:
    return [] if value is None else value


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) and value else None


def _object_list(value: Any) -> list[dict[str, Any]]:
    return [item for item in items_of(value) if isinstance(item, dict)]


def _faults(messages: Mapping[Any, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Flatten marshmallow's nested messages to ``line_items.0.price: Not a readable amount.``"""
    for key, inner in messages.items():
        if isinstance(inner, Mapping):
            yield from _faults(inner, (*path, str(key)))
        else:
            yield f"{'.'.join((*path, str(key)))}: {' '.join(inner)}"
