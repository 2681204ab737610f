"""The REST API's other addresses: ``/v1/...``, and ``/Production/...`` for clients of the older integration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Only the REST API: a webhook or feed address is copied from its own documentation and has one form.
_ALIAS = re.compile(r"(?P<prefix>/(?:Production|v1))(?P<path>/(?:contacts|contact|events|products|requests)(?:/.*)?)")


class Aliases:
    """WSGI middleware that moves a known prefix from the path to SCRIPT_NAME, so that links in answers keep it."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request under its plain path."""
        found = _ALIAS.fullmatch(environ.get("PATH_INFO", ""))
        if found:
            script_name = environ.get("SCRIPT_NAME", "") + found["prefix"]
            environ = {**environ, "SCRIPT_NAME": script_name, "PATH_INFO": found["path"]}
        return self._app(environ, start_response)
