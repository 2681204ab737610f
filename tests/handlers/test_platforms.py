"""What every platform's deliveries go through, one suite for all that there are."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handlers import discover_platforms
from handlers.auth import SECRET_HEADERS
from relay import jsontext
from relay.deliveries import DeliveryState
from relay.news import News
from relay.signatures import sign
from tests.support.platforms import (
    BODY,
    MAX_BODY_BYTES,
    NOW,
    OLD_SECRET,
    SECRET,
    Edge,
    refusal,
    signature_header,
    signed_headers,
    status,
    topic_header,
    without,
)

PLATFORMS = sorted(discover_platforms())
BAD_SIGNATURES = {
    "empty": "",
    "blank": "   ",
    "no base64": "this is no signature!",
    "hex instead of base64": "5ee47c5f" * 8,
    "not padded": base64.b64encode(b"x" * 32).decode().rstrip("="),
    "too short": base64.b64encode(b"x" * 31).decode(),
    "too long": base64.b64encode(b"x" * 33).decode(),
    "not ASCII": "é" * 44,
    "digits of another script": "²" * 44,
    "of another body": sign(b"{}", SECRET),
    "with a secret that is empty": sign(BODY, ""),
    "two at once": f"{sign(BODY, SECRET)}, {sign(BODY, SECRET)}",
    "very long": "A" * 4000,
}


@pytest.fixture
def edge(tmp_path: Path, sqlite_url: str) -> Iterator[Edge]:
    with Edge(tmp_path, sqlite_url) as edge:
        yield edge


@pytest.fixture(params=PLATFORMS)
def shop(request: pytest.FixtureRequest) -> str:
    """The shop of each platform in turn; it bears the platform's name."""
    return str(request.param)


def test_the_platforms_of_this_version_are_found() -> None:
    assert {"shopify", "woocommerce"} <= set(PLATFORMS)


def test_delivery_is_stored_as_received_and_a_worker_woken(edge: Edge, shop: str) -> None:
    assert status(edge.deliver(shop)) == "stored"
    [stored] = edge.deliveries()
    assert (stored.platform, stored.shop, stored.group, stored.topic) == (shop, shop, "main", edge.sending(shop).topic)
    assert (stored.state, stored.received_at, stored.body) == (DeliveryState.RECEIVED, NOW, BODY)
    assert stored.headers is not None
    assert {name.lower(): value for name, value in edge.headers(shop).items()}.items() <= stored.headers.items()
    assert (edge.woken, edge.told) == (1, News.DELIVERIES)


@pytest.mark.parametrize("name", sorted(SECRET_HEADERS))
def test_headers_that_are_secrets_are_not_stored(edge: Edge, shop: str, name: str) -> None:
    assert status(edge.post(shop, BODY, edge.headers(shop) | {name: "invented-credential"})) == "stored"
    [stored] = edge.deliveries()
    assert stored.headers is not None
    assert "invented-credential" not in str(stored.headers)
    assert stored.headers.keys() == {name.lower() for name in stored.headers}


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_secret_is_accepted_before_and_after_a_change(edge: Edge, shop: str, secret: str) -> None:
    assert status(edge.post(shop, BODY, signed_headers(edge, shop, secret))) == "stored"


def test_repeat_that_is_signed_with_the_new_secret_is_a_repeat(edge: Edge, shop: str) -> None:
    """Seen at Shopify: the first attempt came before a change of secrets, the second after it."""
    answers = [edge.post(shop, BODY, signed_headers(edge, shop, secret)) for secret in (OLD_SECRET, SECRET)]
    assert [status(answer) for answer in answers] == ["stored", "repeated"]


def test_delivery_signed_with_a_secret_of_somebody_else_is_401(edge: Edge, shop: str) -> None:
    assert refusal(edge.post(shop, BODY, signed_headers(edge, shop, "the-secret-of-another-shop"))) == 401
    assert edge.deliveries() == []


def test_delivery_without_signature_is_401(edge: Edge, shop: str) -> None:
    response = edge.post(shop, BODY, without(edge.headers(shop), signature_header(edge, shop)))
    assert refusal(response) == 401
    assert (edge.deliveries(), edge.woken) == ([], 0)


