"""References to environment variables in the configuration: ``{{ env.NAME }}`` and ``{{ env.NAME | optional }}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from relay.errors import Fault

_REFERENCE = re.compile(r"\{\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*(\|\s*optional\s*)?\}\}")
_NOTHING = object()


class Resolver:
    """Replaces references by the variables' values and notes every one that has none in ``faults``."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[Fault] = []

    def table(self, table: Mapping[str, Any], where: str = "") -> dict[str, Any]:
        """Resolve all texts of a table. What an optional reference leaves empty is dropped, as if never written."""
        prefix = f"{where}." if where else ""
        resolved = {key: self._value(value, prefix + key) for key, value in table.items()}
        return {key: value for key, value in resolved.items() if value is not _NOTHING}

    def _value(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return self.table(value, where)
        if isinstance(value, list):
            items = [self._value(item, f"{where}[{place}]") for place, item in enumerate(value)]
            return [item for item in items if item is not _NOTHING]
        if isinstance(value, str) and "{{" in value:
            return self._text(value, where)
        return value

    def _text(self, text: str, where: str) -> Any:
        if "{{" in _REFERENCE.sub("", text):
            self.faults.append(Fault(where, "only {{ env.NAME }} and {{ env.NAME | optional }} are understood here"))
            return _NOTHING
        missing = [name for name, optional in _REFERENCE.findall(text) if not (optional or self._environment.get(name))]
        for name in missing:
            state = "empty" if name in self._environment else "not set"
            problem = f"the environment variable {name} is {state}; set it, or write {{{{ env.{name} | optional }}}}"
            self.faults.append(Fault(where, problem))
        resolved = _REFERENCE.sub(lambda found: self._environment.get(found[1], ""), text)
        return _NOTHING if missing or not resolved else resolved
