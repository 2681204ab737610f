"""POST /webhooks/<shop>: the one road of all platforms' deliveries. Verify, store, answer; the worker does the rest."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from handlers.auth import SECRET_HEADERS
from handlers.bodies import raw_body
from handlers.context import Relay, current_relay
from handlers.later import Later
from handlers.replies import json_response
from relay import jsontext
from relay.deliveries import NewDelivery
from relay.errors import SignatureMismatch, StoreUnavailable
from relay.log import get_logger
from relay.metrics import DELIVERIES, WEBHOOK_SECONDS, topic_label
from relay.news import News
from relay.platforms import Headers, Identity, Platform
from relay.shops import Shop
from relay.store import Promise

blueprint = Blueprint("webhooks", __name__)

_log = get_logger(__name__)

_counted = cache(DELIVERIES.labels)  # looked up once: there are few of them

PONG = "pong"
STORED = "stored"
REPEATED = "repeated"

_PING = "ping"
_OTHER_METHODS = ["GET", "PUT", "PATCH", "DELETE"]
_HOW_TO = "This address is right: enter it in the shop's admin as the webhook's URL. Shops deliver by POST."


# Platforms do not follow redirects: with or without a slash at the end, the answer has to come from here.
@blueprint.post("/webhooks/<shop>", strict_slashes=False)
def receive(shop: str) -> Response:
    """Take one delivery of a shop.

    Raises: Refused subclasses, then nothing is stored. The answer says 503 when nothing could be.
    """
    begun = perf_counter()
    try:
        relay = current_relay()
        return _taken(relay, relay.directory.shop(shop), begun)
    except Exception:
        WEBHOOK_SECONDS.observe(perf_counter() - begun)
        raise


@blueprint.route("/webhooks/<shop>", methods=_OTHER_METHODS, strict_slashes=False)
def explain(shop: str) -> Response:
    """Tell somebody who opens a webhook's URL in a browser whether it is right; raises UnknownShop when it is not."""
    current_relay().directory.shop(shop)
    raise MethodNotAllowed(["POST"], _HOW_TO)


def _taken(relay: Relay, shop: Shop, begun: float) -> Response:
    """Do what the request asks for. What is to be stored is on its way then, and the answer waits for it."""
    platform = relay.platforms[shop.platform]
    body = raw_body(relay.settings.max_body_bytes)
    headers = {name.lower(): value for name, value in request.headers}
    if platform.is_ping(body, headers):
        _counted(shop.key, _PING, PONG).inc()
        WEBHOOK_SECONDS.observe(perf_counter() - begun)
        _log.info("ping_answered", shop=shop.key)
        return _answer(PONG)
    identity = _identity(platform, shop, body, headers)
    promise = relay.store.deliveries.record_soon(_delivery(relay, shop, identity, body, headers))

    def settle() -> Response:
        try:
            return _answer(_recorded(relay, shop, identity, promise))
        finally:
            WEBHOOK_SECONDS.observe(perf_counter() - begun)

    return Later(settle, promise)


def _identity(platform: Platform, shop: Shop, body: bytes, headers: Headers) -> Identity:
    """Verify a delivery and read who it is.

    Raises: SignatureMismatch. It is logged: a wrong secret has to be found before the platform gives the webhook up.
    """
    try:
        platform.verify(body, headers, shop.secrets)
        return platform.identify(body, headers, shop)
    except SignatureMismatch as error:
        _log.warning("delivery_refused", shop=shop.key, problem=str(error))
        raise


def _delivery(relay: Relay, shop: Shop, identity: Identity, body: bytes, headers: Headers) -> NewDelivery:
    return NewDelivery(
        platform=shop.platform,
        group=shop.group,
        shop=shop.key,
        topic=identity.topic,
        dedupe=identity.dedupe,
        headers={name: value for name, value in headers.items() if name not in SECRET_HEADERS},
        body=body,
        received_at=relay.clock.now(),
        delivery_id=identity.delivery_id,
        webhook_id=identity.webhook_id,
        event_id=identity.event_id,
        triggered_at=identity.triggered_at,
        api_version=identity.api_version,
    )


def _recorded(relay: Relay, shop: Shop, identity: Identity, promise: Promise[Any, bool]) -> str:
    """Wait until a delivery is on disk and, when it is new, wake a worker; gives the word for what was done.

    Raises: StoreUnavailable, and logs it.
    """
    try:
        repeated = promise.kept()
    except StoreUnavailable as error:
        _log.error("delivery_not_stored", shop=shop.key, topic=identity.topic, problem=str(error))
        raise
    if not repeated:
        relay.wake(News.DELIVERIES)
    outcome = REPEATED if repeated else STORED
    _counted(shop.key, topic_label(relay.platforms[shop.platform], identity.topic), outcome).inc()
    _log.info(
        "delivery_recorded",
        shop=shop.key,
        delivery_id=identity.delivery_id,
        topic=identity.topic,
        outcome=outcome,
    )
    return outcome


@cache
def _answer(outcome: str) -> Response:
    return json_response(HTTPStatus.OK, jsontext.dumps({"status": outcome}))
