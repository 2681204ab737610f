"""The process settings: every ``RELAY_*`` variable as one described object, read once and passed in."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relay.errors import ConfigurationError, Fault
from relay.hints import nearest
from relay.readers import (
    ADDRESS,
    DATABASE_URL,
    LOG_LEVEL,
    PATH,
    SWITCH,
    Address,
    Kind,
    masked_url,
    seconds,
    whole,
)

PREFIX = "RELAY_"
HOME = Path(__file__).resolve().parent.parent
"""The folder of ``app.py`` and ``mappings/``."""

_TEST_VARIABLES = frozenset({"RELAY_SHARED_SAMPLES", "RELAY_REQUIRE_POSTGRES"})
# Kubernetes gives every container these about a service named "relay"; nobody wrote them, so nobody misspelt them.
_SERVICE_LINK = re.compile(r"RELAY(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp)://")
_REFERENCE = re.compile(r"\benv\.([A-Za-z_][A-Za-z0-9_]*)")
_CALL_MARGIN_S = 10  # connecting, and writing down what came of the call


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. A ``derived`` default is only shown: the value follows from other settings."""

    name: str
    kind: Kind
    default: str
    section: str
    description: str
    derived: bool = False

    @property
    def field(self) -> str:
        """The attribute of ``Settings`` that holds the value."""
        return self.name.removeprefix(PREFIX).lower()


