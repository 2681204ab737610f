"""Answers that wait for their commit: what they say is known once somebody has read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from flask import Flask, Response, current_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Commitment(Protocol):
    """What an answer waits for, and whether that is over."""

    done: bool

    def is_kept_within(self, seconds: float) -> bool:
        """Bring it to an end, unless others are at it for as long."""


class Later(Response):
    """An answer that ``settle`` gives, which is asked when the answer is read, and waits for ``commitment``.

    Until then nobody has to: ``handlers.serving`` takes other requests meanwhile, and all that have come by then share
    a commit. Any other server reads an answer at once, and waits.
    """

    def __init__(self, settle: Callable[[], Response], commitment: Commitment) -> None:
        """Take what gives the answer; what it raises is answered as if the view had raised it."""
        super().__init__()
        self._settle = settle
        self._commitment = commitment
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Awaited:
        """Begin to answer; nothing is waited for yet."""
        return Awaited(lambda: self._given(environ), self._commitment, environ, start_response)

    def _given(self, environ: WSGIEnvironment) -> Response:
        try:
            return self._settle()
        except Exception as error:
            with self._app.request_context(environ):
                return self._app.make_response(self._app.handle_user_exception(error))


class Awaited:
    """The body of such an answer: its status, too, is told when it is read, as WSGI allows (PEP 3333)."""

    def __init__(
        self,
        give: Callable[[], Response],
        commitment: Commitment,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> None:
        self._give = give
        self.commitment = commitment
        self._environ = environ
        self._start_response = start_response

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._give()(self._environ, self._start_response))
