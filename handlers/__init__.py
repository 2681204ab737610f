"""The HTTP edge. Shop platforms are found here, never listed: a module that declares ``PLATFORM`` is one."""

from __future__ import annotations

import importlib
import pkgutil

from relay.errors import ConfigurationError, Fault
from relay.platforms import Platform


def discover_platforms() -> dict[str, Platform]:
    """Give every platform declared by a module of this package, by its name, in alphabetical order of the modules.

    Raises: ConfigurationError when two modules claim one name, or when a ``PLATFORM`` is something else.
    """
    found: dict[str, Platform] = {}
    owners: dict[str, str] = {}
    faults: list[Fault] = []
    for module_name in sorted(module.name for module in pkgutil.iter_modules(__path__, f"{__name__}.")):
        declared = getattr(importlib.import_module(module_name), "PLATFORM", None)
        if declared is None:
            continue
        if not isinstance(declared, Platform):
            faults.append(Fault(module_name, "PLATFORM must be a relay.platforms.Platform"))
        elif declared.name in owners:
            problem = f'{owners[declared.name]} is already the platform "{declared.name}"; give this one another name'
            faults.append(Fault(module_name, problem))
        else:
            found[declared.name], owners[declared.name] = declared, module_name
    if faults:
        raise ConfigurationError(faults)
    return found
