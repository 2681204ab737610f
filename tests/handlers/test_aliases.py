from __future__ import annotations

import pytest
from flask import Flask, request, url_for

from handlers.aliases import Aliases


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)

    def where(rest: str) -> dict[str, str]:
        return {"path": request.path, "link": url_for("where", rest="contacts")}

    app.add_url_rule("/<path:rest>", "where", where, methods=["GET", "POST", "DELETE"])
    app.wsgi_app = Aliases(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents this way of wrapping it
    return app


@pytest.mark.parametrize("prefix", ["/Production", "/v1"])
@pytest.mark.parametrize("path", ["/contacts", "/contact/c-1", "/events", "/products", "/requests/r-1"])
def test_rest_routes_also_answer_under_a_prefix_and_links_keep_it(app: Flask, prefix: str, path: str) -> None:
    answer = app.test_client().post(prefix + path).json
    assert answer == {"path": path, "link": f"{prefix}/contacts"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/webhooks/acme",
        "/v1/feeds/main.xml",
        "/v1/healthz",
        "/v2/contacts",
        "/v1/v1/contacts",
        "/v1/contactsx",
    ],
)
def test_other_paths_stay_as_they_are(app: Flask, path: str) -> None:
    answer = app.test_client().get(path).json
    assert answer == {"path": path, "link": "/contacts"}
