from __future__ import annotations

import socket

import pytest
from werkzeug import Response

from cli.posting import Mode, post, sendings
from cli.sample_files import demo_life
from relay import jsontext
from tests.support.cli import PLATFORMS, shop

SHOPIFY = PLATFORMS["shopify"]
ACME = shop("acme", "shopify", domains=("acme.myshopify.com",))


@pytest.fixture
def outgoing(clock):
    return sendings(ACME, SHOPIFY, demo_life(SHOPIFY), Mode.AGAIN, clock.now())


def ids(mode, clock):
    return [sending.delivery_id for _, sending in sendings(ACME, SHOPIFY, demo_life(SHOPIFY), mode, clock.now())]


def bodies(mode, clock):
    return [sending.body for _, sending in sendings(ACME, SHOPIFY, demo_life(SHOPIFY), mode, clock.now())]


def test_only_as_is_keeps_delivery_ids(clock):
    assert ids(Mode.AS_IS, clock) == ids(Mode.AS_IS, clock)
    for mode in (Mode.AGAIN, Mode.FRESH):
        assert set(ids(mode, clock)).isdisjoint(ids(mode, clock))
    assert len(set(ids(Mode.AS_IS, clock))) == len(demo_life(SHOPIFY))


def test_only_fresh_changes_bodies(clock):
    plain = [sample.path.read_bytes() for sample in demo_life(SHOPIFY)]
    assert bodies(Mode.AS_IS, clock) == bodies(Mode.AGAIN, clock) == plain
    assert bodies(Mode.FRESH, clock) != plain


def test_deliveries_arrive_in_order_and_pass_the_platforms_own_check(httpserver, outgoing):
    httpserver.expect_request("/webhooks/acme", method="POST").respond_with_json({"status": "stored"})
    posted = list(post(outgoing, httpserver.url_for("").rstrip("/"), PLATFORMS))
    assert [(each.status, each.answer, each.taken) for each in posted] == [(200, "stored", True)] * len(outgoing)
    for (request, _), (sample, sending) in zip(httpserver.log, outgoing, strict=True):
        headers = {name.lower(): value for name, value in request.headers.items()}
        SHOPIFY.verify(request.get_data(), headers, ACME.secrets)
        identity = SHOPIFY.identify(request.get_data(), headers, ACME)
        assert (identity.topic, identity.delivery_id) == (sample.topic, sending.delivery_id)


@pytest.mark.parametrize(
    ("response", "status", "answer"),
    [
        (Response('{"status":"repeated"}'), 200, "repeated"),
        (Response('{"success":false,"messages":["The signature is wrong."]}', 401), 401, "The signature is wrong."),
        (Response('{"success":false,"messages":[]}', 503), 503, "SERVICE UNAVAILABLE"),
        (Response("<html>", 404), 404, "NOT FOUND"),
        (Response("[]", 200), 200, "OK"),
        (Response("", 302, headers={"Location": "/elsewhere"}), 302, "FOUND"),
    ],
)
def test_what_the_relay_answers_is_told(httpserver, outgoing, response, status, answer):
    httpserver.expect_request("/webhooks/acme").respond_with_response(response)
    (posted,) = post(outgoing[:1], httpserver.url_for("").rstrip("/"), PLATFORMS)
    assert (posted.status, posted.answer, posted.taken) == (status, answer, status == 200)


def test_where_nothing_listens_the_way_out_is_told(outgoing):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Exception, match=f"Nothing listens at {url}; start it with `make run`."):
        list(post(outgoing, url, PLATFORMS))


def test_something_else_that_listens_is_told_too(outgoing):
    with pytest.raises(Exception, match="does not answer: InvalidSchema"):
        list(post(outgoing, "ftp://127.0.0.1", PLATFORMS))


def test_a_proxy_of_the_environment_is_passed_by(httpserver, outgoing, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    httpserver.expect_request("/webhooks/acme").respond_with_data(jsontext.dumps({"status": "stored"}))
    (posted,) = post(outgoing[:1], httpserver.url_for("").rstrip("/"), PLATFORMS)
    assert posted.taken
