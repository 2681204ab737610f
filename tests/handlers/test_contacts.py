from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from relay.commands import CommandKind, Verdict
from relay.errors import AnswerLost, CommandRefused, CredentialsRefused, StoreUnavailable, Throttled, Unreachable
from relay.news import News
from tests.support.rest import KEY, OTHER_KEY, Rest, answer

CONTACT = {"data": {"email": "anna@shop.example", "name": "Anna Example"}, "group_key": "main"}


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rest]:
    with Rest(tmp_path) as rest:
        yield rest


def test_contact_is_answered_with_salesmanagos_id(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(contact_id="c-1")
    response = rest.call("POST", "/contacts", CONTACT)
    assert response.status_code == 200
    body = answer(response)
    assert body == {"success": True, "messages": [], "requestId": body["requestId"], "contactId": "c-1"}
    assert (rest.woken, rest.told) == (1, News.COMMANDS)


def test_command_and_raw_body_are_stored(rest: Rest) -> None:
    raw = b' {"data": {"epost": "anna@shop.example", "shoe": 42.50}} '
    rest.call("POST", "/contacts", raw)
    [command] = rest.store.reading.commands()
    assert command.kind is CommandKind.CONTACT_UPSERT
    assert command.payload["contact"] == {"email": "anna@shop.example"}
    assert command.payload["properties"] == {"shoe_size": "42.50"}
    assert rest.stored_bodies() == [raw]


def test_answer_is_202_when_salesmanago_takes_too_long(rest: Rest) -> None:
    response = rest.call("POST", "/contacts", CONTACT)
    body = answer(response)
    assert response.status_code == 202
    assert body["success"] is True
    assert response.headers["Location"] == f"/requests/{body['requestId']}"
    assert rest.slept_s == pytest.approx(rest.relay.settings.api_wait_s)


@pytest.mark.parametrize(("prefer", "seconds"), [("respond-async", 0), ("wait=2", 2), ("respond-async, wait=1", 1)])
def test_caller_says_how_long_to_wait(rest: Rest, prefer: str, seconds: float) -> None:
    assert rest.call("POST", "/contacts", CONTACT, Prefer=prefer).status_code == 202
    assert rest.slept_s == pytest.approx(seconds)


def test_refusal_by_salesmanago_is_a_200_with_its_words(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(Verdict.DEAD, message="Contact is blocked", status=200)
    response = rest.call("POST", "/contacts", CONTACT)
    body = answer(response)
    assert (response.status_code, body["success"], body["messages"]) == (200, False, ["Contact is blocked"])


def test_retry_keeps_the_answer_open_and_tells_why(rest: Rest) -> None:
    later = rest.clock.now().replace(year=2027)
    rest.worker = lambda: rest.settle(Verdict.RETRY, message="Busy", due_at=later)
    response = rest.call("POST", "/contacts", CONTACT)
    assert response.status_code == 202
    assert "Busy" in answer(response)["messages"]


def test_uncertain_outcome_is_no_success(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(Verdict.UNCERTAIN)
    response = rest.call("POST", "/contacts", CONTACT)
    body = answer(response)
    assert (response.status_code, body["success"]) == (200, False)
    assert "answer was lost" in body["messages"][0]


def test_what_was_left_out_is_told_as_a_problem(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(contact_id="c-1")
    body = answer(rest.call("POST", "/contacts", {"data": {"email": "anna@shop.example", "birthday": "soon"}}))
    assert body["success"] is True
    assert [problem["field"] for problem in body["problems"]] == ["birthday"]


def test_fields_that_do_not_fit_are_422_and_nothing_is_stored(rest: Rest) -> None:
    response = rest.call("POST", "/contacts", {"data": {"email": "anna", "epsot": "x"}})
    body = answer(response)
    assert response.status_code == 422
    assert body["success"] is False
    assert body["fields"] == {
        "data.epsot": ['Unknown field; did you mean "epost"?'],
        "data.email": ["Not a valid email address."],
    }
    assert {"field": "email", "message": "Not a valid email address."} in body["problems"]
    assert (rest.store.reading.deliveries(), rest.woken) == ([], 0)


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"email": "anna@shop.example"}, "group_key": "main"},
        {"data": {"email": "anna@shop.example"}},
        {"email": "anna@shop.example"},
        {"email": "anna@shop.example", "group_key": "main"},
    ],
)
def test_contact_is_deleted_in_either_form(rest: Rest, body: dict[str, Any]) -> None:
    rest.worker = rest.settle
    response = rest.call("DELETE", "/contacts", body)
    assert (response.status_code, answer(response)["success"]) == (200, True)
    [command] = rest.store.reading.commands()
    assert (command.kind, command.payload) == (CommandKind.CONTACT_DELETE, {"email": "anna@shop.example"})


def test_deletion_without_a_body_is_malformed(rest: Rest) -> None:
    assert rest.call("DELETE", "/contacts").status_code == 400


def test_later_command_of_a_contact_waits_behind_the_earlier_one(rest: Rest) -> None:
    rest.call("POST", "/contacts", CONTACT, Prefer="respond-async")
    rest.call("DELETE", "/contacts", {"email": "Anna@Shop.example"}, Prefer="respond-async")
    assert [each.kind for each in rest.settle()] == [CommandKind.CONTACT_UPSERT]
    assert [each.kind for each in rest.settle()] == [CommandKind.CONTACT_DELETE]


