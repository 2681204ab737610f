"""What each answer means: one row per combination of status and body that decides differently."""

from __future__ import annotations

import json
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from relay.errors import (
    AnswerLost,
    CatalogRefused,
    CommandRefused,
    CredentialsRefused,
    DispatchError,
    SettingsRefused,
    TemporaryFailure,
    Throttled,
    UnclearRefusal,
)
from relay.salesmanago.replies import Expectation, read_v2, read_v3
from relay.salesmanago.transport import Reply
from tests.support.outgoing import NOW

ADD = Expectation(repeatable=False)
DELETE = Expectation(gone_is_done=True)
PLAIN = Expectation()


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Reply(status, CaseInsensitiveDict({name.replace("_", "-"): text for name, text in headers.items()}), raw)


def refusal(*texts: str) -> dict[str, Any]:
    return {"success": False, "message": list(texts)}


V2_ERRORS: list[tuple[Reply, Expectation, type[DispatchError]]] = [
    # Refused credentials and settings: the lane pauses.
    (reply(200, refusal("Not authenticated")), PLAIN, CredentialsRefused),
    (reply(200, {"success": False, "message": "User not authenticated"}), PLAIN, CredentialsRefused),
    (reply(400, refusal("Not authenticated")), PLAIN, CredentialsRefused),
    (reply(401), PLAIN, CredentialsRefused),
    (reply(403, b"<html>error 1010</html>"), PLAIN, CredentialsRefused),
    (reply(200, refusal("User cannot be empty")), PLAIN, SettingsRefused),
    (reply(404, b"<html>no such page</html>"), PLAIN, SettingsRefused),
    (reply(405), PLAIN, SettingsRefused),
    (reply(301, Location="https://elsewhere.example/api"), ADD, SettingsRefused),
    (reply(307), PLAIN, SettingsRefused),
    # Too many calls.
    (reply(429), ADD, Throttled),
    (reply(429, refusal("Not authenticated")), PLAIN, Throttled),
    (reply(200, refusal("Rate limit exceeded")), ADD, Throttled),
    # Not now.
    (reply(408), ADD, TemporaryFailure),
    (reply(500), ADD, TemporaryFailure),
    (reply(503, refusal("Not authenticated")), ADD, TemporaryFailure),
    (reply(502), PLAIN, TemporaryFailure),
    (reply(504), DELETE, TemporaryFailure),
    # Nobody knows.
    (reply(502), ADD, AnswerLost),
    (reply(504), ADD, AnswerLost),
    (reply(524), ADD, AnswerLost),
    (reply(200, b"<html>welcome</html>"), ADD, AnswerLost),
    (reply(200, b"<html>welcome</html>"), DELETE, AnswerLost),
    (reply(200), ADD, AnswerLost),
    (reply(200, []), PLAIN, AnswerLost),
    (reply(200, {"result": "ok"}), PLAIN, AnswerLost),
    (reply(200, {"error": "ok"}), DELETE, AnswerLost),
    # Refused for good.
    (reply(200, refusal("No email specified")), PLAIN, CommandRefused),
    (reply(200, refusal("Specified loyalty program does not exist")), PLAIN, CommandRefused),
    (reply(400), ADD, CommandRefused),
    (reply(400, b"null"), ADD, CommandRefused),
    (reply(400, refusal("Strange words")), PLAIN, CommandRefused),
    (reply(413, b"too large"), PLAIN, CommandRefused),
    # Words nobody has met.
    (reply(200, refusal("Strange words")), ADD, UnclearRefusal),
    (reply(200, refusal("Contact not found")), ADD, UnclearRefusal),
    (reply(200, {"success": False}), PLAIN, UnclearRefusal),
    (reply(200, {"success": None, "message": None}), PLAIN, UnclearRefusal),
]


@pytest.mark.parametrize(("given", "expected", "error"), V2_ERRORS)
def test_v2_answer_that_is_no_success_is_classified(
    given: Reply, expected: Expectation, error: type[DispatchError]
) -> None:
    with pytest.raises(DispatchError) as caught:
        read_v2(given, NOW, expected, [])
    assert type(caught.value) is error
    assert caught.value.status == given.status


def test_v2_success_gives_its_body() -> None:
    body = {"success": True, "message": [], "contactId": "c-1"}
    assert read_v2(reply(200, body), NOW, PLAIN, []) == (body, None)


@pytest.mark.parametrize("words", ["Contact not found", "Event does not exist", "No such contact"])
@pytest.mark.parametrize("status", [200, 400, 404])
def test_deleting_what_is_not_there_has_reached_its_goal(status: int, words: str) -> None:
    _, note = read_v2(reply(status, refusal(words)), NOW, DELETE, [])
    assert note == f"There was nothing to delete: {words}"


@pytest.mark.parametrize("body", [None, b"null", b'"deleted"'])
def test_deletion_answered_without_the_envelope_is_done_with_a_note(body: bytes | None) -> None:
    assert read_v2(reply(200, body), NOW, DELETE, []) == ({}, "Answered without saying whether it succeeded.")


def test_words_of_a_list_are_joined_and_cut() -> None:
    with pytest.raises(UnclearRefusal, match=r"^first; second$"):
        read_v2(reply(200, refusal("first", "second")), NOW, PLAIN, [])
    with pytest.raises(UnclearRefusal) as caught:
        read_v2(reply(200, refusal("word " * 1000)), NOW, PLAIN, [])
    assert len(str(caught.value)) == 500


