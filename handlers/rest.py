"""The REST API as a whole: its routes, its description and the shape of every error."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from handlers import contacts, events, openapi, problems, products, requests
from schemas.api_answers import AnswerSchema

_BLUEPRINTS = (contacts.blueprint, events.blueprint, products.blueprint, requests.blueprint)


def install(app: Flask, version: str, *, docs: bool) -> None:
    """Add the REST API to ``app``; with ``docs`` also /openapi.json and /docs.

    Every error of the app, on whatever route, is answered in the REST API's shape from then on.
    """
    app.config.update(openapi.openapi_config(version, published=docs))
    api = Api()
    api.ERROR_SCHEMA = AnswerSchema
    api.DEFAULT_ERROR_RESPONSE_NAME = None  # each operation names its errors itself
    api.init_app(app)
    for blueprint in _BLUEPRINTS:
        api.register_blueprint(blueprint)
    if docs:
        app.register_blueprint(openapi.blueprint)
    problems.install(app)  # after flask-smorest, whose own handler it replaces
