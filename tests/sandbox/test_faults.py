from __future__ import annotations

from datetime import UTC, datetime

import pytest

from relay.clock import ManualClock
from tests.support.sandbox import ACCOUNT, OTHER_ACCOUNT, SandboxClient, signed


@pytest.mark.parametrize(
    ("order", "status", "body"),
    [
        ({"kind": "throttle"}, 429, None),
        ({"kind": "fail"}, 503, None),
        ({"kind": "fail", "status": 500}, 500, None),
        ({"kind": "garble"}, 200, None),
        ({"kind": "refuse", "text": "Not today"}, 200, {"success": False, "message": ["Not today"]}),
        ({"kind": "auth"}, 200, {"success": False, "message": ["Not authenticated"]}),
    ],
)
def test_fault_spoils_one_v2_call_without_effect(
    client: SandboxClient, order: dict[str, str], status: int, body: object
) -> None:
    client.fault(**order)
    reply = client.v2("contact/upsert", contact={"email": "anna@example.com"})
    assert (reply.status, reply.body) == (status, body)
    assert client.card() is None
    assert client.contact()


@pytest.mark.parametrize(
    ("order", "status", "body"),
    [
        ({"kind": "throttle"}, 429, None),
        ({"kind": "fail"}, 503, None),
        ({"kind": "refuse", "text": "Not today"}, 400, {"reasonCode": 18, "messages": ["Not today"]}),
        ({"kind": "auth"}, 400, {"reasonCode": 10, "messages": ["Authentication failed"]}),
    ],
)
def test_fault_spoils_one_v3_call_without_effect(
    client: SandboxClient, order: dict[str, str], status: int, body: object
) -> None:
    client.fault(**order)
    reply = client.v3("catalogUpsert", {"name": "A", "currency": "EUR", "location": "example_shop"})
    assert (reply.status, reply.body) == (status, body)
    assert client.v3("catalogList").body["catalogs"] == []


def test_retry_after_is_sent_when_it_is_given(client: SandboxClient) -> None:
    client.fault("throttle", retry_after=7)
    client.fault("throttle")
    assert client.v2("contact/hasContact", email="a@example.com").headers["Retry-After"] == "7"
    assert "Retry-After" not in client.v2("contact/hasContact", email="a@example.com").headers


def test_fault_counts_down_to_nothing(client: SandboxClient) -> None:
    client.fault("fail", times=2)
    statuses = [client.v2("contact/hasContact", email="a@example.com").status for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert client.send("GET", "/_sandbox/faults").body == {"faults": []}


def test_fault_without_number_lasts_until_it_is_taken_back(client: SandboxClient) -> None:
    client.fault("fail", times=None)
    statuses = [client.v2("contact/hasContact", email="a@example.com").status for _ in range(3)]
    client.send("DELETE", "/_sandbox/faults")
    statuses.append(client.v2("contact/hasContact", email="a@example.com").status)
    assert statuses == [503, 503, 503, 200]


def test_fault_concerns_the_paths_it_names(client: SandboxClient) -> None:
    client.fault("fail", path="/api/v2/")
    client.contact()
    assert client.v2("v2/contact/addContactExtEvent", email="anna@example.com").status == 503


def test_fault_concerns_the_account_it_names(client: SandboxClient) -> None:
    client.fault("auth", account=OTHER_ACCOUNT.client_id, times=None)
    assert client.v2("contact/hasContact", email="a@example.com").body["success"] is True
    assert client.v2("contact/hasContact", OTHER_ACCOUNT, email="a@example.com").body["success"] is False
    assert client.v3("catalogList").status == 200
    assert client.v3("catalogList", key=OTHER_ACCOUNT.v3_key).status == 400


def test_faults_come_in_the_order_they_were_ordered(client: SandboxClient) -> None:
    client.fault("throttle")
    client.fault("fail")
    assert [client.v2("contact/hasContact", email="a@example.com").status for _ in range(3)] == [429, 503, 200]


def test_dropped_answer_has_its_effect(client: SandboxClient) -> None:
    client.fault("drop_answer")
    with pytest.raises(ConnectionResetError):
        client.send("POST", "/api/contact/upsert", signed(contact={"email": "anna@example.com"}))
    assert client.card() is not None


def test_hanging_call_has_no_effect(client: SandboxClient) -> None:
    client.fault("hang")
    with pytest.raises(ConnectionResetError):
        client.send("POST", "/api/contact/upsert", signed(contact={"email": "anna@example.com"}))
    assert client.card() is None


def test_slow_call_is_answered_in_the_end(client: SandboxClient) -> None:
    client.fault("slow", seconds=0.01)
    assert client.contact() == client.card()["id"]


def test_call_is_written_down_with_the_time_it_arrived_at(
    client: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
    monkeypatch.setattr(client.state, "now", clock.now)
    monkeypatch.setattr(client.state.faults.released, "wait", clock.advance)
    arrived = clock.now()
    client.fault("slow", seconds=5)
    client.contact()
    assert clock.now() > arrived
    [call] = client.state.journal.last()
    assert call.at == arrived


def test_faults_leave_the_simulator_s_own_pages_alone(client: SandboxClient) -> None:
    client.fault("fail", times=None)
    assert client.send("GET", "/_sandbox/state").status == 200
    assert client.send("GET", "/").status == 200


def test_unauthenticated_call_can_go_wrong_too(client: SandboxClient) -> None:
    client.fault("throttle")
    assert client.send("POST", "/api/contact/upsert", "{").status == 429


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": "fail", "times": 0}, "times"),
        ({"kind": "fail", "status": 404}, "status"),
        ({"kind": "hang", "seconds": -1}, "seconds"),
        ({"kind": "fail", "after": 3}, "after"),
        ([], "kind"),
        ("{", "kind"),
    ],
)
def test_mistaken_order_is_explained_and_not_taken(client: SandboxClient, order: object, field: str) -> None:
    reply = client.send("POST", "/_sandbox/faults", order)
    assert reply.status == 400
    assert field in reply.body["message"]
    assert client.state.faults.as_list() == []


def test_open_orders_are_listed(client: SandboxClient) -> None:
    client.fault("hang", seconds=2, path="/api/", times=3, account=ACCOUNT.client_id)
    (order,) = client.send("GET", "/_sandbox/faults").body["faults"]
    assert (order["kind"], order["seconds"], order["path"], order["times"]) == ("hang", 2, "/api/", 3)