def test_unclear_refusal_allows_a_few_attempts_only() -> None:
    assert (UnclearRefusal().max_attempts, TemporaryFailure().max_attempts) == (3, None)


def test_words_repeat_nothing_of_the_request_and_no_address() -> None:
    texts = ["Anna Example", "invented-secret"]
    with pytest.raises(UnclearRefusal) as caught:
        read_v2(reply(200, refusal("Bad anna example <x@example.com> invented-secret 48500100200")), NOW, PLAIN, texts)
    assert str(caught.value) == "Bad *** <***> *** ***"


def test_redirect_names_the_host_only() -> None:
    with pytest.raises(SettingsRefused, match=r"redirects to elsewhere\.example, which is not followed") as caught:
        read_v2(reply(302, Location="https://elsewhere.example/x?token=secret"), NOW, PLAIN, [])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 12:01:30 -0000", 90.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read_as_seconds_or_date(status: int, header: str, seconds: float | None) -> None:
    with pytest.raises(TemporaryFailure) as caught:
        read_v2(reply(status, retry_after=header), NOW, PLAIN, [])
    assert caught.value.retry_after_s == seconds


def problems(*pairs: tuple[Any, str]) -> dict[str, Any]:
    return {"requestId": "r-1", "problems": [{"reasonCode": code, "message": words} for code, words in pairs]}


V3_ERRORS: list[tuple[Reply, type[DispatchError]]] = [
    (reply(400, {"reasonCode": 10, "messages": ["Authentication failed"]}), CredentialsRefused),
    (reply(400, {"reasonCode": "10", "messages": "Authentication failed"}), CredentialsRefused),
    (reply(401, {"reasonCode": 10, "messages": []}), CredentialsRefused),
    (reply(403), CredentialsRefused),
    *(
        (reply(400, problems((code, "products[0].x|text"))), CatalogRefused)
        for code in (11, 13, 14, 15, 16, 17, 18, 19)
    ),
    *((reply(400, {"reasonCode": code, "messages": ["text"]}), CatalogRefused) for code in (11, 16, 19)),
    (reply(404, {"reasonCode": 16, "messages": ["Resource not present"]}), CatalogRefused),
    (reply(422, problems((13, "name|Missing"))), CatalogRefused),
    (reply(200, problems((12, "products[0].description|max:1|cut"), (11, "products[1].name|long"))), CatalogRefused),
    (reply(400, problems((77, "new kind"))), UnclearRefusal),
    (reply(400, {"reasonCode": None, "messages": ["?"]}), UnclearRefusal),
    (reply(400, problems((77, "Rate limit reached"))), Throttled),
    (reply(429, {"reasonCode": 77, "messages": []}), Throttled),
    (reply(429, b"<html>slow down</html>"), Throttled),
    (reply(400), CommandRefused),
    (reply(404, b"<html>no</html>"), SettingsRefused),
    (reply(302, Location="https://elsewhere.example/"), SettingsRefused),
    (reply(408), TemporaryFailure),
    (reply(500, {"reasonCode": 10, "messages": []}), TemporaryFailure),
    (reply(502, b"<html>bad gateway</html>"), TemporaryFailure),
    (reply(200, b"<html>welcome</html>"), AnswerLost),
    (reply(200), AnswerLost),
    (reply(200, []), AnswerLost),
]


@pytest.mark.parametrize(("given", "error"), V3_ERRORS)
def test_v3_answer_that_is_no_success_is_classified(given: Reply, error: type[DispatchError]) -> None:
    with pytest.raises(DispatchError) as caught:
        read_v3(given, NOW)
    assert type(caught.value) is error
    assert caught.value.status == given.status


def test_v3_trimming_is_a_success_with_warnings() -> None:
    body = problems((12, "products[0].description|max:16384|Value was trimmed"))
    assert read_v3(reply(200, body), NOW) == (body, ("products[0].description|max:16384|Value was trimmed",))


def test_v3_refusal_tells_each_product_by_its_place() -> None:
    body = problems(
        (11, "products[3].name|max:255|too long"),
        (13, "products[12].price|missing"),
        (14, "products[3].quantity:Integer|wrong type"),
        (12, "products[5].description|max:9|trimmed"),
        (11, "products|max:100|too many"),
    )
    with pytest.raises(CatalogRefused) as caught:
        read_v3(reply(400, body), NOW)
    assert caught.value.items == {
        3: "products[3].name|max:255|too long; products[3].quantity:Integer|wrong type",
        12: "products[12].price|missing",
    }
    assert caught.value.codes == {11, 13, 14}


def test_v3_refusal_of_the_whole_call_names_no_product() -> None:
    with pytest.raises(CatalogRefused, match="Resource not present") as caught:
        read_v3(reply(400, {"reasonCode": 16, "messages": ["Resource not present"]}), NOW)
    assert not caught.value.items
    assert caught.value.codes == {16}


def test_v3_words_hide_the_key() -> None:
    with pytest.raises(CredentialsRefused, match=r"^Key \*\*\* unknown\. Check "):
        read_v3(reply(400, {"reasonCode": 10, "messages": ["Key V3KEY unknown"]}), NOW, ["V3KEY"])
