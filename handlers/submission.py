"""The one road of a REST write: key, body, check, store, wait for SALESmanago, answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request, url_for
from werkzeug.exceptions import NotFound

from handlers.auth import SECRET_HEADERS, authenticated, check_group_key
from handlers.bodies import parsed, raw_body
from handlers.context import Relay, current_relay, request_id
from handlers.outcomes import Outcome, outcome, pending
from handlers.replies import json_response, reply
from handlers.waiting import wait_of
from relay import jsontext
from relay.deliveries import DeliveryState, NewDelivery, Translation
from relay.errors import RequestInvalid, StoreUnavailable
from relay.log import get_logger
from relay.metrics import DELIVERIES
from relay.news import News
from relay.shops import Group
from relay.store import DeliveryFilter
from relay.translation.api import API_PLATFORM, REQUEST_ID, RESOURCE_KIND, TOPICS, ApiCall, api_translation
from schemas.api import read_envelope

_log = get_logger(__name__)

_IDEMPOTENCY_HEADER = "Idempotency-Key"
_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class _Idempotency:
    """What tells a repeat: digests of the caller's key, with all it counts for, and of the body."""

    key: str
    body_digest: str


@dataclass(frozen=True, slots=True)
class _Stored:
    """A REST delivery as far as its answer depends on it."""

    id: int
    request_id: str
    state: DeliveryState
    reason: str | None
    warnings: Sequence[str]
    product_ids: Sequence[str] = ()


def submit(topic: str) -> Response:
    """Take this request as a write of ``topic`` and answer it.

    Raises: Refused subclasses and TranslationError, then nothing is stored; StoreUnavailable, when nothing could be.
    """
    relay = current_relay()
    group = authenticated(relay.directory)
    body = raw_body(relay.settings.max_body_bytes)
    envelope = read_envelope(parsed(body), bare=TOPICS[topic].bare)
    check_group_key(group, envelope.group_key)
    call = ApiCall(topic, envelope.data, request_id(), relay.clock.now())
    translation = api_translation(call, group, relay.mappings[group.mapping])
    idempotency = _idempotency(group, body)
    if idempotency is None:
        dedupe = jsontext.digest([API_PLATFORM, call.request_id])
        return _answer(relay, _store(relay, _delivery(group, call, body, dedupe), translation))
    first = relay.store.answers.begin(idempotency.key, idempotency.body_digest, call.received_at)
    if first is not None:
        return json_response(first.status, first.body)
    delivery = _delivery(group, call, body, _dedupe(idempotency, call))
    response = _answer(relay, _store(relay, delivery, translation))
    _keep_answer(relay, idempotency, response)
    return response


def outcome_of_request(relay: Relay, group: Group, sought: str) -> Response:
    """Answer what became of the request of this id; raises NotFound when the group has none."""
    chosen = DeliveryFilter(group=group.key, resource_kind=RESOURCE_KIND, resource_id=sought)
    found = relay.store.reading.deliveries(chosen, limit=1)
    if not found:
        raise NotFound("This key's group has no request with this id.")
    [view] = found
    return _reply(_look(relay, _Stored(view.id, sought, view.state, view.reason, view.warnings)), sought)


def _store(relay: Relay, new: NewDelivery, translation: Translation) -> _Stored:
    """Commit the delivery with its commands and wake a worker; gives the first one when this is a repeat of it."""
    asked = new.headers[REQUEST_ID]
    recorded = relay.store.deliveries.record(new, translation)
    relay.wake(News.COMMANDS)
    first = relay.store.reading.delivery(recorded.id) if recorded.repeated else None
    DELIVERIES.labels(API_PLATFORM, new.topic, "repeated" if recorded.repeated else "stored").inc()
    if first is not None:
        return _Stored(first.id, first.resource_id or asked, first.state, first.reason, first.warnings)
    _log.info("delivery_recorded", delivery=recorded.id, request_id=asked, group=new.group, topic=new.topic)
    fed = () if translation.commands else tuple(item.product_id for item in translation.items)
    return _Stored(recorded.id, asked, translation.state, translation.reason, translation.warnings, fed)


def _delivery(group: Group, call: ApiCall, body: bytes, dedupe: str) -> NewDelivery:
    headers = {name.lower(): value for name, value in request.headers if name.lower() not in SECRET_HEADERS}
    return NewDelivery(
        platform=API_PLATFORM,
        group=group.key,
        shop=None,
        topic=call.topic,
        dedupe=dedupe,
        headers=headers | {REQUEST_ID: call.request_id},
        body=body,
        received_at=call.received_at,
    )


def _answer(relay: Relay, stored: _Stored) -> Response:
    """Wait for SALESmanago as long as the caller wants to, and answer what is known then."""
    wait_s = wait_of(request.headers.get("Prefer"), relay.settings.api_wait_s)
    seen = relay.waiting.until(lambda: _look(relay, stored), lambda each: each.settled, wait_s)
    return _reply(seen, stored.request_id)


def _look(relay: Relay, stored: _Stored) -> Outcome:
    try:
        commands = relay.store.commands.of_delivery(stored.id)
    except StoreUnavailable:
        # It is committed: a 503 would say that it was not, and have it sent again.
        return pending()
    return outcome(stored.state, stored.reason, stored.warnings, commands, stored.product_ids)


def _reply(seen: Outcome, asked: str) -> Response:
    headers = {} if seen.settled else {"Location": url_for("requests.request_outcome", sought=asked)}
    more = {"requestId": asked} | seen.more
    return reply(seen.status, success=seen.success, messages=seen.messages, headers=headers, **more)


def _idempotency(group: Group, body: bytes) -> _Idempotency | None:
    """Read the Idempotency-Key, which counts for one group, method and path; raises RequestInvalid."""
    key = request.headers.get(_IDEMPOTENCY_HEADER, "").strip()
    if not key:
        return None
    if len(key) > _LONGEST_KEY:
        raise RequestInvalid({_IDEMPOTENCY_HEADER: [f"Longer than {_LONGEST_KEY} characters."]})
    scope = [group.key, request.method, request.path, key]
    return _Idempotency(jsontext.digest(scope), hashlib.sha256(body).hexdigest())


def _dedupe(idempotency: _Idempotency, call: ApiCall) -> str:
    """Recognise the repeat of a request whose process died between storing and answering.

    The day is part of it, because a key may be used for something new once its answer is forgotten.
    """
    day = call.received_at.date().isoformat()
    return jsontext.digest([API_PLATFORM, idempotency.key, idempotency.body_digest, day])


def _keep_answer(relay: Relay, idempotency: _Idempotency, response: Response) -> None:
    try:
        relay.store.answers.finish(idempotency.key, response.status_code, response.get_data(), relay.clock.now())
    except StoreUnavailable:
        # The write itself is stored; a repeat will find it by its dedupe.
        _log.warning("answer_not_kept", request_id=request_id())
