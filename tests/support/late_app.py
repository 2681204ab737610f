"""The relay behind a layer that holds every webhook's answer back: to be killed between the commit and the answer."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

from app import create_app

app = create_app()
_inner = app.wsgi_app


def _late(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    answer = list(_inner(environ, start_response))
    if environ["PATH_INFO"].startswith("/webhooks/"):
        time.sleep(float(os.environ["LATE_S"]))
    return answer


app.wsgi_app = _late  # type: ignore[method-assign]
