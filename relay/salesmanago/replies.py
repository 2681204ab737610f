"""What an answer means: status and body together, as an ``Answer`` or as the error that says what happens next.

SALESmanago refuses with ``success: false`` in a 200 (v2) or with reason codes (v3). Its words are documented for a few
refusals only, so words nobody has met get a few attempts before the command is given up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from relay import jsontext
from relay.errors import (
    AnswerLost,
    CatalogRefused,
    CommandRefused,
    CredentialsRefused,
    DispatchError,
    SettingsRefused,
    TemporaryFailure,
    Throttled,
    UnclearRefusal,
)
from relay.masking import mask, texts_of
from relay.salesmanago.transport import Reply

Body: TypeAlias = dict[str, Any]
Clean: TypeAlias = Callable[[str], str]

_MESSAGE_LIMIT = 500
_WORDS_READ = 10_000  # of an endless text; the mask need not look at the rest

_NOT_AUTHENTICATED = (
    "Check client_id, api_key, api_secret and endpoint of the group: an account answers on its own host only."
)
_V2_TEXTS: tuple[tuple[re.Pattern[str], type[DispatchError], str], ...] = (
    (re.compile("not authenticated", re.IGNORECASE), CredentialsRefused, _NOT_AUTHENTICATED),
    (re.compile("rate limit|too many requests", re.IGNORECASE), Throttled, ""),
    (re.compile("user cannot be empty", re.IGNORECASE), SettingsRefused, "Check owner of the group."),
    (re.compile("no email specified", re.IGNORECASE), CommandRefused, ""),
    (re.compile("loyalty program", re.IGNORECASE), CommandRefused, ""),
)
_GONE = re.compile("not found|does not exist|no such", re.IGNORECASE)

# A proxy that gave up waiting cannot tell whether the call behind it was taken. A plain 500 is read as "not taken":
# SALESmanago documents neither.
_EFFECT_UNKNOWN = frozenset({502, 504, 520, 524})
_NO_SUCH_PATH = frozenset({404, 405, 410})

_TRIMMED = 12
_KEY_REFUSED = 10
_PERMANENT = frozenset({11, *range(13, 20)})
_PRODUCT_PLACE = re.compile(r"products\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What SALESmanago made of a command. ``problems`` are warnings of a call that succeeded."""

    status: int | None = None  # HTTP status; None when no call was needed
    message: str | None = None
    contact_id: str | None = None
    event_id: str | None = None
    product_ids: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the caller knows about its call that changes what an answer means."""

    repeatable: bool = True  # a second call would do no harm: everything but adding an event
    gone_is_done: bool = False  # a deletion: what is not there has reached its goal


def read_v2(reply: Reply, now: datetime, expected: Expectation, hidden: object) -> tuple[Body, str | None]:
    """Read an answer of API v2: its body, and a note where something about it is odd.

    ``hidden`` is the request, a JSON value: no message may repeat a text of it. Raises: DispatchError subclasses.
    """
    clean = _cleaner(hidden)
    _check_status(reply, now, expected)
    body = _parsed(reply)
    if isinstance(body, dict) and "success" in body:
        if body["success"] is True and reply.status < 300:
            return body, None
        return body, _v2_refusal(reply, body, now, expected, clean)
    if reply.status >= 400:
        raise _unexplained(reply)
    if expected.gone_is_done and not isinstance(body, dict):
        # Deletions have been seen to answer without the usual envelope.
        return {}, "Answered without saying whether it succeeded."
    raise AnswerLost("The answer has not the shape SALESmanago documents.", status=reply.status)


def read_v3(reply: Reply, now: datetime, hidden: object = ()) -> tuple[Body, tuple[str, ...]]:
    """Read an answer of API v3: its body and its warnings; ``hidden`` as in ``read_v2``.

    Raises: DispatchError subclasses.
    """
    clean = _cleaner(hidden)
    body = _parsed(reply) if reply.status < 500 else None
    problems = _problems(body) if isinstance(body, dict) else []
    if any(code != _TRIMMED for code, _ in problems):
        raise _v3_refusal(reply, problems, now, clean)
    _check_status(reply, now, Expectation())
    if reply.status >= 400:
        raise _unexplained(reply)
    if not isinstance(body, dict):
        raise AnswerLost("The answer has not the shape SALESmanago documents.", status=reply.status)
    return body, tuple(clean(words) for _, words in problems)


def words_of(body: Mapping[str, Any]) -> str:
    """Join the texts of ``message`` or ``messages``, a list or a single string."""
    given = body.get("message") or body.get("messages") or []
    texts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return "; ".join(str(text) for text in texts)


def _check_status(reply: Reply, now: datetime, expected: Expectation) -> None:
    """Raise for the statuses that say all there is to say, whatever the body."""
    status = reply.status
    if 300 <= status < 400:
        raise SettingsRefused(_moved(reply), status=status)
    if status in (401, 403):
        raise CredentialsRefused(f"Answered {status}. {_NOT_AUTHENTICATED}", status=status)
    wait = _retry_after(reply, now)
    if status == 429:
        raise Throttled(status=status, retry_after_s=wait)
    if status in _EFFECT_UNKNOWN and not expected.repeatable:
        raise AnswerLost(f"Answered {status}: whether the call was taken is not known.", status=status)
    if status == 408 or status >= 500:
        raise TemporaryFailure(f"Answered {status}.", status=status, retry_after_s=wait)


def _v2_refusal(reply: Reply, body: Body, now: datetime, expected: Expectation, clean: Clean) -> str:
    """Give the note for a refusal that amounts to success; raise for all others."""
    words = words_of(body)
    said = clean(words) or "Refused without a reason."
    if expected.gone_is_done and _GONE.search(words):
        return f"There was nothing to delete: {said}"
    for pattern, refusal, hint in _V2_TEXTS:
        if pattern.search(words):
            raise refusal(_advised(said, hint), status=reply.status, retry_after_s=_retry_after(reply, now))
    if reply.status >= 400:
        raise CommandRefused(said, status=reply.status)
    raise UnclearRefusal(said, status=reply.status)


def _v3_refusal(reply: Reply, problems: list[tuple[int, str]], now: datetime, clean: Clean) -> DispatchError:
    codes = frozenset(code for code, _ in problems) - {_TRIMMED}
    words = "; ".join(words for code, words in problems if code != _TRIMMED)
    said = clean(words) or "Refused without a reason."
    if _KEY_REFUSED in codes:
        hint = "Check catalog.api_key of the group: it may have expired or been revoked."
        return CredentialsRefused(_advised(said, hint), status=reply.status)
    if reply.status == 429 or re.search("rate limit", words, re.IGNORECASE):
        return Throttled(said, status=reply.status, retry_after_s=_retry_after(reply, now))
    if codes & _PERMANENT:
        return CatalogRefused(said, status=reply.status, items=_items(problems, clean), codes=codes)
    return UnclearRefusal(said, status=reply.status)


def _problems(body: Body) -> list[tuple[int, str]]:
    """Give (reason code, words) of every problem, whether the answer lists them or names one for the whole call."""
    listed = body.get("problems")
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    if "reasonCode" in body:
        items.append(body)
    return [(_code(item.get("reasonCode")), words_of(item)) for item in items]


def _code(value: object) -> int:
    """Give a reason code as a number; 0, which SALESmanago does not use, for anything else."""
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0


def _items(problems: list[tuple[int, str]], clean: Clean) -> dict[int, str]:
    """Gather the words about each product under its place in the batch."""
    gathered: dict[int, list[str]] = {}
    for code, words in problems:
        if code != _TRIMMED and (place := _PRODUCT_PLACE.match(words)):
            gathered.setdefault(int(place.group(1)), []).append(words)
    return {index: clean("; ".join(words)) for index, words in gathered.items()}


def _parsed(reply: Reply) -> Any:
    """Parse the body; None for an empty one and for what is no JSON in a refusal, which its status explains."""
    if not reply.body.strip():
        return None
    try:
        return jsontext.loads(reply.body)
    except ValueError as error:
        if reply.status >= 300:
            return None
        raise AnswerLost("The answer is not JSON.", status=reply.status) from error


def _advised(said: str, hint: str) -> str:
    """Put our advice behind the vendor's words."""
    return f"{said.rstrip('.')}. {hint}" if hint else said


def _unexplained(reply: Reply) -> DispatchError:
    if reply.status in _NO_SUCH_PATH:
        return SettingsRefused(f"Answered {reply.status}: no such call there. Check the endpoint.", status=reply.status)
    return CommandRefused(f"Refused with status {reply.status} and no reason.", status=reply.status)


def _moved(reply: Reply) -> str:
    target = urlsplit(reply.headers.get("Location", "")).hostname
    where = f" to {target}" if target else ""
    return f"The endpoint redirects{where}, which is not followed; set the endpoint to the account's own host."


def _retry_after(reply: Reply, now: datetime) -> float | None:
    """Give the seconds that Retry-After (seconds or a date) asks for; None without a readable one."""
    given = reply.headers.get("Retry-After", "").strip()
    if not given:
        return None
    if given.isdecimal():
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _cleaner(hidden: object) -> Clean:
    """Give the function every text of the vendor passes before it is kept; few answers have one, so it gathers late."""
    return lambda text: mask(" ".join(text[:_WORDS_READ].split()), texts_of(hidden))[:_MESSAGE_LIMIT]