def _described(
    section: str, kind: Kind, default: str, description: str, *, derived: bool = False, secret: bool = False
) -> Any:
    described = {"kind": kind, "default": default, "section": section, "description": description, "derived": derived}
    return field(metadata=described, repr=not secret)


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``load_settings`` read. ``environment`` holds the variables a configuration file may refer to."""

    config: Path | None = _described(
        "Files",
        PATH,
        "relay.toml",
        "Configuration file. Without the variable and without relay.toml the built-in demo runs.",
        derived=True,
    )
    data: Path = _described("Files", PATH, "var", "Folder of the SQLite file, locks, sockets and metrics.")
    mappings: Path = _described("Files", PATH, "mappings/ beside app.py", "Folder of the mapping files.", derived=True)
    database_url: str = _described(
        "Store",
        DATABASE_URL,
        "SQLite in RELAY_DATA",
        "sqlite:///path/to/file or postgresql://user:password@host/name.",
        derived=True,
        secret=True,
    )

    keep_days: int = _described(
        "Store",
        whole(30, 36500),
        "730",
        "Days after which deliveries that are through, and old orders, carts and accounts, are deleted.",
    )

    bind: Address = _described("Web", ADDRESS, "127.0.0.1:8000", "Where to listen.")
    web_processes: int = _described("Web", whole(1, 64), "2", "Processes that answer requests.")
    web_threads: int = _described("Web", whole(1, 256), "16", "Threads of each of these processes; webhooks need none.")
    max_body_bytes: int = _described("Web", whole(1024), "5242880", "Larger bodies are answered 413.")
    trusted_proxies: int = _described(
        "Web", whole(0, 10), "0", "How many proxies in front set X-Forwarded-For and X-Forwarded-Proto."
    )
    api_wait_s: float = _described(
        "Web", seconds(0, 30), "5", "How long a REST call waits for SALESmanago before it is answered 202."
    )
    metrics: bool = _described("Web", SWITCH, "on", "Whether /metrics answers.")
    docs: bool = _described("Web", SWITCH, "on", "Whether /docs and /openapi.json answer.")

    worker: bool = _described("Worker", SWITCH, "on", "Whether gunicorn runs a worker beside the web processes.")
    worker_processes: int = _described("Worker", whole(1, 64), "2", "Worker processes beside the web processes.")
    poll_s: float = _described(
        "Worker", seconds(0.05, 60), "1", "How often an idle worker looks for work it was not woken for."
    )
    lease_s: float = _described(
        "Worker", seconds(5, 3600), "60", "How long a call may be under way before its outcome counts as unknown."
    )
    send_timeout_s: float = _described("Worker", seconds(1, 600), "30", "How long SALESmanago may take for an answer.")
    max_attempts: int = _described(
        "Worker", whole(1, 1000), "30", "Attempts at one command before it becomes a dead letter."
    )
    test_orders: bool = _described("Worker", SWITCH, "off", "Whether orders marked as tests are sent.")

    log_level: str = _described("Operation", LOG_LEVEL, "info", "The least severe level that is logged.")
    sandbox_bind: Address = _described(
        "Operation", ADDRESS, "127.0.0.1:8001", "Where the SALESmanago simulator listens."
    )

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def demo(self) -> bool:
        """Whether the built-in demo stands in for a configuration file."""
        return self.config is None


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(name=PREFIX + each.name.upper(), **each.metadata) for each in dataclasses.fields(Settings) if each.metadata
)


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting with its value of today, fit to be shown: passwords are masked."""

    setting: Setting
    value: str
    source: str  # "environment" or "default"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read all settings; an empty variable counts as not set.

    Raises: ConfigurationError with every fault: values that do not fit, names nobody knows, a missing file.
    """
    given = {name: text for name, text in environ.items() if text}
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = given.get(setting.name, "" if setting.derived else setting.default)
        try:
            values[setting.field] = setting.kind.read(text) if text else None
        except ValueError as error:
            faults.append(Fault(setting.name, f"{error} (it must be {setting.kind.words})"))
    _derive(values)
    faults += _unknown(given, values.get("config"))
    faults += _contradictions(values)
    if faults:
        raise ConfigurationError(faults)
    return Settings(**values, environment=dict(environ))


def view(settings: Settings) -> list[SettingView]:
    """List every setting with its value and where it came from, in the order of ``SETTINGS``."""
    return [
        SettingView(
            setting,
            _shown(getattr(settings, setting.field)),
            "environment" if settings.environment.get(setting.name) else "default",
        )
        for setting in SETTINGS
    ]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return "built-in demo" if value is None else masked_url(str(value))


def _derive(values: dict[str, Any]) -> None:
    """Fill in what follows from other settings or from what is on the disk."""
    if values.get("config", ...) is None and Path("relay.toml").exists():
        values["config"] = Path("relay.toml").absolute()
    if values.get("mappings", ...) is None:
        values["mappings"] = HOME / "mappings"
    if values.get("database_url", ...) is None and "data" in values:
        values["database_url"] = f"sqlite:///{values['data'] / 'relay.sqlite3'}"


def _unknown(given: Mapping[str, str], config: Path | None) -> Iterator[Fault]:
    """Find ``RELAY_*`` variables that are no settings and that the configuration file does not refer to either."""
    known = {setting.name for setting in SETTINGS}
    allowed = known | _TEST_VARIABLES | _references(config)
    for name in sorted(given):
        if not name.startswith(PREFIX) or name in allowed:
            continue
        if _SERVICE_LINK.fullmatch(name) or _SERVICE_ADDRESS.match(given[name]):
            continue
        yield Fault(name, f"there is no such setting{nearest(name, known)}")


def _references(config: Path | None) -> set[str]:
    try:
        return set(_REFERENCE.findall(config.read_text(encoding="utf-8"))) if config else set()
    except (OSError, UnicodeDecodeError):
        return set()  # Told by whoever reads the file for what is in it.


def _contradictions(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Find settings that are fine alone and wrong together."""
    config = values.get("config")
    if config is not None and not config.is_file():
        yield Fault("RELAY_CONFIG", f"there is no file {config}; create it, or unset the variable to run the demo")
    if "config" in values and config is None:
        yield from _demo_exposed(values)
    lease_s, timeout_s = values.get("lease_s"), values.get("send_timeout_s")
    if lease_s and timeout_s and lease_s < timeout_s + _CALL_MARGIN_S:
        yield Fault(
            "RELAY_LEASE_S",
            f"must be at least {_CALL_MARGIN_S} more than RELAY_SEND_TIMEOUT_S ({timeout_s:g}), "
            "or work would be taken from a worker that still waits for an answer",
        )


def _demo_exposed(values: Mapping[str, Any]) -> Iterator[Fault]:
    for name in ("bind", "sandbox_bind"):
        address = values.get(name)
        if address is not None and not address.is_loopback:
            yield Fault(
                PREFIX + name.upper(),
                f"the built-in demo listens on this machine only, not on {address}; "
                "write a relay.toml (see relay.example.toml) or name one with RELAY_CONFIG",
            )