@pytest.mark.parametrize("signature", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES.keys())
def test_signature_that_is_malformed_or_wrong_is_401(edge: Edge, shop: str, signature: str) -> None:
    response = edge.post(shop, BODY, edge.headers(shop) | {signature_header(edge, shop): signature})
    assert refusal(response) == 401
    assert (edge.deliveries(), edge.woken) == ([], 0)


@pytest.mark.parametrize(
    "altered", [BODY + b" ", BODY[1:], BODY.replace(b"1001", b"1002"), b"", BODY.replace(b"\\", b"")]
)
def test_body_that_was_altered_on_the_way_is_401(edge: Edge, shop: str, altered: bytes) -> None:
    assert refusal(edge.post(shop, altered, edge.headers(shop))) == 401
    assert edge.deliveries() == []


def test_body_written_anew_by_a_proxy_is_401(edge: Edge, shop: str) -> None:
    """The same JSON is not the same bytes: nobody may parse before the signature is checked."""
    assert refusal(edge.post(shop, jsontext.dumps(jsontext.loads(BODY)).encode(), edge.headers(shop))) == 401


def test_repeat_is_answered_200_again_and_stored_once(edge: Edge, shop: str) -> None:
    assert [status(edge.deliver(shop)) for _ in range(3)] == ["stored", "repeated", "repeated"]
    assert len(edge.deliveries()) == 1
    assert edge.woken == 1


def test_repeat_after_a_translation_is_still_one(edge: Edge, shop: str) -> None:
    edge.deliver(shop)
    [claimed] = edge.store.deliveries.claim(edge.clock.now(), 60, 1)
    edge.store.deliveries.bury(claimed, "an invented reason")
    edge.clock.advance(3600)
    assert status(edge.deliver(shop)) == "repeated"
    [stored] = edge.deliveries()
    assert stored.state == DeliveryState.DEAD


def test_deliveries_of_different_things_are_all_stored(edge: Edge, shop: str) -> None:
    for number in range(3):
        body = b'{"id":%d}' % number
        assert status(edge.deliver(shop, body=body, delivery_id=f"d-{number}")) == "stored"
    assert [stored.body for stored in edge.deliveries()] == [b'{"id":0}', b'{"id":1}', b'{"id":2}']
    assert edge.woken == 3


def test_same_delivery_to_two_shops_is_two_deliveries(edge: Edge, shop: str) -> None:
    """Shops that share an app share its secret; their ids have nothing to do with each other."""
    platform = edge.platform(shop)
    headers = {name.lower(): value for name, value in edge.headers(shop).items()}
    first, second = (platform.identify(BODY, headers, edge.shop(shop, key=key)).dedupe for key in (shop, "twin"))
    assert first != second


@pytest.mark.parametrize("path", ["/webhooks/nobody", "/webhooks/nobody/", "/webhooks/Shopify", "/webhooks/%00"])
def test_unknown_shop_is_404(edge: Edge, shop: str, path: str) -> None:
    assert refusal(edge.client.post(path, data=BODY, headers=edge.headers(shop))) == 404
    assert edge.deliveries() == []


def test_unknown_shop_is_404_before_its_body_is_looked_at(edge: Edge, shop: str) -> None:
    assert refusal(edge.post("nobody", b"x" * (MAX_BODY_BYTES + 1), edge.headers(shop))) == 404


def test_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_413(edge: Edge, shop: str) -> None:
    whole, over = b"x" * MAX_BODY_BYTES, b"x" * (MAX_BODY_BYTES + 1)
    assert status(edge.deliver(shop, body=whole)) == "stored"
    assert refusal(edge.deliver(shop, body=over, delivery_id="d-2")) == 413
    assert len(edge.deliveries()) == 1


def test_size_is_checked_before_the_signature(edge: Edge, shop: str) -> None:
    assert refusal(edge.post(shop, b"x" * (MAX_BODY_BYTES + 1), {})) == 413


