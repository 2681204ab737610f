"""The shape of a mapping file: its tables, the SALESmanago fields each may fill, and what may stand for a value.

Only the shape: what an expression says is the business of ``relay/translation``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from relay.hints import listed, nearest
from schemas.api import ContactData, EventData, ProductData
from schemas.catalog import ProductSchema
from schemas.salesmanago import DETAILS, EVENT_TYPES, ContactSchema, EventSchema

MAPPING_NAME = r"[a-z0-9_-]+"
"""What a mapping may be called; with ``.toml`` behind it, it is the file's name, so no path can be spelt with it."""

PROPERTIES = "properties"
LIST_FIELDS = ("products", *DETAILS)
"""The event fields that SALESmanago reads lists from."""

# Objects in a list, which no expression makes; the REST API takes them as they are.
_NOT_MAPPED = frozenset({PROPERTIES, "consentDetails"})

TARGETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "contact": tuple(name for name in ContactSchema().fields if name not in _NOT_MAPPED),
        "event": (*EventSchema().fields, *DETAILS),
        "product": tuple(ProductSchema().fields),
        "api.contacts": tuple(name for name in ContactData().fields if name not in _NOT_MAPPED),
        "api.events": tuple(EventData().fields),
        "api.products": tuple(ProductData().fields),
    }
)
"""Table -> the fields it may fill, without ``properties``, which has a table of its own in the contact's."""

API_NAMES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "api.contacts": frozenset(ContactData().fields),
        "api.events": frozenset(EventData().fields),
        "api.products": frozenset(ProductData().fields),
    }
)
"""Table -> the integration's own names: the keys of ``data`` that need no line in it."""

KeyPath = tuple[str, ...]
"""Where something stands in a mapping file: ``("event", "PURCHASE", "detail1")``."""

_SCALARS = (str, int, Decimal, date)  # a bool is an int, a datetime a date
_LONGEST_SEPARATOR = 5


class MappingValue(fields.Field[Any]):
    """A text with or without ``{{ }}``, a number, true or false, a date, or a list of these."""

    default_error_messages = {
        "invalid": "Must be a text, a number, true or false, a date, or a list of these.",
        "zone": "Give a time with its offset from UTC, like 2026-11-24T10:00:00Z.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, _SCALARS):
                raise self.make_error("invalid")
            if isinstance(item, datetime) and item.tzinfo is None:
                raise self.make_error("zone")
        return value


class Properties(fields.Field[Any]):
    """A table of values under names of the integrator's own choice."""

    default_error_messages = {"invalid": "Must be a table, as in [contact.properties]."}
    _value = MappingValue()

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        faults: dict[str, list[Any]] = {}
        for name, item in value.items():
            try:
                self._value.deserialize(item)
            except ValidationError as error:
                faults[name] = list(error.messages)
        if faults:
            raise ValidationError(dict(faults))
        return value


class Table(Schema):
    """A table of a mapping file; says of an unknown key which one was probably meant."""

    class Meta:
        """Unknown keys are refused below, in words that help more than marshmallow's."""

        unknown = EXCLUDE

    error_messages = {"type": "Must be a table, as in [contact]."}

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown(self, data: Mapping[str, Any], original: Any, **kwargs: Any) -> None:
        """Name every key that does not exist."""
        known = self.fields
        unknown = [key for key in original if key not in known] if isinstance(original, Mapping) else []
        if unknown:
            raise ValidationError(
                {
                    key: [f"Does not exist here{nearest(key, known) or f'; these do: {listed(known)}'}"]
                    for key in unknown
                }
            )


def _table(name: str, extra: Mapping[str, fields.Field[Any]] | None = None) -> fields.Nested:
    members: dict[str, fields.Field[Any]] = {target: MappingValue() for target in TARGETS[name]}
    return _nested(name, {**members, **(extra or {})})


def _nested(name: str, members: Mapping[str, fields.Field[Any]]) -> fields.Nested:
    return fields.Nested(Table.from_dict(dict(members), name=f"Mapping[{name}]"))


def _separators() -> fields.Nested:
    separator = validate.Length(max=_LONGEST_SEPARATOR, error="A separator has at most {max} characters.")
    return _nested("event.lists", {name: fields.String(validate=separator) for name in LIST_FIELDS})


MAPPING_FILE = Table.from_dict(
    {
        "extends": fields.String(
            validate=validate.Regexp(rf"{MAPPING_NAME}\Z", error="Must be the name of a mapping: a-z, 0-9, _ and -.")
        ),
        "contact": _table("contact", {PROPERTIES: Properties()}),
        "event": _table("event", {"lists": _separators(), **{name: _table("event") for name in sorted(EVENT_TYPES)}}),
        "product": _table("product"),
        "api": _nested(
            "api",
            {
                "contacts": _table("api.contacts", {PROPERTIES: Properties()}),
                "events": _table("api.events"),
                "products": _table("api.products"),
            },
        ),
    },
    name="MappingFile",
)()
"""The schema of a whole file."""


def shape_faults(document: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """Give every key of a parsed file that does not belong or holds the wrong kind of value, with what is wrong."""
    return sorted(_flat(MAPPING_FILE.validate(document)))


def _flat(messages: Mapping[Any, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    for key, inner in messages.items():
        # Marshmallow puts what is wrong with a table as a whole under this word.
        here = path if key == "_schema" else (*path, str(key))
        if isinstance(inner, Mapping):
            yield from _flat(inner, here)
        else:
            yield here, " ".join(map(str, inner))
