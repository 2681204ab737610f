"""POST /webhooks/<shop>: the one road of all platforms' deliveries. Verify, store, answer; the worker does the rest."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from handlers.auth import SECRET_HEADERS
from handlers.bodies import raw_body
from handlers.context import Relay, current_relay
from handlers.replies import json_response
from relay import jsontext
from relay.deliveries import NewDelivery, Recorded
from relay.errors import SignatureMismatch, StoreUnavailable
from relay.log import get_logger
from relay.metrics import DELIVERIES, WEBHOOK_SECONDS, topic_label
from relay.platforms import Headers, Identity, Platform
from relay.shops import Shop

blueprint = Blueprint("webhooks", __name__)

_log = get_logger(__name__)

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

    Raises: Refused subclasses, then nothing is stored; StoreUnavailable, when nothing could be.
    """
    with WEBHOOK_SECONDS.time():
        relay = current_relay()
        return _answer(_outcome(relay, relay.directory.shop(shop)))


@blueprint.route("/webhooks/<shop>", methods=_OTHER_METHODS, strict_slashes=False)
def explain(shop: str) -> Response:
    """Tell somebody who opens a webhook's URL in a browser whether it is right; raises UnknownShop when it is not."""
    current_relay().directory.shop(shop)
    raise MethodNotAllowed(["POST"], _HOW_TO)


def _outcome(relay: Relay, shop: Shop) -> str:
    """Do what the request asks for, and give the word for it. It is on disk when this says that it is stored."""
    platform = relay.platforms[shop.platform]
    body = raw_body(relay.settings.max_body_bytes)
    headers = {name.lower(): value for name, value in request.headers}
    if platform.is_ping(body, headers):
        DELIVERIES.labels(shop.key, _PING, PONG).inc()
        _log.info("ping_answered", shop=shop.key)
        return PONG
    identity = _identity(platform, shop, body, headers)
    recorded = _record(relay, shop, identity, body, headers)
    outcome = REPEATED if recorded.repeated else STORED
    DELIVERIES.labels(shop.key, topic_label(platform, identity.topic), outcome).inc()
    _log.info("delivery_recorded", shop=shop.key, delivery=recorded.id, topic=identity.topic, outcome=outcome)
    return outcome


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


def _record(relay: Relay, shop: Shop, identity: Identity, body: bytes, headers: Headers) -> Recorded:
    """Commit a delivery and, when it is new, wake a worker. Raises: StoreUnavailable, and logs it."""
    new = NewDelivery(
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
    try:
        recorded = relay.store.deliveries.record(new)
    except StoreUnavailable as error:
        _log.error("delivery_not_stored", shop=shop.key, topic=identity.topic, problem=str(error))
        raise
    if not recorded.repeated:
        relay.wake()
    return recorded


def _answer(outcome: str) -> Response:
    return json_response(HTTPStatus.OK, jsontext.dumps({"status": outcome}))