def test_503_when_nothing_can_be_stored(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*arguments: object) -> None:
        raise StoreUnavailable(retry_after_s=7)

    monkeypatch.setattr(rest.store.deliveries, "record", locked)
    response = rest.call("POST", "/contacts", CONTACT)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
    assert answer(response)["success"] is False


def test_trouble_after_the_commit_is_a_202_since_it_is_stored(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(delivery_id: int) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(rest.store.commands, "of_delivery", gone)
    assert rest.call("POST", "/contacts", CONTACT).status_code == 202
    assert len(rest.store.reading.deliveries()) == 1


def test_card_is_given_as_salesmanago_has_it(rest: Rest) -> None:
    rest.cards.cards["c-1"] = {"id": "c-1", "email": "anna@shop.example", "score": Decimal("1.50")}
    response = rest.call("GET", "/contact/c-1")
    body = answer(response)
    assert response.status_code == 200
    assert body["contact"] == rest.cards.cards["c-1"]
    assert b'"score":1.50' in response.get_data()
    assert response.headers["Cache-Control"] == "no-store"


def test_unknown_contact_is_404(rest: Rest) -> None:
    response = rest.call("GET", "/contact/nobody")
    assert (response.status_code, answer(response)["success"]) == (404, False)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unreachable(), 504),
        (AnswerLost(), 504),
        (Throttled(retry_after_s=2.5), 504),
        (CommandRefused("No such thing"), 502),
        (CredentialsRefused(), 502),
    ],
)
def test_trouble_with_salesmanago_is_told_from_our_own(rest: Rest, error: Exception, status: int) -> None:
    rest.cards.error = error
    response = rest.call("GET", "/contact/c-1")
    assert response.status_code == status
    assert answer(response)["messages"] == [str(error)]
    assert response.headers.get("Retry-After") == ("3" if isinstance(error, Throttled) else None)


def test_repeat_under_an_idempotency_key_gets_the_first_answer(rest: Rest) -> None:
    rest.worker = lambda: rest.settle(contact_id="c-1")
    first = rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1")
    repeat = rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1")
    assert (repeat.status_code, repeat.get_data()) == (first.status_code, first.get_data())
    assert answer(repeat)["contactId"] == "c-1"
    assert len(rest.store.reading.commands()) == 1


def test_idempotency_key_of_another_body_is_refused(rest: Rest) -> None:
    rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1", Prefer="respond-async")
    other = rest.call("POST", "/contacts", {"data": {"email": "ben@shop.example"}}, Idempotency_Key="order-1")
    assert other.status_code == 422
    assert list(answer(other)["fields"]) == ["Idempotency-Key"]
    assert len(rest.store.reading.deliveries()) == 1


def test_idempotency_key_counts_for_one_group_method_and_path(rest: Rest) -> None:
    body = {"data": {"email": "anna@shop.example"}}
    for method, key in (("POST", KEY), ("DELETE", KEY), ("POST", OTHER_KEY)):
        rest.call(method, "/contacts", body, key=key, Idempotency_Key="same", Prefer="respond-async")
    assert len(rest.store.reading.deliveries()) == 3


def test_request_in_flight_under_the_same_key_is_a_conflict(rest: Rest) -> None:
    statuses: list[int] = []

    def meanwhile() -> None:
        rest.worker = None
        statuses.append(rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1").status_code)

    rest.worker = meanwhile
    rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1")
    assert statuses == [409]
    assert len(rest.store.reading.deliveries()) == 1


def test_request_whose_process_died_is_answered_and_not_sent_again(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(rest.store.answers, "finish", lambda *arguments: None)  # as if it never came to that
        first = rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1", Prefer="respond-async")
    rest.clock.advance(120)
    rest.worker = lambda: rest.settle(contact_id="c-1")
    again = rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1")
    assert answer(again)["requestId"] == answer(first)["requestId"]
    assert answer(again)["contactId"] == "c-1"
    assert len(rest.store.reading.commands()) == 1


def test_idempotency_key_may_be_used_anew_after_a_day(rest: Rest) -> None:
    rest.call("POST", "/contacts", CONTACT, Idempotency_Key="daily", Prefer="respond-async")
    rest.clock.advance(24 * 3600 + 1)
    rest.call("POST", "/contacts", CONTACT, Idempotency_Key="daily", Prefer="respond-async")
    assert len(rest.store.reading.deliveries()) == 2


def test_answer_that_cannot_be_kept_is_given_all_the_same(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*arguments: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(rest.store.answers, "finish", locked)
    rest.worker = lambda: rest.settle(contact_id="c-1")
    assert rest.call("POST", "/contacts", CONTACT, Idempotency_Key="order-1").status_code == 200


def test_endless_idempotency_key_is_refused(rest: Rest) -> None:
    response = rest.call("POST", "/contacts", CONTACT, Idempotency_Key="k" * 256)
    assert response.status_code == 422
    assert rest.store.reading.deliveries() == []