def test_chunked_body_over_the_limit_is_413_without_reading_on(edge: Edge, shop: str) -> None:
    class Endless:
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += max(size, 1)
            return b"x" * max(size, 1)

    endless = Endless()
    environ = {"wsgi.input": endless, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = edge.client.post(f"/webhooks/{shop}", headers=edge.headers(shop), environ_overrides=environ)
    assert refusal(response) == 413
    assert endless.given < 10 * MAX_BODY_BYTES


def test_chunked_body_is_put_together(edge: Edge, shop: str) -> None:
    chunks = iter([BODY[:7], BODY[7:], b""])

    class Chunked:
        def read(self, size: int = -1) -> bytes:
            return next(chunks)

    environ = {"wsgi.input": Chunked(), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = edge.client.post(f"/webhooks/{shop}", headers=edge.headers(shop), environ_overrides=environ)
    assert status(response) == "stored"
    [stored] = edge.deliveries()
    assert stored.body == BODY


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZip"])
def test_compressed_body_is_415(edge: Edge, shop: str, encoding: str) -> None:
    assert refusal(edge.post(shop, BODY, edge.headers(shop) | {"Content-Encoding": encoding})) == 415
    assert status(edge.post(shop, BODY, edge.headers(shop) | {"Content-Encoding": "identity"})) == "stored"


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"not json", b"[]", b"null", b"<order/>", b"\x00\xff\xfe", b"a=1&b=2", b'{"id":', b"webhook_id="],
)
def test_delivery_is_never_refused_for_what_is_in_it(edge: Edge, shop: str, body: bytes) -> None:
    assert status(edge.deliver(shop, body=body)) == "stored"
    [stored] = edge.deliveries()
    assert stored.body == body


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""])
def test_body_is_taken_raw_whatever_its_content_type_says(edge: Edge, shop: str, content_type: str) -> None:
    assert status(edge.post(shop, BODY, edge.headers(shop) | {"Content-Type": content_type})) == "stored"
    assert [stored.body for stored in edge.deliveries()] == [BODY]


def test_every_topic_translated_ignored_or_unknown_is_stored(edge: Edge, shop: str) -> None:
    platform = edge.platform(shop)
    topics = [*platform.topics, *platform.ignored, "invented/topic", "x" * 300]
    for number, topic in enumerate(topics):
        assert status(edge.deliver(shop, topic=topic, delivery_id=f"d-{number}")) == "stored"
    assert [stored.topic for stored in edge.deliveries()] == topics


def test_missing_topic_is_stored_too(edge: Edge, shop: str) -> None:
    assert status(edge.post(shop, BODY, without(edge.headers(shop), topic_header(edge, shop)))) == "stored"
    [stored] = edge.deliveries()
    assert stored.topic not in edge.platform(shop).topics
    assert stored.topic


def test_nothing_but_the_signature_is_needed(edge: Edge, shop: str) -> None:
    name = signature_header(edge, shop)
    assert status(edge.post(shop, BODY, {name: edge.headers(shop)[name]})) == "stored"


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.title])
def test_header_names_may_have_any_case(edge: Edge, shop: str, spelling: Callable[[str], str]) -> None:
    headers = {spelling(name): value for name, value in edge.headers(shop).items()}
    assert status(edge.post(shop, BODY, headers)) == "stored"
    [stored] = edge.deliveries()
    assert stored.topic == edge.sending(shop).topic


def test_slash_at_the_end_makes_no_difference(edge: Edge, shop: str) -> None:
    assert status(edge.post(f"{shop}/", BODY, edge.headers(shop))) == "stored"
    assert status(edge.post(shop, BODY, edge.headers(shop))) == "repeated"
    assert refusal(edge.post(f"{shop}/", BODY, {})) == 401


def test_store_that_cannot_be_written_is_503_and_the_repeat_is_stored(edge: Edge, shop: str) -> None:
    with edge.store_locked():
        response = edge.deliver(shop)
        assert refusal(response) == 503
        assert int(response.headers["Retry-After"]) > 0
        assert edge.deliveries() == []
        assert edge.woken == 0
    assert status(edge.deliver(shop)) == "stored"
    assert edge.woken == 1


def test_refusals_need_no_store(edge: Edge, shop: str) -> None:
    with edge.store_locked():
        assert refusal(edge.post(shop, BODY, {})) == 401


def test_delivery_is_on_disk_before_anybody_is_told_of_it(edge: Edge, shop: str) -> None:
    seen: list[int] = []
    edge.when_woken = lambda: seen.append(len(edge.deliveries()))
    edge.deliver(shop)
    assert seen == [1]


