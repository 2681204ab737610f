"""Every error the relay raises on purpose. The class says what happens next.

    ConfigurationError          the process refuses to start; all faults are listed
    RelayError
    |- Refused                  the caller is told no; nothing is stored
    |  |- UnknownShop               404
    |  |- FeedNotFound              404
    |  |- SignatureMismatch         401
    |  |- KeyInvalid                401
    |  |- KeyForbidden              403
    |  |- BodyTooLarge              413
    |  |- BodyEncodingRefused       415
    |  |- RequestMalformed          400
    |  |- RequestInvalid            422, with the fields
    |  `- RequestConflict           409
    |- StoreUnavailable         503 with Retry-After; nothing was acknowledged
    |- TranslationError         dead letter at once; replay after the mend
    |  |- PayloadInvalid            the body does not fit its schema; names the field
    |  `- MappingFailed             a mapping expression failed; names file and key
    `- DispatchError
       |- TemporaryFailure          retried on the schedule (retry_after_s is honoured)
       |  |- Throttled
       |  |- UnclearRefusal         refused in words nobody has met: max_attempts in all, then dead letter
       |  `- Unreachable            nothing was sent: repeating is harmless
       |- AnswerLost                sent, but no answer: an event is looked for before it is repeated
       |- CommandRefused            dead letter with the vendor's words
       |  `- CatalogRefused         the same, with the words about each product of the batch where there are any
       `- CredentialsRefused        the group's lane pauses; its commands keep waiting
          `- SettingsRefused        the same: endpoint, owner or catalogue do not fit the account

``ConfigurationError`` stands outside the root so that a lenient ``except RelayError`` cannot swallow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake in a file somebody wrote: where it is and what to do about it."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


class ConfigurationError(Exception):
    """The configuration cannot be used; ``faults`` lists every mistake found, not only the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class RelayError(Exception):
    """Something went wrong in the relay."""

    def __init__(self, message: str | None = None) -> None:
        # The class docstring is the default message, so every class has to explain itself.
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class Refused(RelayError):
    """The request was refused and nothing was stored."""

    status = 400


class UnknownShop(Refused):
    """No shop of this name is configured; check the last part of the webhook URL."""

    status = 404


class FeedNotFound(Refused):
    """No such feed, or the token is wrong."""

    status = 404


class SignatureMismatch(Refused):
    """The signature is missing, malformed or made with another secret."""

    status = 401


class KeyInvalid(Refused):
    """The API key is missing or unknown; send it as X-API-Key or as Authorization: Bearer."""

    status = 401


class KeyForbidden(Refused):
    """This API key does not open the group named in group_key."""

    status = 403


class BodyTooLarge(Refused):
    """The body is larger than RELAY_MAX_BODY_BYTES."""

    status = 413


class BodyEncodingRefused(Refused):
    """Compressed bodies are not accepted; send the body without Content-Encoding."""

    status = 415


class RequestMalformed(Refused):
    """The body is not JSON."""


class RequestConflict(Refused):
    """A request with this Idempotency-Key is still being worked on; try again shortly."""

    status = 409


class RequestInvalid(Refused):
    """The body does not fit; ``fields`` maps each field's path to its messages."""

    status = 422

    def __init__(self, fields: Mapping[str, Sequence[str]], message: str | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, list[str]] = {name: list(messages) for name, messages in fields.items()}


class StoreUnavailable(RelayError):
    """The store cannot be written right now; nothing was stored, so send it again.

    ``is_busy`` tells that others were writing for as long as there was time, so that nothing was even tried.
    """

    def __init__(self, message: str | None = None, retry_after_s: int = 5, *, is_busy: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_busy = is_busy


class TranslationError(RelayError):
    """The delivery could not be translated."""


class PayloadInvalid(TranslationError):
    """The body does not fit the schema of its topic."""


class MappingFailed(TranslationError):
    """A mapping expression failed on this record."""


class DispatchError(RelayError):
    """The call to SALESmanago did not succeed."""

    def __init__(
        self, message: str | None = None, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class TemporaryFailure(DispatchError):
    """SALESmanago could not take the call right now."""

    max_attempts: int | None = None  # None: as many as the retry schedule has


class Throttled(TemporaryFailure):
    """SALESmanago asked for fewer calls."""


class UnclearRefusal(TemporaryFailure):
    """SALESmanago refused the command in words that do not tell whether a repeat can help."""

    max_attempts = 3


class Unreachable(TemporaryFailure):
    """No connection to SALESmanago could be made, so nothing was sent."""


class AnswerLost(DispatchError):
    """The call was sent but its answer never came, so its effect is unknown."""


class CommandRefused(DispatchError):
    """SALESmanago refused the command for good."""


class CatalogRefused(CommandRefused):
    """SALESmanago's catalogue refused the call.

    ``items`` maps the place in the batch (from 0) to what was wrong with that product. No product of the call counts
    as taken, so the others can be sent again without those. Empty: the words are about the whole call.
    ``codes`` are the reason codes of the answer.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None = None,
        items: Mapping[int, str] | None = None,
        codes: Iterable[int] = (),
    ) -> None:
        super().__init__(message, status=status)
        self.items: dict[int, str] = dict(items or {})
        self.codes = frozenset(codes)


class CredentialsRefused(DispatchError):
    """SALESmanago refused the group's credentials; mend them in the configuration, then resume the group."""


class SettingsRefused(CredentialsRefused):
    """The group's settings do not fit its SALESmanago account; mend the configuration, then resume the group."""
