"""Logs: one JSON object a line on stderr (columns on a terminal), constant event slugs, ids bound once, people masked.

Everything goes through the standard library's handlers, so what gunicorn and other libraries say has the same form.
"""

from __future__ import annotations

import logging.config
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from relay.masking import MASK, mask

# Values of these are ours or ids, which masking would take for phone numbers.
_PLAIN_FIELDS = frozenset(
    {
        "attempt",
        "command",
        "contact_id",
        "delivery",
        "duration_ms",
        "event_id",
        "group",
        "level",
        "logger",
        "method",
        "pid",
        "port",
        "request_id",
        "resource_id",
        "shop",
        "status",
        "timestamp",
        "topic",
        "worker",
    }
)
_SECRET_FIELD = re.compile(
    r"(?i)authorization|cookie|password|passwd|secret|signature|token|api_?key|^sha$|^e?mail|phone|^fax$|address|^name$"
)
_SECRET_QUERY = re.compile(r"(?i)((?:^|[?&])[\w.-]*(?:token|key|secret|password|signature|hmac)[\w.-]*=)[^&\s\"]*")
_ACCESS_LOGGER = "gunicorn.access"
_SERVER_LOGGER = "gunicorn.error"


class Logger:
    """A module's logger. What its level leaves out costs nothing worth naming: nothing is made of it."""

    def __init__(self, name: str) -> None:
        """Log as ``name``, through whatever is configured by then."""
        self._level = logging.getLogger(name)
        self._lines = structlog.stdlib.get_logger(name)

    def debug(self, slug: str, **fields: Any) -> None:
        """Log what only somebody who looks for a fault wants to see."""
        self.log(logging.DEBUG, slug, **fields)

    def info(self, slug: str, **fields: Any) -> None:
        """Log what happened as it should."""
        self.log(logging.INFO, slug, **fields)

    def warning(self, slug: str, **fields: Any) -> None:
        """Log what somebody should look at some time."""
        self.log(logging.WARNING, slug, **fields)

    def error(self, slug: str, **fields: Any) -> None:
        """Log what somebody has to look at."""
        self.log(logging.ERROR, slug, **fields)

    def exception(self, slug: str, **fields: Any) -> None:
        """Log what somebody has to look at, with the exception that is being handled."""
        self.log(logging.ERROR, slug, exc_info=True, **fields)

    def critical(self, slug: str, **fields: Any) -> None:
        """Log what somebody has to look at now."""
        self.log(logging.CRITICAL, slug, **fields)

    def log(self, level: int, slug: str, **fields: Any) -> None:
        """Log at a level of the standard library's."""
        # The first of the processors that are configured below would say so too, but only after a line has been begun.
        by_level = structlog.get_config()["processors"][0] is structlog.stdlib.filter_by_level
        if not by_level or self._level.isEnabledFor(level):
            self._lines.log(level, slug, **fields)


def get_logger(name: str) -> Logger:
    """Give the logger of a module; call it with a slug and fields: ``log.info("delivery_recorded", shop=shop.key)``."""
    return Logger(name)


@contextmanager
def bound(**ids: Any) -> Iterator[None]:
    """Add ``ids`` (shop, delivery, command ...) to every record made inside the block, by this thread."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send all logs of ``level`` ("info") and above to ``stream``, stderr unless given; may be called again."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(logging_config(level, stream))


def logging_config(level: str, stream: TextIO | None = None) -> dict[str, Any]:
    """Give the standard library's logging configuration; gunicorn takes it as ``logconfig_dict``."""
    target = stream or sys.stderr
    passed_on = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "relay": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    _as_request,
                    _masked,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    _renderer(target),
                ],
                "foreign_pre_chain": _common_processors(),
                "pass_foreign_args": True,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "relay", "stream": target}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        "loggers": {
            _SERVER_LOGGER: passed_on | {"level": level.upper()},
            _ACCESS_LOGGER: passed_on | {"level": level.upper()},
            # Their debug lines hold URLs and statements with values in them.
            "urllib3": {"level": "WARNING"},
            "sqlalchemy": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},  # it tells of every plugin it looks at
        },
    }


def redact_query(text: str) -> str:
    """Replace the values of tokens, keys and signatures in a query string, or in a text that holds one, by ``***``."""
    return _SECRET_QUERY.sub(rf"\g<1>{MASK}", text)


def _common_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _renderer(target: TextIO) -> Processor:
    if target.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _as_request(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Turn a line of gunicorn's access log into fields. The caller's address is left out: it may be a person's."""
    atoms = event.pop("positional_args", None)
    if event.get("logger") != _ACCESS_LOGGER or not isinstance(atoms, Mapping):
        return event
    path = f"{atoms['U']}?{atoms['q']}" if atoms["q"] else str(atoms["U"])
    event.update(event="request", method=atoms["m"], path=path)
    event.update(status=int(atoms["s"]), duration_ms=int(atoms["M"]))
    return event


def _masked(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The last line of defence: whatever a call site let through, secrets and people do not reach the log."""
    # Its notices hold addresses and process ids, which masking would take for phone numbers, and nothing else.
    plain_event = event.get("logger") == _SERVER_LOGGER and event.get("level") == "info"
    for key, value in event.items():
        if not key.startswith("_") and not (plain_event and key == "event"):
            event[key] = _masked_value(key, value)
    return event


def _masked_value(key: str, value: Any) -> Any:
    if key in _PLAIN_FIELDS or value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_FIELD.search(key):
        return MASK
    if isinstance(value, Mapping):
        return {inner: _masked_value(str(inner), each) for inner, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_value(key, each) for each in value]
    return mask(redact_query(str(value)))
