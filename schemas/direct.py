"""A marshmallow schema that loads a sound body in one pass, and leaves every other to marshmallow.

For each field marshmallow looks for validators, hooks, partial loading and places to note errors: several times the
work of reading the value, and the schemas of this folder have hardly any of it. Faults are rare and marshmallow words
them, so a body in which the one pass meets a fault is simply loaded once more, marshmallow's way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing
from marshmallow.utils import set_value


class _Entry(NamedTuple):
    """A field as the one pass needs it."""

    key: str  # in the body
    name: str  # in what is loaded; a dot leads into a table
    table: str | None  # where the name leads to, when it is one step
    is_deep: bool
    read: Callable[[Any], Any]  # from a value that is there; raises ValidationError
    make: Callable[[], Any] | None  # what gives the default
    default: Any  # ``missing`` to leave it out


class DirectSchema(Schema):
    """A schema whose ``load`` gives what marshmallow's gives, several times as fast.

    A field may have a method ``directly`` that does for a value what its ``deserialize`` does. Schemas based on this
    one are nested by their class and have no hooks and no validators of their own; they override ``load`` instead.
    """

    class Meta:
        """The one pass does not look at keys that are not declared."""

        unknown = EXCLUDE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._entries = [_entry(name, field) for name, field in self.load_fields.items()]

    def load(self, data: Any, **options: Any) -> Any:
        """Load as marshmallow does, ``options`` and errors included."""
        if isinstance(data, Mapping) and not any(options.values()):
            try:
                return self.load_directly(data)
            except ValidationError:
                pass
        return super().load(data, **options)

    def load_directly(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Load sound data in one pass. Raises: ValidationError for the first fault, without its path."""
        loaded: dict[str, Any] = {}
        for key, name, table, is_deep, read, make, default in self._entries:
            if key in data:
                value = read(data[key])
            elif make is not None:
                value = make()
            else:
                value = default
            if value is missing:
                continue
            if not is_deep:
                loaded[name] = value
            elif table is None:
                set_value(loaded, name, value)
            else:
                loaded.setdefault(table, {})[name] = value
        return loaded


def _entry(name: str, field: fields.Field[Any]) -> _Entry:
    target = field.attribute or name
    table, dot, leaf = target.partition(".")
    is_one_step = bool(dot) and "." not in leaf
    default = _refusing(field) if field.required else field.load_default
    return _Entry(
        key=field.data_key or name,
        name=leaf if is_one_step else target,
        table=table if is_one_step else None,
        is_deep=bool(dot),
        read=_reader(field),
        make=default if callable(default) else None,
        default=default,
    )


def _refusing(field: fields.Field[Any]) -> Callable[[], Any]:
    return lambda: field.deserialize(missing)


def _reader(field: fields.Field[Any]) -> Callable[[Any], Any]:
    own: Callable[[Any], Any] | None = getattr(field, "directly", None)
    if own is not None:
        return own
    if field.validators or field.pre_load or field.post_load:
        return field.deserialize
    read, is_nullable = field._deserialize, field.allow_none  # noqa: SLF001 - what every field overrides

    def read_value(value: Any) -> Any:
        if value is None:
            return None if is_nullable else field.deserialize(None)
        return read(value, None, None)

    return read_value
