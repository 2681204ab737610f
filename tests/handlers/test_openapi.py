from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from handlers import rest as rest_api
from relay import jsontext
from schemas.api import ContactData, EventData, ProductData
from tests.support.rest import Rest


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


@pytest.fixture
def spec(rest: Rest) -> dict[str, Any]:
    return dict(rest.call("GET", "/openapi.json", key=None).json or {})


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_operation_of_the_integration_is_described(spec: dict[str, Any]) -> None:
    operations = {(path, method) for path, item in spec["paths"].items() for method in item if method != "parameters"}
    assert operations == {
        ("/contacts", "post"),
        ("/contacts", "delete"),
        ("/events", "post"),
        ("/products", "post"),
        ("/contact/{sm_id}", "get"),
        ("/requests/{sought}", "get"),
    }


def test_every_operation_says_what_it_does_and_how_to_sign_in(spec: dict[str, Any]) -> None:
    for path, item in spec["paths"].items():
        for method in item.keys() - {"parameters"}:
            described = item[method]
            assert described["summary"], (path, method)
            assert described["security"] == [{"apiKey": []}, {"bearer": []}]
            assert {"200", "401", "403"} <= described["responses"].keys()
    assert spec["components"]["securitySchemes"].keys() == {"apiKey", "bearer"}


def test_every_reference_leads_somewhere(spec: dict[str, Any]) -> None:
    found = list(references(spec))
    assert found
    for reference in found:
        node: Any = spec
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


@pytest.mark.parametrize(
    ("name", "schema"), [("ContactData", ContactData), ("EventData", EventData), ("ProductData", ProductData)]
)
def test_every_field_with_its_length_is_described(spec: dict[str, Any], name: str, schema: Any) -> None:
    described = spec["components"]["schemas"][name]["properties"]
    assert described.keys() == schema().fields.keys()
    if name == "ProductData":
        assert described["image2_url"]["maxLength"] == 128


def test_examples_are_accepted(rest: Rest, spec: dict[str, Any]) -> None:
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if "requestBody" not in operation:
                continue
            example = operation["requestBody"]["content"]["application/json"]["example"]
            body = jsontext.loads(jsontext.dumps({**example, "group_key": "main"}).encode())
            response = rest.call(method.upper(), path, body, Prefer="respond-async")
            assert response.status_code == 202, (path, method, response.get_data(as_text=True))


def test_docs_page_needs_nothing_from_elsewhere(rest: Rest) -> None:
    response = rest.call("GET", "/docs", key=None)
    page = response.get_data(as_text=True)
    assert response.mimetype == "text/html"
    assert re.findall(r"""(?:https?:)?//[a-z]""", page.replace('"#/"', "")) == []
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    [nonce] = set(re.findall(r'nonce="([^"]+)"', page))
    assert f"script-src 'nonce-{nonce}'" in policy


def test_docs_page_is_well_formed(rest: Rest) -> None:
    class Nesting(HTMLParser):
        open_tags: list[str] = []
        empty = {"meta", "link", "br", "input"}

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.open_tags += [] if tag in self.empty else [tag]

        def handle_endtag(self, tag: str) -> None:
            assert self.open_tags.pop() == tag

    parser = Nesting()
    parser.feed(rest.call("GET", "/docs", key=None).get_data(as_text=True))
    assert parser.open_tags == []


def test_description_can_be_closed(rest: Rest) -> None:
    app = Flask("closed")
    rest_api.install(app, "0.0", docs=False)
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/docs", "/openapi.json")] == [404, 404]