@pytest.mark.parametrize(
    ("body", "content_type", "pinged"),
    [
        (b"webhook_id=1", "application/x-www-form-urlencoded", {"woocommerce"}),
        (b"webhook_id=1", "application/x-www-form-urlencoded; charset=UTF-8", {"woocommerce"}),
        (b"webhook_id=1&x=1", "application/x-www-form-urlencoded", set()),
        (b"webhook_id=1\n", "application/x-www-form-urlencoded", set()),
        (b"webhook_id=", "application/x-www-form-urlencoded", set()),
        (b"webhook_id=1", "application/json", set()),
        (b"", "application/x-www-form-urlencoded", set()),
        (b"{}", "application/json", set()),
    ],
)
def test_unsigned_request_is_401_unless_it_is_the_platforms_ping(
    edge: Edge, shop: str, body: bytes, content_type: str, pinged: set[str]
) -> None:
    response = edge.post(shop, body, {"Content-Type": content_type})
    if shop in pinged:
        assert status(response) == "pong"
    else:
        assert refusal(response) == 401
    assert (edge.deliveries(), edge.woken) == ([], 0)


def test_honest_headers_are_those_the_platform_reads(edge: Edge, shop: str) -> None:
    """What the demo and these tests send is told apart by the delivery id, and says which topic it is."""
    edge.deliver(shop, delivery_id="d-7")
    [stored] = edge.deliveries()
    assert stored.delivery_id == "d-7"


def test_no_topic_is_both_translated_and_ignored(shop: str) -> None:
    platform = discover_platforms()[shop]
    assert platform.topics.keys().isdisjoint(platform.ignored)
    assert all(reason.strip() for reason in platform.ignored.values())


# Facts of the two references: secret, body and signature that belong together.
VECTORS = [
    ("woocommerce", "s3cr3t", b'{"id":16}', "5ezF37tAoYyZDIcfF0UtuLEjbgdkowVsCWlZu0rtNq4="),
    (
        "woocommerce",
        "s3cr3t",
        rb'{"name":"\u0142\u00f3d\u017a","url":"https:\/\/shop.example.org\/"}',
        "KfaQPDOLuIN/GbJu/OF0xFydqHfCM9i1/g0p3OVa3j4=",
    ),
    ("woocommerce", "a<b&c\"d'e", b'{"id":16}', "NRmLN8lmy2dNbgvELyyKnlvD3AgOGm6G+Dq+HODgbgE="),
    ("woocommerce", "a&lt;b&amp;c&quot;d&#039;e", b'{"id":16}', "NRmLN8lmy2dNbgvELyyKnlvD3AgOGm6G+Dq+HODgbgE="),
]


@pytest.mark.parametrize(("shop", "secret", "body", "signature"), VECTORS)
def test_signature_that_is_known_to_belong_to_a_body_is_accepted(
    tmp_path: Path, sqlite_url: str, shop: str, secret: str, body: bytes, signature: str
) -> None:
    with Edge(tmp_path, sqlite_url, [secret]) as edge:
        headers = edge.headers(shop) | {signature_header(edge, shop): signature}
        assert refusal(edge.post(shop, body + b" ", headers)) == 401
        assert status(edge.post(shop, body, headers)) == "stored"


def test_captured_body_of_shopify_has_the_signature_known_for_it(tmp_path: Path, sqlite_url: str) -> None:
    folder = os.environ.get("RELAY_SHARED_SAMPLES")
    if not folder:
        pytest.skip("RELAY_SHARED_SAMPLES names no folder")
    body = (Path(folder) / "shopify" / "products_create__statamic-raw.json").read_bytes()
    written_anew = jsontext.dumps(jsontext.loads(body)).encode()
    with Edge(tmp_path, sqlite_url, ["hush-example-secret"]) as edge:
        signature = {signature_header(edge, "shopify"): "zU76depOqTr7zaeS2GEAhrm+VgazfJwZ/aYUy6inKho="}
        assert refusal(edge.post("shopify", written_anew, edge.headers("shopify") | signature)) == 401
        assert status(edge.post("shopify", body, edge.headers("shopify") | signature)) == "stored"
